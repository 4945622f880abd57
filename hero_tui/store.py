"""The fleet as the cockpit knows it: frozen, replaced by snapshots and events whatever their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hero_tui.store_agents import agents_of
from hero_tui.store_batch import TOGETHER, with_batch
from hero_tui.store_fleet import Fleet as Fleet
from hero_tui.store_fleet import services_of as services_of
from hero_tui.store_fleet import unheard, with_busy, with_slots
from screens.fleet_view import Cell, Changes, Connection, FleetView, SlotView

if TYPE_CHECKING:
    from backends.model.state import Event, FleetSnapshot, Operation, SlotStatus

K = TypeVar("K")
V = TypeVar("V")

_REMEMBERED = 500
"""Ended operations whose late progress is still known to be late."""


def with_snapshot(fleet: Fleet, snapshot: FleetSnapshot) -> Fleet:
    """The snapshot, and what events newer than it have told already."""
    seq = snapshot.seq
    if seq < fleet.floor and fleet.view.connection != "online":
        # The box counts anew, as one does that was restored: no event of before can come any more.
        fleet = replace(fleet, floor=0, told={}, agents_told={}, gone={}, ended=())
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
    return with_busy(
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
    return with_busy(replace(fleet, view=replace(view, problems=look.problems)))


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
    if event.kind in TOGETHER:
        return with_batch(fleet, (event,))
    if event.seq and event.seq <= fleet.floor:
        return fleet
    from pydantic import ValidationError

    from backends.model.state import Operation, SlotStatus

    try:
        match event.kind:
            case "slot.changed" | "slot.online" | "slot.offline":
                return _with_head(fleet, event, SlotStatus.model_validate(event.data))
            case "slot.removed":
                return _without_slot(fleet, event)
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
        return with_busy(replace(fleet, view=view, marks={}))
    return replace(fleet, view=view)


def with_mark(fleet: Fleet, cells: Mapping[Cell, str]) -> Fleet:
    """Cells shown busy before their slot has answered."""
    return with_busy(replace(fleet, marks={**fleet.marks, **cells}))


def without_mark(fleet: Fleet, cells: Mapping[Cell, str]) -> Fleet:
    """Those cells as their slot tells them."""
    return with_busy(replace(fleet, marks={key: v for key, v in fleet.marks.items() if key not in cells}))


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


def _told(fleet: Fleet, event: Event, service: str) -> Mapping[str, Mapping[str, int]]:
    """What has been told, this event too."""
    return {**fleet.told, event.slot: {**fleet.told.get(event.slot, {}), service: event.seq}}


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
    return with_busy(replace(fleet, view=replace(fleet.view, slots=slots)))


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


def _head(status: SlotStatus) -> SlotStatus:
    return status.model_copy(update={"services": (), "operations": (), "agents": ()})


def _without(mapping: Mapping[K, V], key: K) -> dict[K, V]:
    return {name: value for name, value in mapping.items() if name != key}
