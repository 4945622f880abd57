"""What the cockpit knows of the fleet, how new each part of it is, and what is at work on which cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from screens.fleet_view import Busy, Cell, FleetView, SlotView
from screens.widgets.cells import phase_of, share_of

if TYPE_CHECKING:
    from backends.model.state import Event, Operation

_BY_SERVICES = frozenset({"start", "stop", "restart"})


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is known, and of each part the `seq` of the event that told it: an older event changes nothing.

    `told` has by slot an entry a cell and one for its head (service ""), those of removed ones too; `agents_told`
    one an agent, by slot and id; `gone` one a removed slot. `floor` is the seq of the newest snapshot. `doubtful`
    are slots of which a box that has just started could tell nothing: what was known of them stays until they
    tell it again. `ended` are operations, `marks` cells that a call of this cockpit is about to change.
    """

    view: FleetView = field(default_factory=FleetView)
    floor: int = 0
    told: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    agents_told: Mapping[Cell, int] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    ended: tuple[str, ...] = ()
    doubtful: frozenset[str] = frozenset()
    marks: Mapping[Cell, str] = field(default_factory=dict)

    def told_of(self, user: str, service: str) -> int:
        """The newest event that told of this cell, or with "" of the slot's head; 0 for none."""
        of_slot = self.told.get(user)
        return of_slot.get(service, 0) if of_slot else 0


def with_slots(fleet: Fleet, changed: Mapping[str, SlotView]) -> Fleet:
    """These slots as they are now, and what runs on their cells; the others are left alone: there may be many."""
    if not changed:
        return fleet
    view = fleet.view
    busy = {cell: one for cell, one in view.busy.items() if cell[0] not in changed}
    busy |= {cell: Busy(word) for cell, word in fleet.marks.items() if cell[0] in changed}
    for user, slot in changed.items():
        busy |= _busy_cells(fleet, user, slot)
    seen = replace(view, slots={**view.slots, **changed}, busy=view.busy if busy == view.busy else busy)
    return replace(fleet, view=seen)


def with_busy(fleet: Fleet) -> Fleet:
    """What runs on each cell: what its slot tells, else what its cell says, else our own mark."""
    busy: dict[Cell, Busy] = {cell: Busy(word) for cell, word in fleet.marks.items()}
    for user, slot in fleet.view.slots.items():
        busy |= _busy_cells(fleet, user, slot)
    if busy == fleet.view.busy:
        return fleet
    return replace(fleet, view=replace(fleet.view, busy=busy))


def _busy_cells(fleet: Fleet, user: str, slot: SlotView) -> dict[Cell, Busy]:
    busy: dict[Cell, Busy] = {}
    for name, cell in slot.cells.items():
        told = cell.operation
        if told is not None and told.state == "running" and told.id not in fleet.ended:
            busy[user, name] = _busy(told)
    for operation in slot.operations.values():
        for name in services_of(operation, slot):
            busy[user, name] = _busy(operation)
    return busy


def services_of(operation: Operation, slot: SlotView) -> list[str]:
    """The cells that an operation works on; one on several services names them in its title."""
    if operation.service:
        return [operation.service] if operation.service in slot.cells else []
    if operation.kind not in _BY_SERVICES:
        return []
    named = [word for word in operation.title.split() if word in slot.cells]
    return named or [name for name, cell in slot.cells.items() if cell.enabled]


def _busy(operation: Operation) -> Busy:
    return Busy(phase_of(operation), share_of(operation))


def unheard(event: Event) -> SlotView:
    """A slot of which only a cell has been told so far."""
    from backends.model.state import SlotStatus

    return SlotView(SlotStatus(box=event.box, slot=event.slot, seen_at=event.time))
