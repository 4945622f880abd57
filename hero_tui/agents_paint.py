"""When the screens paint agents: the first change at once, then seven times a second, however many come."""

from __future__ import annotations

from collections.abc import Callable

from hero_tui.hands import Hands
from hero_tui.pace import Pace
from hero_tui.store_agents import agents_between
from screens.fleet_view import Cell, FleetView

FIRST_SECONDS = 0.012
AGAIN_SECONDS = 0.14


class AgentsPaint:
    """Compares what `fleet` answers with what was painted last, and has `paint` paint the difference."""

    def __init__(
        self, fleet: Callable[[], FleetView], paint: Callable[[frozenset[Cell]], None], hands: Hands | None = None
    ):
        self._fleet = fleet
        self._paint = paint
        self._painted = FleetView()
        self._pace = Pace(self._paint_changed, FIRST_SECONDS, AGAIN_SECONDS, hands)

    def soon(self) -> None:
        """Some have changed."""
        self._pace.soon()

    def painted(self) -> None:
        """All that there is now is on the screen already."""
        self._painted = self._fleet()

    def flush(self) -> None:
        """Paint what has changed since the last time."""
        self._pace.now()

    def _paint_changed(self) -> None:
        before, self._painted = self._painted, self._fleet()
        if agents := agents_between(before, self._painted):
            self._paint(agents)
