"""A button that does an action of the table; what the table says of it is told where the mouse rests."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from textual.content import Content
from textual.widgets import Button


@runtime_checkable
class Helper(Protocol):
    """An app that knows the table of actions."""

    def help_of(self, action: str) -> str:
        """What the action does, and its keys."""


class ActionButton(Button):
    """`does` is the action's id."""

    def __init__(
        self, label: str, does: str, *, id: str | None = None, classes: str = "", disabled: bool = False
    ) -> None:
        super().__init__(label, id=id, classes=classes, disabled=disabled)
        self._does = does

    def on_mount(self) -> None:
        """The table is the app's."""
        if isinstance(self.app, Helper):
            self.tooltip = Content(self.app.help_of(self._does))

    def spot_at(self, x: int, y: int) -> str:
        """All of it is one thing."""
        return self._does
