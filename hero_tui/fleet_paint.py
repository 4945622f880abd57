"""When the screens paint the fleet: a first change at once, then now and then; never so much that a key waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import islice

from hero_tui.hands import Hands
from hero_tui.pace import Pace
from hero_tui.store import changes_between
from screens.fleet_view import Cell, Changes, FleetView

FIRST_SECONDS = 0.012
"""How long changes are gathered before they are painted; a burst becomes one paint."""
AGAIN_SECONDS = 0.14
"""How far apart paints are while changes keep coming."""
BUSY_SECONDS = 0.003
"""How long one paint may keep the loop; what is left over is painted with the next one."""
_LEAST = 16
_EVERYTHING = 1_000_000_000


class FleetPaint:
    """Compares what `fleet` answers with what was painted last, and has `paint` paint the difference."""

    def __init__(
        self, fleet: Callable[[], FleetView], paint: Callable[[Changes], None], hands: Hands | None = None
    ):
        self._fleet = fleet
        self._paint = paint
        self._seen = FleetView()
        self._owed: dict[Cell, None] = {}
        self._most = 64
        self._pace = Pace(self._paint_some, FIRST_SECONDS, AGAIN_SECONDS, hands)

    def soon(self) -> None:
        """Something has changed."""
        self._pace.soon()

    def painted(self) -> None:
        """All that there is now is on the screen already."""
        self._seen = self._fleet()

    def flush(self) -> None:
        """Paint all that has changed since the last time."""
        most, self._most = self._most, _EVERYTHING
        self._pace.now()
        self._most = most

    def _paint_some(self) -> None:
        before, self._seen = self._seen, self._fleet()
        changes = changes_between(before, self._seen)
        self._owed |= dict.fromkeys(changes.cells)
        cells = self._take(self._owed if not changes.shape else ())
        began = time.perf_counter()
        self._paint(Changes(shape=changes.shape, cells=cells, connection=changes.connection))
        if len(cells) >= _LEAST:
            spent = max(1e-6, time.perf_counter() - began)
            self._most = max(_LEAST, min(4096, round(len(cells) * BUSY_SECONDS / spent)))
        if changes.shape:
            self._owed.clear()
        elif self._owed:
            self._pace.soon()

    def _take(self, owed: Iterable[Cell]) -> frozenset[Cell]:
        """Those that have been owed for longest."""
        cells = frozenset(islice(owed, self._most))
        for cell in cells:
            del self._owed[cell]
        return cells
