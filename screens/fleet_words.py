"""What the fleet screen says in sentences: how its rows are chosen, why there is no grid; pure."""

from __future__ import annotations

from collections.abc import Callable

from screens.fleet_view import FleetView
from screens.widgets.grid_data import Filters
from screens.widgets.grid_order import SORTS, Order
from screens.widgets.list_order import order_notes
from screens.widgets.no_answer import no_box

Key = Callable[[str], str]
"""From an action's id to its key, as a person reads it."""


def notes(filters: Filters, order: Order, marked: int) -> str:
    """What is left out, in which order the rest is, and how many are marked."""
    told = [filters.says] if filters.any else []
    told += order_notes(SORTS, order.sort)
    told += [f"grouped by {order.group}"] if order.group != "none" else []
    return " · ".join([*told, *([f"{marked} marked"] if marked else [])])


def empty_sentence(fleet: FleetView, filters: Filters, key: Key, *, shown: bool) -> str:
    """Why there is no grid to look at and what to do; "" where one is `shown`."""
    if not fleet.known:
        return no_box(fleet.why)
    if not fleet.slots:
        return (
            "This box has no slots yet.\n\n"
            f"A file users/NAME.toml in the team repo makes one; {key('app.team')} shows the team.\n"
            "`hero_tui demo` makes another box, with four of them."
        )
    if not fleet.catalogue and not any(slot.cells for slot in fleet.slots.values()):
        return "The catalogue names no services yet.\n\nA [[service]] in services.toml of the team repo adds one."
    return "" if shown else _nothing_left(filters, key)


def _nothing_left(filters: Filters, key: Key) -> str:
    if filters == Filters(only_faults=True):
        return f"Nothing is broken.\n\n{key('cell.faults')} shows everybody again."
    if filters == Filters(only_waiting=True):
        return f"Nothing waits for a person.\n\n{key('fleet.waiting')} shows everybody again."
    if filters == Filters(text=filters.text):
        return f"Nothing matches /{filters.text}\n\n{key('app.back')} clears the filter."
    return f"Nothing is left of: {filters.says}\n\n{key('app.back')} clears one filter after the other."
