"""What every screen of the cockpit has: status line, body, operations, key hints; repainted from changes alone."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from textual import events, on
from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from screens.desk import Desk, Target
from screens.fleet_view import Cell, Changes
from screens.widgets.doings import DoingStack
from screens.widgets.keyfooter import KeyFooter
from screens.widgets.statusbar import StatusBar

STAND_SECONDS = 2.0
"""How long keys wait for a screen that is being made."""


@runtime_checkable
class Keeper(Protocol):
    """A widget that can be left and come back to."""

    def memory(self) -> object:
        """Where the person is in it: cursor, filter, what was typed."""

    def recall(self, memory: object) -> None:
        """Be there again, at once or as soon as there is what the cursor stood on."""


@dataclass(frozen=True)
class Memory:
    """How a person left a screen: its settings by name, and what its widgets keep, in their order."""

    settings: Mapping[str, object] = field(default_factory=dict)
    widgets: tuple[object, ...] = ()


class HeroScreen(Screen[None]):
    """A place of the cockpit. A screen adds `body`, and `show` for what it paints of the fleet."""

    PLACE = ""
    ACTS = False
    """Whether the keys that act on a service work here."""
    KEPT: ClassVar[tuple[str, ...]] = ()
    """Attributes that a person sets, and finds again where they come back to the place."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.note = ""
        self._recalled: Memory | None = None
        self._made = False
        self._standing = asyncio.Event()
        self._is_new = True
        self._owed: Changes | None = None
        self._owed_agents: frozenset[Cell] = frozenset()

    @property
    def ready(self) -> bool:
        """Whether its widgets are there: they come some time after it does, and go some time before it does."""
        return self._made and self.display

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        yield StatusBar(id="status")
        yield from self.body()
        yield DoingStack(self.desk.key("cell.cancel"), id="doings")
        yield KeyFooter(id="keys")

    def fit(self, size: Size) -> None:
        """Lay it out for a terminal of this size from the first; Textual would look at it after a first frame."""
        for room, widths in ((size.width, self.HORIZONTAL_BREAKPOINTS), (size.height, self.VERTICAL_BREAKPOINTS)):
            fitting = [one for one in widths or () if one[0] <= room]
            self.set_class(True, *(name for _, name in sorted(fitting)[-1:]))

    def body(self) -> Iterable[Widget]:
        """The widgets between status line and operations."""
        return ()

    @property
    def place(self) -> str:
        """What the status line calls this screen."""
        return self.PLACE

    @property
    def target(self) -> Target | None:
        """What keys act on; None where there is nothing to act on."""
        return None

    def show(self, changes: Changes) -> None:
        """Paint what changed of the fleet."""

    def show_agents(self, agents: frozenset[Cell]) -> None:
        """Paint what changed of these agents, by slot and id: it may come often."""

    def owe(self, changes: Changes | None = None, agents: frozenset[Cell] = frozenset()) -> None:
        """To be painted once this screen is uncovered: until then nobody sees it."""
        before = self._owed
        if changes is not None:
            self._owed = changes if before is None else before.joined(changes)
        self._owed_agents |= agents

    def _pay(self) -> None:
        changes, agents = self._owed, self._owed_agents
        self._owed, self._owed_agents = None, frozenset()
        if changes is not None:
            self.show(changes)
        if agents:
            self.show_agents(agents)

    def tick(self) -> None:
        """A second has passed: ages may have changed."""

    def again(self) -> None:
        """Ask anew for what the screen shows besides the fleet."""

    def clear(self) -> bool:
        """Take back one thing that Esc should take back before it leaves the screen; False if there is none."""
        return False

    def memory(self) -> Memory:
        """How the person leaves this screen."""
        names = ("note", *self.KEPT)
        return Memory({name: copy.copy(getattr(self, name)) for name in names}, self._kept_by_widgets())

    def _kept_by_widgets(self) -> tuple[object, ...]:
        return tuple(widget.memory() for widget in self.query("*") if isinstance(widget, Keeper))

    def recall(self, memory: Memory) -> None:
        """Be as the person left it; before the screen is shown, or while it is."""
        for name, value in memory.settings.items():
            setattr(self, name, copy.copy(value))
        self._recalled = memory
        if self.ready:
            self._recall_widgets()
            self.show(Changes())
            self.refresh_frame()

    def _recall_widgets(self) -> None:
        memory, self._recalled = self._recalled, None
        keepers = [widget for widget in self.query("*") if isinstance(widget, Keeper)]
        for widget, kept in zip(keepers, memory.widgets if memory else (), strict=False):
            widget.recall(kept)

    def refresh_frame(self, *, hints: bool = True) -> None:
        """Status line, operations and, unless they cannot have changed, key `hints` as they are now."""
        if self.ready:
            self.query_one("#status", StatusBar).show(self.desk.status(self.place, self.note))
            self.query_one("#doings", DoingStack).show(self.desk.doings.all())
            if hints:
                self.refresh_hints()

    def refresh_hints(self) -> None:
        """The keys that work here now."""
        if self.ready and self.is_active:
            self.query_one("#keys", KeyFooter).set_keys(self.desk.hints())

    def say(self, note: str) -> None:
        """Put one short sentence at the right of the status line."""
        self.note = note
        self.refresh_frame()

    def on_mount(self) -> None:
        """Show all that there is."""
        if self._made:  # Textual calls it for each class, after the one that has called it in its own place
            return
        self._made = True
        self.show(Changes())
        self._recall_widgets()
        self.refresh_frame(hints=False)
        self._standing.set()

    async def stand(self) -> None:
        """Return once the screen takes keys; after `STAND_SECONDS` in any case."""
        if not self._standing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._standing.wait(), STAND_SECONDS)

    def on_descendant_focus(self) -> None:
        """Other keys work where something else has the focus."""
        self.refresh_hints()

    @on(events.ScreenResume)
    def _keep_styles(self, event: events.ScreenResume) -> None:
        """What has just been made has been styled a moment ago; Textual would do it again."""
        if self._is_new:
            event.refresh_styles = self._is_new = False

    def on_screen_resume(self) -> None:
        """Hints belong to the screen that has the keys; what happened while it was covered is shown now."""
        if self.ready:
            self._pay()
        self.refresh_frame()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An action that a screen does not have is not offered there."""
        return any(hasattr(self, f"{prefix}{action}") for prefix in ("action_", "_action_"))
