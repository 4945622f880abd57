"""What the fleet grid tells its screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from screens.widgets.grid import FleetGrid
    from screens.widgets.grid_data import GridCell
    from screens.widgets.grid_layout import Density
    from screens.widgets.grid_order import Order


@dataclass
class CellMessage(Message):
    """Something about a cell; `cell` is None where nothing is bound."""

    grid: FleetGrid
    row_key: str
    column_key: str
    cell: GridCell | None

    @property
    def control(self) -> FleetGrid:
        """The grid that sent it."""
        return self.grid


class CellHighlighted(CellMessage):
    """The cursor moved, or the cell under it changed."""


class CellSelected(CellMessage):
    """Enter or a double click on a cell."""


@dataclass
class DensityChanged(Message):
    """Another density is shown now; `choice` is None while the width decides."""

    grid: FleetGrid
    density: Density
    choice: Density | None


@dataclass
class OrderChanged(Message):
    """Rows are sorted or grouped otherwise now."""

    grid: FleetGrid
    order: Order
