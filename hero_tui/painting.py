"""Which screens paint a change: the one that is shown at once, others once they are uncovered; and the title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.model.text import safe_line
from screens import textual_gate
from screens.fleet_view import Cell, Changes
from screens.frame import HeroScreen

if TYPE_CHECKING:
    from hero_tui.app import HeroApp


class Painting:
    """Has the screens of one app painted."""

    def __init__(self, app: HeroApp):
        self._app = app
        self._titled = ""

    @property
    def places(self) -> list[HeroScreen]:
        """The places that are there, the one that is shown last; dialogs may lie on it."""
        stack = self._app.screen_stack if self._app.is_running else ()
        return [screen for screen in stack if isinstance(screen, HeroScreen)]

    def paint(self, changes: Changes) -> None:
        """Have the place that is shown paint `changes`, and the others once they are uncovered."""
        target = self._app.target if self._app.is_running else None
        here = (target.user, target.service) if target else None
        # Which keys do something hangs on the cell under the cursor: of all that changes, that is asked often.
        hints = not changes.cells or changes.shape or changes.connection or here in changes.cells
        places = self.places
        for covered in places[:-1]:
            covered.owe(changes)
        for shown in places[-1:]:
            if shown.ready and (changes.shape or changes.cells or changes.connection):
                shown.show(changes)
            shown.refresh_frame(hints=hints)
        self._tell_title()

    def paint_agents(self, agents: frozenset[Cell]) -> None:
        """Have the place that is shown paint these agents, and the others once they are uncovered."""
        places = self.places
        for covered in places[:-1]:
            covered.owe(agents=agents)
        for shown in places[-1:]:
            if shown.ready:
                shown.show_agents(agents)

    def tick(self) -> None:
        """A second has passed: ages may have changed."""
        for screen in self.places:
            if screen.ready and screen.is_active:
                screen.tick()

    def _tell_title(self) -> None:
        """The window says what waits, for whoever looks at another one."""
        desk = self._app.desk
        waits = f"({desk.waiting} wait{'s' * (desk.waiting == 1)}) " if desk.waiting else ""
        title = safe_line(f"{waits}hero {desk.fleet.box or self._app.box_name}", 80)
        if title != self._titled:
            self._titled = title
            textual_gate.tell_title(self._app, title)
