"""Pictures of the logs in each of their states, as text in three sizes; with their colours in two themes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.state import LogLine
from hero_tui.settings import Settings
from screens.widgets.logview import LogView
from tests.hero_tui.fleets import NOW, Cockpit

SIZES = [(80, 24), (120, 40), (200, 50)]
Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]
DEADLINE = 30.0


async def file(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One's own log, from its end."""
    await cockpit.press(pilot, "l")


async def paused(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Scrolled up to an error, marked, with times."""
    await cockpit.press(pilot, "l")
    await looked(cockpit, pilot)
    await cockpit.press(pilot, "less_than_sign", "m", "k", "t")


async def filtered(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A filter that is being typed."""
    await cockpit.press(pilot, "l", "slash", *"shelf 7")
    await cockpit.until(pilot, lambda: "/shelf 7" in cockpit.text)


async def searched(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A search at one of its matches, JSON spread out."""
    await cockpit.press(pilot, "l", "backslash", *"books", "enter")
    await cockpit.until(pilot, lambda: re.search(r"/books (\d+) of \1 matches", cockpit.text) is not None)
    await looked(cockpit, pilot)
    await cockpit.press(pilot, "N", "J")


async def previous_run(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What the run before said last."""
    await cockpit.press(pilot, "l", "p")


async def window(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The last five minutes, wrapped."""
    await cockpit.press(pilot, "l", "2", "w")


async def loading(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A teammate's, not yet told."""
    await cockpit.press(pilot, "j", "l")


async def stale(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A teammate's, cut off."""
    await cockpit.press(pilot, "j", "l")
    cockpit.line.log.put_nowait(
        tuple(LogLine(source="hero_db", time=float(n), text=f"INFO  beat {n}") for n in range(30))
    )
    await cockpit.until(pilot, lambda: "beat 29" in cockpit.text)
    cockpit.line.log.put_nowait(HeroError("unreachable", "The slot of mik has gone."))


async def refused(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A teammate's who does not show them."""
    await cockpit.press(pilot, "j", "l")
    cockpit.line.log.put_nowait(
        HeroError(
            "denied", "mik does not show the logs of their slot.", hint="users/mik.toml says so: `[peek] logs`."
        )
    )


POSES: tuple[Pose, ...] = (file, paused, filtered, searched, previous_run, window, loading, stale, refused)


async def looked(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """All that is there has been looked at and is shown."""
    await cockpit.settle(pilot)
    view = cockpit.app.screen.query_one(LogView)
    view.flush()
    async with asyncio.timeout(DEADLINE):
        while view.busy:
            await pilot.pause(0.01)
    await cockpit.settle(pilot)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A box with a log of an hour in my slot, and the end of a run in it."""
    path = BoxPaths(tmp_path).slot("alice").service_log("hero_db")
    path.parent.mkdir(parents=True)
    with path.open("w") as out:
        for number in range(700):
            when = (NOW - timedelta(seconds=5 * (700 - number))).strftime("%Y-%m-%dT%H:%M:%SZ")
            out.write(f"{when} {_said(number)}\n")
    return tmp_path


def _said(number: int) -> str:
    if number == 555:
        return "\x1b[1;31mERROR\x1b[0m thread 'main' panicked at src/shelf.rs:88: shelf 12 is not there"
    if number % 90 == 40:
        return f"\x1b[1;31mERROR\x1b[0m shelf {number % 12} cannot be written: disk quota exceeded"
    if number % 15 == 7:
        return (
            f'\x1b[33mWARN\x1b[0m  slow {{"took_ms": {number * 7 % 900}, "path": "/api/books", "cached": false}}'
        )
    return f"\x1b[32mINFO\x1b[0m  checkpoint {number} of shelf {number % 12} written in {number * 13 % 40} ms"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.__name__)
async def test_layout(
    snap_text: Callable[[App[Any]], bool], root: Path, pose: Pose, size: tuple[int, int]
) -> None:
    cockpit = Cockpit(root)
    async with cockpit.running(size) as pilot:
        await pose(cockpit, pilot)
        await looked(cockpit, pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
def test_colours(snap_compare: Callable[..., bool], root: Path, theme: str) -> None:
    cockpit = Cockpit(root, settings=Settings(theme=theme))

    async def dress(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        await searched(cockpit, pilot)
        await cockpit.press(pilot, "m", "t")
        await looked(cockpit, pilot)

    assert snap_compare(cockpit.app, terminal_size=(120, 40), run_before=dress)
