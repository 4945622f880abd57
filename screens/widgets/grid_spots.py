"""What lies where in the fleet grid: for clicks, for tooltips, for the letters of jump mode; pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from textual.geometry import Offset

from screens.widgets.grid_canvas import Canvas, Viewport
from screens.widgets.grid_data import GridView
from screens.widgets.grid_layout import Geometry


@dataclass(frozen=True, slots=True)
class Spot:
    """Row and column by their places; no row over the header, no column over the labels, neither in the corner."""

    row: int | None
    column: int | None


def spot_in(geometry: Geometry, view: GridView, scroll: Offset, x: int, y: int) -> Spot | None:
    """What lies there; None on the rule, and beside the cells."""
    hit = geometry.row_at(y, scroll.y)
    row = hit[0] if hit else None
    column = None if x < geometry.left else (x - geometry.left + scroll.x) // geometry.pitch
    beside = (row or 0) >= len(view.rows) or (column or 0) >= len(view.columns)
    return None if beside or (hit is None and y >= geometry.header) else Spot(row, column)


def keys_of(view: GridView, spot: Spot | None) -> tuple[str, str] | None:
    """The keys of its row and column, each empty where it has none."""
    if spot is None:
        return None
    row = "" if spot.row is None else view.rows[spot.row].key
    return row, "" if spot.column is None else view.columns[spot.column].key


def cells_in_sight(canvas: Canvas, port: Viewport, view: GridView) -> list[tuple[int, int]]:
    """The cells that are seen, each at its first terminal cell after the margin."""
    rows = canvas.geometry.rows_in_sight(port.size.height, port.scroll.y, len(view.rows))
    boxes = (canvas.cell_box(port, *place) for place in itertools.product(rows, range(len(view.columns))))
    return [(box.x + (box.width > 1), box.y) for box in boxes if box]
