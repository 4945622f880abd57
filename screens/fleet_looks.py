"""How the fleet's cells look, asked for one at a time: there are many more than a screen shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from textual.content import Content

from screens.desk import Desk
from screens.fleet_view import Cell
from screens.widgets.cells import cell_state, grid_cell
from screens.widgets.grid_data import GridCell
from screens.widgets.grid_order import UNBOUND, Order


class FleetLooks:
    """What the grid is painted from, and what its tooltips tell; `marked` answers which cells bear the mark."""

    def __init__(self, desk: Desk, marked: Callable[[], Collection[Cell]]) -> None:
        self._desk = desk
        self._marked = marked

    def cell(self, user: str, service: str) -> GridCell | None:
        """See `GridSource`."""
        fleet, cell = self._desk.fleet, (user, service)
        status = fleet.cell(user, service)
        if status is None:
            return None
        busy = fleet.busy.get(cell)
        look = grid_cell(status, self._desk.now(), (busy.word, busy.share) if busy else None)
        return replace(look, marked=True) if cell in self._marked() else look

    def faults(self, user: str) -> int:
        """See `GridSource`."""
        slot = self._desk.fleet.slots.get(user)
        return len(slot.faulty) if slot else 0

    def states(self, users: Sequence[str], service: str) -> list[str]:
        """See `GridSource`."""
        slots = self._desk.fleet.slots
        return [cell_state(slots[user].cells.get(service)) if user in slots else UNBOUND for user in users]

    def tip(self, user: str, service: str, order: Order) -> Content | None:
        """Of a cell; of a slot where no service is named, of a service where no user is, else of the order."""
        from screens.widgets.cell_tip import cell_tip, order_tip, service_tip, slot_tip  # only the mouse needs it

        desk, fleet = self._desk, self._desk.fleet
        slot = fleet.slots.get(user)
        if not user and not service:
            return order_tip(order, desk.key("grid.sort"))
        if not user:
            return service_tip(service, next((one.repo for one in fleet.catalogue if one.name == service), ""))
        if slot is None or not service:
            return slot_tip(slot) if slot else None
        status, busy = fleet.cell(user, service), fleet.busy.get((user, service))
        return cell_tip(user, status, desk.now(), busy.word if busy else "") if status else None
