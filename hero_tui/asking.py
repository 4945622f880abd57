"""The one place that asks before an action: how strictly, its radius in the table of actions says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hero_tui.key import Radius
from screens.question import Question

if TYPE_CHECKING:
    from hero_tui.app import HeroApp

_FURTHER: dict[Radius, Radius] = {"low": "medium", "medium": "high", "high": "high", "policy": "policy"}
"""An action in somebody else's slot reaches one step further than in one's own."""


class Asking:
    """Asks the person at one app."""

    def __init__(self, app: HeroApp):
        self._app = app

    def radius(self, action: str, user: str = "") -> Radius:
        """How far an action of the table reaches, in the slot of `user` where it is done in one."""
        radius = self._app.preferences.by_id[action].radius
        return _FURTHER[radius] if user and user != self._app.desk.me else radius

    def confirm(self, action: str, question: Question, do: Callable[[], None], user: str = "") -> None:
        """Do it: at once, after a yes on a dialog that stands on Cancel, or after the name was typed."""
        radius = self.radius(action, user)
        if radius == "low":
            do()
            return
        from screens.widgets.confirm import Confirm

        dialog = Confirm(
            question.title,
            question.lines,
            action=question.button,
            typed=question.name if radius == "high" else "",
        )
        self._app.push_screen(dialog, lambda agreed: do() if agreed else None)
