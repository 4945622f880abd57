"""The fleet as the cockpit knows it: frozen, replaced by snapshots and events whatever their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError

from backends.model.agents import Agent
from backends.model.state import Event, FleetSnapshot, Operation, ServiceStatus, SlotStatus
from hero_tui.store_agents import agent_told, agents_of, owned
from screens.desk import Busy, Cell, Changes, Connection, FleetView, SlotView
from screens.widgets.cells import phase_of, share_of

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 500
"""Ended operations whose late progress is still known to be late."""
_BY_SERVICES = frozenset({"start", "stop", "restart"})


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is known, and of each part the `seq` of the event that told it: an older event changes nothing.

    `told` has an entry a cell and a slot's head (service ""), those of removed ones too; `agents_told` one an
    agent, by slot and id; `gone` one a removed slot. `floor` is the seq of the newest snapshot. `doubtful` are
    slots of which a box that has just started could tell nothing: what was known of them stays until they tell it
    again. `ended` are operations, `marks` cells that a call of this cockpit is about to change.
    """

    view: FleetView = field(default_factory=FleetView)
    floor: int = 0
    told: Mapping[Cell, int] = field(default_factory=dict)
    agents_told: Mapping[Cell, int] = field(default_factory=dict)
    gone: Mapping[str, int] = field(default_factory=dict)
    ended: tuple[str, ...] = ()
    doubtful: frozenset[str] = frozenset()
    marks: Mapping[Cell, str] = field(default_factory=dict)


def with_snapshot(fleet: Fleet, snapshot: FleetSnapshot) -> Fleet:
    """The snapshot, and what events newer than it have told already."""
    seq = snapshot.seq
    newer = {cell: told for cell, told in fleet.told.items() if told > seq}
    agents_newer = {agent: told for agent, told in fleet.agents_told.items() if told > seq}
    gone = {user: told for user, told in fleet.gone.items() if told > seq}
    slots: dict[str, SlotView] = {}
    doubtful: set[str] = set()
    for status in snapshot.slots:
        known = fleet.view.slots.get(status.slot)
        if status.slot in gone:
            continue
        merged = _merged(status, known, newer, fleet.ended)
        agents = agents_of(status, known.agents if known else {}, agents_newer, keep=_is_untold(status))
        slots[status.slot] = replace(merged, agents=agents)
        if known and known.cells and _is_untold(status):
            doubtful.add(status.slot)
    for user, _ in (cell for cell in newer if cell[0] not in slots):
        if user in fleet.view.slots:
            slots[user] = fleet.view.slots[user]
    view = replace(
        fleet.view,
        box=snapshot.box,
        trunk=snapshot.trunk,
        known=True,
        catalogue=snapshot.catalogue,
        slots=MappingProxyType(slots),
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


def _is_untold(status: SlotStatus) -> bool:
    """True where the box itself has heard nothing from the slot yet."""
    return status.stale and not status.services


def _merged(
    status: SlotStatus, known: SlotView | None, newer: Mapping[Cell, int], ended: tuple[str, ...]
) -> SlotView:
    user = status.slot
    head = _head(status) if known is None or (user, "") not in newer else known.head
    cells = {one.service: one for one in status.services if (user, one.service) not in newer}
    if known is not None:
        kept = known.cells.items()
        cells |= {name: cell for name, cell in kept if (user, name) in newer or _is_untold(status)}
    running = {one.id: one for one in status.operations if one.state == "running" and one.id not in ended}
    return SlotView(head, MappingProxyType(cells), MappingProxyType(running))


def with_event(fleet: Fleet, event: Event) -> Fleet:
    """The fleet after `event`; the same object where it tells nothing new or what cannot be read."""
    if event.seq and event.seq <= fleet.floor:
        return fleet
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
        view = replace(view, slots=MappingProxyType(slots))
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
    cells: set[Cell] = {
        cell for cell in {**before.busy, **after.busy} if before.busy.get(cell) != after.busy.get(cell)
    }
    for user in {**before.slots, **after.slots}:
        old, new = before.slots.get(user), after.slots.get(user)
        if old is new:
            continue
        if old is None or new is None:
            shape = True
            continue
        shape = shape or old.head != new.head
        names = {**old.cells, **new.cells}
        cells |= {(user, name) for name in names if old.cells.get(name) is not new.cells.get(name)}
    connection = (before.connection, before.why) != (after.connection, after.why)
    return Changes(shape=shape, cells=frozenset(cells), connection=connection)


def _with_cell(fleet: Fleet, event: Event, status: ServiceStatus | None) -> Fleet:
    service = status.service if status else event.subject
    key = (event.slot, service)
    if event.seq < max(fleet.told.get(key, 0), fleet.gone.get(event.slot, 0)):
        return fleet
    slot = fleet.view.slots.get(event.slot) or _unheard(event)
    told = {**fleet.told, key: event.seq}
    if slot.cells.get(service) == status:
        return replace(fleet, told=told)
    cells = {**slot.cells, service: status} if status else _without(slot.cells, service)
    return _with_slot(replace(fleet, told=told), replace(slot, cells=MappingProxyType(cells)))


def _with_agent(fleet: Fleet, event: Event, agent: Agent | None) -> Fleet:
    """The agent of the event's subject as it is now, or none; another slot's name in it counts for nothing."""
    if agent is not None and not owned(agent, event):
        return fleet
    told = agent_told(fleet.agents_told, event, fleet.gone.get(event.slot, 0))
    if told is None:
        return fleet
    slot = fleet.view.slots.get(event.slot) or _unheard(event)
    agents = _without(slot.agents, event.subject) if agent is None else {**slot.agents, agent.id: agent}
    slots = {**fleet.view.slots, event.slot: replace(slot, agents=MappingProxyType(agents))}
    return replace(fleet, agents_told=told, view=replace(fleet.view, slots=MappingProxyType(slots)))


def _with_head(fleet: Fleet, event: Event, head: SlotStatus) -> Fleet:
    key = (event.slot, "")
    if event.seq < max(fleet.told.get(key, 0), fleet.gone.get(event.slot, 0)):
        return fleet
    slot = fleet.view.slots.get(event.slot) or SlotView(head)
    operations = slot.operations if head.online else {}
    cells, agents = slot.cells, slot.agents
    if head.online and event.slot in fleet.doubtful:
        cells = {name: one for name, one in cells.items() if fleet.told.get((event.slot, name), 0) > fleet.floor}
        heard = fleet.agents_told
        agents = {id: one for id, one in agents.items() if heard.get((event.slot, id), 0) > fleet.floor}
        fleet = replace(fleet, doubtful=fleet.doubtful - {event.slot})
    told = {**fleet.told, key: event.seq}
    new = SlotView(_head(head), MappingProxyType(dict(cells)), operations, agents)
    return _with_slot(replace(fleet, told=told), new)


def _without_slot(fleet: Fleet, event: Event) -> Fleet:
    """Gone, but for what newer events have told of it."""
    user = event.slot
    if event.seq < fleet.gone.get(user, 0):
        return fleet
    fleet = replace(fleet, gone={**fleet.gone, user: event.seq})
    slot = fleet.view.slots.get(user)
    if slot is None:
        return fleet
    newer = {name: one for name, one in slot.cells.items() if fleet.told.get((user, name), 0) > event.seq}
    if fleet.told.get((user, ""), 0) > event.seq:
        return _with_slot(fleet, replace(slot, cells=MappingProxyType(newer)))
    if newer:
        return _with_slot(fleet, SlotView(_unheard(event).head, MappingProxyType(newer)))
    slots = MappingProxyType(_without(fleet.view.slots, user))
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
    return _with_slot(fleet, replace(slot, operations=MappingProxyType(running)))


def _with_slot(fleet: Fleet, slot: SlotView) -> Fleet:
    slots = MappingProxyType({**fleet.view.slots, slot.head.slot: slot})
    return _with_busy(replace(fleet, view=replace(fleet.view, slots=slots)))


def _with_busy(fleet: Fleet) -> Fleet:
    """What runs on each cell: what its slot tells, else what its cell says, else our own mark."""
    busy: dict[Cell, Busy] = {cell: Busy(word) for cell, word in fleet.marks.items()}
    for user, slot in fleet.view.slots.items():
        for name, cell in slot.cells.items():
            told = cell.operation
            if told is not None and told.state == "running" and told.id not in fleet.ended:
                busy[user, name] = _busy(told)
        for operation in slot.operations.values():
            for name in services_of(operation, slot):
                busy[user, name] = _busy(operation)
    if busy == fleet.view.busy:
        return fleet
    return replace(fleet, view=replace(fleet.view, busy=MappingProxyType(busy)))


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


def _unheard(event: Event) -> SlotView:
    """A slot of which only a cell has been told so far."""
    return SlotView(SlotStatus(box=event.box, slot=event.slot, seen_at=event.time))


def _without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    return {name: value for name, value in mapping.items() if name != key}
