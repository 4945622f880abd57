"""A small app in the cockpit's clothes and a made-up fleet, for the tests of the shared widgets."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from rich.color import ColorSystem
from textual import events
from textual._compositor import Compositor, CompositorUpdate
from textual.app import App
from textual.binding import BindingType
from textual.message import Message
from textual.pilot import Pilot
from textual.screen import Screen

from screens.driver import partial_update
from screens.widgets.grid import FleetGrid
from screens.widgets.grid_data import GridCell, GridColumn, GridRow
from styles import themes

M = TypeVar("M", bound=Message)
STYLES = Path(themes.__file__).parent
SERVICES = ("hero_router", "hero_slides", "hero_books", "hero_proc", "hero_search", "hero_mail")
USERS = ("alice", "mik", "thabet", "rawda", "omar", "sameh", "karoline", "jan")
MORE = ("ashraf", "ehab", "maged", "peter", "sabrina", "lee", "timur", "scott", "nadia", "xavier")


class HarnessApp(App[None]):
    """Themes and style sheets of the cockpit; a test's app adds its `compose`."""

    CSS_PATH: ClassVar[list[str | Path]] = [STYLES / f"{name}.tcss" for name in ("base", "first", "widgets")]  # type: ignore[assignment]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, theme: str = "hero-dark") -> None:
        super().__init__()
        themes.register(self)
        self.theme = theme


class RecordingApp(HarnessApp):
    """Keeps what a terminal would receive, frame by frame, as `screens.driver` renders it."""

    def __init__(self, theme: str = "hero-dark") -> None:
        super().__init__(theme)
        self.frames: list[str] = []
        self.console._color_system = ColorSystem.TRUECOLOR

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        compositor = screen._compositor  # its first frame is a whole one
        compositor.render_partial_update = partial(self.partial, compositor)  # type: ignore[method-assign,assignment]
        if renderable is not None:
            self.frames.append(renderable.render_segments(self.console))
        super()._display(screen, renderable)

    def partial(self, compositor: Compositor) -> CompositorUpdate | None:
        """What is dirty."""
        return partial_update(compositor)

    def take(self) -> str:
        """Everything sent since the last call."""
        sent, self.frames = "".join(self.frames), []
        return sent

    async def all_sent(self, pilot: Pilot[Any]) -> str:
        """Everything sent since the last call, once nothing more comes."""
        sent = self.take()
        while True:
            await pilot.pause()
            if not (more := self.take()):
                return sent
            sent += more


async def mash(pilot: Pilot[Any], keys: Iterable[str]) -> None:
    """Press many keys in one go; `pilot.press` settles the screen after each, which takes 50 ms."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))
    await pilot.pause()


class Heard:
    """Messages that a test's app received, by type."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> None:
        """For `run_test(message_hook=...)`; a message that bubbles comes by several times."""
        if not any(known is message for known in self.messages[-50:]):
            self.messages.append(message)

    def of(self, kind: type[M]) -> list[M]:
        """The ones of exactly this type."""
        return [message for message in self.messages if type(message) is kind]


def fleet_rows(users: tuple[str, ...] = USERS) -> list[GridRow]:
    """Integration and the users, with credentials; one of them has not been heard of for a while."""
    tags = (("personal", "own"), ("org-key-1", "key-1"), ("org-key-2", "key-2"), ("none", "-"))
    rows = [GridRow("integration", "integration", pinned=True, tag="org-key-1", short_tag="key-1")]
    for index, user in enumerate(users):
        tag, short = tags[index % len(tags)]
        rows.append(GridRow(user, user, tag=tag, stale=user == "omar", short_tag=short))
    return rows


def fleet_columns(services: tuple[str, ...] = SERVICES) -> list[GridColumn]:
    """One column a service."""
    return [GridColumn(service, service) for service in services]


def fleet_cell(rng: random.Random, user: str) -> GridCell | None:
    """What one binding may look like; mostly healthy and current."""
    if user == "integration":
        return GridCell(
            "development", f"{rng.getrandbits(32):08x}", "build", "current", "healthy", "succeeded", "3m"
        )
    if rng.random() < 0.08:
        return None
    branch = rng.choice(("development", "development", f"development_{user}", "feature/wide-search"))
    source = rng.choice(("release", "release", "build", "hash"))
    drift = rng.choice(("current", "current", "current", "behind", "modified", "missing"))
    health = rng.choice(("healthy",) * 8 + ("starting", "unhealthy", "crashed", "stopped", "unknown"))
    build = rng.choice(("succeeded", "", "", "running", "failed", "queued")) if source == "build" else ""
    busy, progress = rng.choice(((None, None),) * 14 + (("installing", 0.43), ("restarting", None)))
    if source == "hash":
        drift = "pinned"
    if drift == "missing":
        health = "stopped"
    age = rng.choice(("now", "12m", "3h", "26h", "5d", "8w"))
    hash8 = "" if drift == "missing" else f"{rng.getrandbits(32):08x}"
    return GridCell(branch, hash8, source, drift, health, build, age, busy, progress)


def fill(grid: FleetGrid, users: tuple[str, ...] = USERS, services: tuple[str, ...] = SERVICES) -> None:
    """Show a whole made-up fleet, the same one each time."""
    rng = random.Random(7)
    grid.set_shape(fleet_rows(users), fleet_columns(services))
    for user in ("integration", *users):
        for service in services:
            grid.set_cell(user, service, fleet_cell(rng, user))


def is_harmless(text: str) -> bool:
    """Whether a terminal draws `text` and does nothing else."""
    return not any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in text)
