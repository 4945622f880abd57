"""The fleet as the cockpit knows it: frozen, replaced by snapshots and events whatever their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from hero_tui.store_agents import agent_told, agents_of, owned
from screens.desk import Busy, Cell, Changes, Connection, FleetView, SlotView
from screens.widgets.cells import phase_of, share_of

if TYPE_CHECKING:
    from backends.model.agents import Agent
    from backends.model.state import Event, FleetSnapshot, Operation, ServiceStatus, SlotStatus

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 500
"""Ended operations whose late progress is still known to be late."""
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


def with_snapshot(fleet: Fleet, snapshot: FleetSnapshot) -> Fleet:
    """The snapshot, and what events newer than it have told already."""
    seq = snapshot.seq
    newer = _newer(fleet.told, seq)
    agents_newer = {agent: told for agent, told in fleet.agents_told.items() if told > seq}
    gone = {user: told for user, told in fleet.gone.items() if told > seq}
    slots: dict[str, SlotView] = {}
    doubtful: set[str] = set()
    for status in snapshot.slots:
        known = fleet.view.slots.get(status.slot)
        if status.slot in gone:
            continue
        merged = _merged(status, known, newer.get(status.slot, {}), fleet.ended)
        agents = agents_of(status, known.agents if known else {}, agents_newer, keep=_is_untold(status))
        slots[status.slot] = replace(merged, agents=agents)
        if known and known.cells and _is_untold(status):
            doubtful.add(status.slot)
    slots |= {user: fleet.view.slots[user] for user in newer if user not in slots and user in fleet.view.slots}
    view = replace(
        fleet.view,
        box=snapshot.box,
        trunk=snapshot.trunk,
        known=True,
        catalogue=snapshot.catalogue,
        slots=slots,
        problems=snapshot.problems,
    )
    return _with_busy(
        replace(
            fleet,
            view=view,
            floor=max(seq, fleet.floor),
            told=newer,
            agents_told=agents_newer,
            gone=gone,
            doubtful=frozenset(doubtful),
        )
    )


def with_look(fleet: Fleet, look: FleetSnapshot) -> Fleet:
    """What is shown until the first snapshot, which takes the place of all of it."""
    slots = {}
    for status in look.slots:
        cells = {one.service: one for one in status.services}
        running = {one.id: one for one in status.operations if one.state == "running"}
        slots[status.slot] = SlotView(_head(status), cells, running, agents_of(status, {}, {}, keep=False))
    view = replace(fleet.view, box=look.box, trunk=look.trunk, known=True, catalogue=look.catalogue, slots=slots)
    return _with_busy(replace(fleet, view=replace(view, problems=look.problems)))


def _newer(told: Mapping[str, Mapping[str, int]], seq: int) -> dict[str, Mapping[str, int]]:
    """What was told after `seq`."""
    found = {user: {name: one for name, one in of_slot.items() if one > seq} for user, of_slot in told.items()}
    return {user: of_slot for user, of_slot in found.items() if of_slot}


def _is_untold(status: SlotStatus) -> bool:
    """True where the box itself has heard nothing from the slot yet."""
    return status.stale and not status.services


def _merged(
    status: SlotStatus, known: SlotView | None, newer: Mapping[str, int], ended: tuple[str, ...]
) -> SlotView:
    from backends.model.kept import compact

    head = _head(status) if known is None or "" not in newer else known.head
    cells = {one.service: compact(one) for one in status.services if one.service not in newer}
    if known is not None:
        kept = known.cells.items()
        cells |= {name: cell for name, cell in kept if name in newer or _is_untold(status)}
    running = {one.id: one for one in status.operations if one.state == "running" and one.id not in ended}
    return SlotView(head, cells, running)


def with_event(fleet: Fleet, event: Event) -> Fleet:
    """The fleet after `event`; the same object where it tells nothing new or what cannot be read."""
    if event.seq and event.seq <= fleet.floor:
        return fleet
    from pydantic import ValidationError

    from backends.model.agents import Agent
    from backends.model.state import Operation, ServiceStatus, SlotStatus

    try:
        match event.kind:
            case "service.changed":
                return _with_cell(fleet, event, ServiceStatus.model_validate(event.data))
            case "service.removed":
                return _with_cell(fleet, event, None)
            case "slot.changed" | "slot.online" | "slot.offline":
                return _with_head(fleet, event, SlotStatus.model_validate(event.data))
            case "slot.removed":
                return _without_slot(fleet, event)
            case "agent.changed":
                return _with_agent(fleet, event, Agent.model_validate(event.data))
            case "agent.removed":
                return _with_agent(fleet, event, None)
            case "operation.changed":
                return _with_operation(fleet, event, Operation.model_validate(event.data))
    except ValidationError:
        return fleet
    return fleet


def with_connection(fleet: Fleet, state: Connection, why: str) -> Fleet:
    """What the line to the box does. Without a line nobody tells how operations go on: they are let go."""
    view = replace(fleet.view, connection=state, why=why)
    if state == "reconnecting":
        slots = {user: replace(slot, operations={}) for user, slot in view.slots.items()}
        view = replace(view, slots=slots)
        return _with_busy(replace(fleet, view=view, marks={}))
    return replace(fleet, view=view)


def with_mark(fleet: Fleet, cells: Mapping[Cell, str]) -> Fleet:
    """Cells shown busy before their slot has answered."""
    return _with_busy(replace(fleet, marks={**fleet.marks, **cells}))


def without_mark(fleet: Fleet, cells: Mapping[Cell, str]) -> Fleet:
    """Those cells as their slot tells them."""
    return _with_busy(replace(fleet, marks={key: v for key, v in fleet.marks.items() if key not in cells}))


def changes_between(before: FleetView, after: FleetView) -> Changes:
    """What a screen that shows `before` must repaint."""
    shape = before.catalogue != after.catalogue or before.known != after.known or before.box != after.box
    cells: set[Cell] = set()
    if before.busy is not after.busy:
        both = {**before.busy, **after.busy}
        cells = {cell for cell in both if before.busy.get(cell) != after.busy.get(cell)}
    for user in _differing(before.slots, after.slots):
        old, new = before.slots.get(user), after.slots.get(user)
        if old is None or new is None:
            shape = True
            continue
        shape = shape or old.head != new.head
        before_it = old.cells
        cells |= {(user, name) for name, cell in new.cells.items() if before_it.get(name) is not cell}
        cells |= {(user, name) for name in before_it.keys() - new.cells.keys()}
    connection = (before.connection, before.why) != (after.connection, after.why)
    return Changes(shape=shape, cells=frozenset(cells), connection=connection)


def _differing(before: Mapping[str, SlotView], after: Mapping[str, SlotView]) -> list[str]:
    """Users whose slot is another object, came or went."""
    if before is after:
        return []
    changed = [user for user, slot in after.items() if before.get(user) is not slot]
    return changed + [user for user in before if user not in after]


def _with_cell(fleet: Fleet, event: Event, status: ServiceStatus | None) -> Fleet:
    from backends.model.kept import compact

    service = status.service if status else event.subject
    if event.seq < max(fleet.told_of(event.slot, service), fleet.gone.get(event.slot, 0)):
        return fleet
    slot = fleet.view.slots.get(event.slot) or unheard(event)
    kept = compact(status) if status else None
    told = _told(fleet, event, service)
    if slot.cells.get(service) == kept:
        return replace(fleet, told=told)
    cells = {**slot.cells, service: kept} if kept else _without(slot.cells, service)
    return _with_slot(fleet, SlotView(slot.head, cells, slot.operations, slot.agents), told)


def _told(fleet: Fleet, event: Event, service: str) -> Mapping[str, Mapping[str, int]]:
    """What has been told, this event too."""
    return {**fleet.told, event.slot: {**fleet.told.get(event.slot, {}), service: event.seq}}


def _with_agent(fleet: Fleet, event: Event, agent: Agent | None) -> Fleet:
    """The agent of the event's subject as it is now, or none; another slot's name in it counts for nothing."""
    if agent is not None and not owned(agent, event):
        return fleet
    told = agent_told(fleet.agents_told, event, fleet.gone.get(event.slot, 0))
    if told is None:
        return fleet
    slot = fleet.view.slots.get(event.slot) or unheard(event)
    agents = _without(slot.agents, event.subject) if agent is None else {**slot.agents, agent.id: agent}
    slots = {**fleet.view.slots, event.slot: replace(slot, agents=agents)}
    return replace(fleet, agents_told=told, view=replace(fleet.view, slots=slots))


def _with_head(fleet: Fleet, event: Event, head: SlotStatus) -> Fleet:
    user = event.slot
    if event.seq < max(fleet.told_of(user, ""), fleet.gone.get(user, 0)):
        return fleet
    slot = fleet.view.slots.get(user) or SlotView(head)
    operations = slot.operations if head.online else {}
    cells, agents = slot.cells, slot.agents
    if head.online and user in fleet.doubtful:
        cells = {name: one for name, one in cells.items() if fleet.told_of(user, name) > fleet.floor}
        heard = fleet.agents_told
        agents = {id: one for id, one in agents.items() if heard.get((user, id), 0) > fleet.floor}
        fleet = replace(fleet, doubtful=fleet.doubtful - {user})
    return _with_slot(fleet, SlotView(_head(head), cells, operations, agents), _told(fleet, event, ""))


def _without_slot(fleet: Fleet, event: Event) -> Fleet:
    """Gone, but for what newer events have told of it."""
    user = event.slot
    if event.seq < fleet.gone.get(user, 0):
        return fleet
    fleet = replace(fleet, gone={**fleet.gone, user: event.seq})
    slot = fleet.view.slots.get(user)
    if slot is None:
        return fleet
    newer = {name: one for name, one in slot.cells.items() if fleet.told_of(user, name) > event.seq}
    if fleet.told_of(user, "") > event.seq:
        return _with_slot(fleet, replace(slot, cells=newer))
    if newer:
        return _with_slot(fleet, SlotView(unheard(event).head, newer))
    slots = _without(fleet.view.slots, user)
    return _with_busy(replace(fleet, view=replace(fleet.view, slots=slots)))


def _with_operation(fleet: Fleet, event: Event, operation: Operation) -> Fleet:
    slot = fleet.view.slots.get(event.slot)
    if slot is None or operation.id in fleet.ended:
        return fleet
    if operation.state == "running":
        running = {**slot.operations, operation.id: operation}
    else:
        fleet = replace(fleet, ended=(*fleet.ended, operation.id)[-_REMEMBERED:])
        running = _without(slot.operations, operation.id)
    return _with_slot(fleet, replace(slot, operations=running))


def _with_slot(fleet: Fleet, slot: SlotView, told: Mapping[str, Mapping[str, int]] | None = None) -> Fleet:
    return with_slots(fleet if told is None else replace(fleet, told=told), {slot.head.slot: slot})


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


def _with_busy(fleet: Fleet) -> Fleet:
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


def _head(status: SlotStatus) -> SlotStatus:
    return status.model_copy(update={"services": (), "operations": (), "agents": ()})


def unheard(event: Event) -> SlotView:
    """A slot of which only a cell has been told so far."""
    from backends.model.state import SlotStatus

    return SlotView(SlotStatus(box=event.box, slot=event.slot, seen_at=event.time))


def _without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    return {name: value for name, value in mapping.items() if name != key}
