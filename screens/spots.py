"""Where the mouse is, by what lies there: a move that leads to nothing else is not worth a look at the screen."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Protocol, runtime_checkable

from textual import events
from textual.errors import NoWidget
from textual.screen import Screen
from textual.widgets import Tooltip


@runtime_checkable
class Spotted(Protocol):
    """A widget that paints several things, of which each has a tooltip of its own."""

    def spot_at(self, x: int, y: int) -> Hashable:
        """What lies in that cell of the widget; None: nothing of its own."""


class Pointer:
    """Follows the mouse of one app.

    Textual takes a tooltip down at each move, and has another one wait for the move after that. Within one spot it
    would flash, and paint, for nothing.
    """

    def __init__(self) -> None:
        self._spot: Hashable = None

    def rests(self, screen: Screen[object], event: events.MouseMove) -> bool:
        """Whether the mouse moved within what it was on, so nobody need hear of it; never with a button held."""
        if event.is_forwarded:
            return False
        before, self._spot = self._spot, None if event.button else _spot_of(screen, event.x, event.y)
        if self._spot is not None and self._spot == before:
            return True
        for child in screen.children:
            if isinstance(child, Tooltip):
                child.display = False  # so that the one of the new spot waits from now on
        return False


def _spot_of(screen: Screen[object], x: int, y: int) -> Hashable:
    try:
        widget, region = screen.get_widget_at(x, y)
    except NoWidget:
        return None
    if not isinstance(widget, Spotted) or (spot := widget.spot_at(x - region.x, y - region.y)) is None:
        return None
    return id(screen), id(widget), spot
