"""Where the fleet grid's cursor stands: on its cell while rows and columns come and go, else beside it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.geometry import Offset, Size

from screens.widgets.grid_data import GridView
from screens.widgets.grid_layout import Geometry

Keys = tuple[str, str]
"""Of a row and a column."""


class Cursor:
    """Stands on one cell of a view. Where that shows nothing it is nowhere, and later where it was."""

    def __init__(self) -> None:
        self.keys: Keys | None = None
        """The cell; None while nothing is shown."""
        self._last: Keys = ("", "")
        self._view = GridView()

    def put(self, keys: Keys) -> None:
        """Onto a cell of the view that it stands in."""
        self.keys = self._last = keys

    def place(self) -> tuple[int, int]:
        """Row and column by their places in that view; the first ones while it is nowhere."""
        if self.keys is None:
            return 0, 0
        return self._view.row_at[self.keys[0]], self._view.column_at[self.keys[1]]

    def keep(self, view: GridView) -> bool:
        """Stand in another view; True if it is on another cell there."""
        if not view.rows or not view.columns:
            self.keys = None
            return False
        row = _row_in(view, self._last[0], self._view)
        column = _kept(self._last[1], (one.key for one in self._view.columns), view.column_at)
        keys = (row or view.rows[0].key, column or view.columns[0].key)
        moved, self._view = keys != self.keys, view
        self.put(keys)
        return moved


def _row_in(view: GridView, key: str, before: GridView) -> str:
    """The row itself, the head that hides it, of a head that is no more its first row, or a neighbour."""
    if key in view.row_at:
        return key
    if view.heads.get(key) in view.row_at:
        return view.heads[key]
    members = (row for row, head in before.heads.items() if head == key and row in view.row_at)
    return next(members, "") or _kept(key, (row.key for row in before.rows), view.row_at)


def _kept(key: str, before: Iterable[str], present: Mapping[str, int]) -> str:
    """`key` if it is present; else what followed it before, else what went before it; "" for none of them."""
    if key in present:
        return key
    passed, last = False, ""
    for other in before:
        passed |= other == key
        if other in present:
            last = other
            if passed:
                break
    return last


def in_sight(geometry: Geometry, room: Size, scroll: Offset, row: int, column: int) -> Offset:
    """Where to scroll to so that this cell is seen; `scroll` itself if it is. `room` is what the grid has."""
    x, y = column * geometry.pitch, (row - geometry.frozen) * geometry.row_height
    left, top = scroll
    if row >= geometry.frozen:
        top = max(y + geometry.row_height - (room.height - geometry.top), min(top, y))
    left = max(x + geometry.pitch - (room.width - geometry.left), min(left, x))
    return scroll if (left, top) == scroll else Offset(max(0, left), max(0, top))
