"""What every screen of the cockpit has: status line, body, operations, key hints; repainted from changes alone."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from screens.desk import Cell, Changes, Desk, Target
from screens.widgets.doings import DoingStack
from screens.widgets.keyfooter import KeyFooter
from screens.widgets.statusbar import StatusBar


class HeroScreen(Screen[None]):
    """A place of the cockpit. A screen adds `body`, and `show` for what it paints of the fleet."""

    PLACE = ""
    ACTS = False
    """Whether the keys that act on a service work here."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.note = ""
        self.ready = False
        """True once its widgets are there."""

    def compose(self) -> ComposeResult:
        """The frame around the body."""
        yield StatusBar(id="status")
        yield from self.body()
        yield DoingStack(self.desk.key("cell.cancel"), id="doings")
        yield KeyFooter(id="keys")

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

    def tick(self) -> None:
        """A second has passed: ages may have changed."""

    def again(self) -> None:
        """Ask anew for what the screen shows besides the fleet."""

    def clear(self) -> bool:
        """Take back one thing that Esc should take back before it leaves the screen; False if there is none."""
        return False

    def refresh_frame(self) -> None:
        """Status line, operations and key hints as they are now."""
        if self.ready:
            self.query_one("#status", StatusBar).show(self.desk.status(self.place, self.note))
            self.query_one("#doings", DoingStack).show(self.desk.doings)
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
        self.ready = True
        self.show(Changes())
        self.refresh_frame()

    def on_descendant_focus(self) -> None:
        """Other keys work where something else has the focus."""
        self.refresh_hints()

    def on_screen_resume(self) -> None:
        """Hints belong to the screen that has the keys."""
        self.refresh_frame()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """An action that a screen does not have is not offered there."""
        return any(hasattr(self, f"{prefix}{action}") for prefix in ("action_", "_action_"))
