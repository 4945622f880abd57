"""All slots of the box as their daemons last told them, and what each report changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from backends.model.agents import Agent
from backends.model.box_calls import ReportParams
from backends.model.state import Event, Operation, ServiceStatus, SlotStatus

_HEAD_EXCLUDES = {"services", "operations", "agents", "archives"}


class Person(NamedTuple):
    """What the team repo says of a slot's user; it overrides what the slot says of itself."""

    full_name: str
    role: str


class Changes(NamedTuple):
    """Events without numbers yet: `kept` go into the log, `progress` to those who listen now."""

    kept: list[Event]
    progress: list[Event]


@dataclass
class _Slot:
    head: SlotStatus
    cells: dict[str, ServiceStatus] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)
    agents: dict[str, Agent] = field(default_factory=dict)
    told: bool = False

    def status(self) -> SlotStatus:
        return self.head.model_copy(
            update={
                "services": tuple(self.cells.values()),
                "operations": tuple(self.operations.values()),
                "agents": tuple(self.agents.values()),
            }
        )


class Fleet:
    """Pure state, no I/O; time is a parameter.

    Events: `service.changed` (data: the ServiceStatus), `service.removed`, `slot.online`, `slot.offline` and
    `slot.changed` (data: the SlotStatus without services, operations and agents), `slot.removed`, `agent.changed`
    (data: the Agent), `agent.removed`, and without a place in the log `operation.changed` (data: the Operation).
    """

    def __init__(self, box: str):
        self._box = box
        self._people: dict[str, Person] = {}
        self._slots: dict[str, _Slot] = {}

    def expect(self, people: Mapping[str, Person], now: datetime) -> list[Event]:
        """The slots that the team repo names. One that has no daemon is shown stale; one that is not named
        any more goes once its daemon is gone."""
        self._people = dict(people)
        events = []
        for name in people:
            if name not in self._slots:
                head = SlotStatus(box=self._box, slot=name, online=False, stale=True, seen_at=now)
                self._slots[name] = _Slot(self._with_person(head))
                events.append(self._event("slot.changed", self._slots[name].head, now))
            else:
                events += self._set_head(self._slots[name], self._slots[name].head, now)
        for name in [name for name, slot in self._slots.items() if name not in people and not slot.head.online]:
            del self._slots[name]
            events.append(Event(seq=0, time=now, box=self._box, slot=name, kind="slot.removed"))
        return events

    def apply(self, report: ReportParams, now: datetime) -> Changes:
        """Take a slot's report; what really changed. A report makes its slot online."""
        slot = self._slots.get(report.slot)
        if slot is None:
            head = SlotStatus(box=self._box, slot=report.slot, online=False, stale=True, seen_at=now)
            slot = self._slots[report.slot] = _Slot(head)
        told = report.status or slot.head
        head = told.model_copy(
            update={
                "box": self._box,
                "slot": report.slot,
                "online": True,
                "stale": False,
                "seen_at": now,
                "services": (),
                "operations": (),
                "agents": (),
            }
        )
        kept = self._set_head(slot, head, now)
        gone = set(report.removed)
        if report.status is not None:
            slot.told = True
            gone |= set(slot.cells) - {cell.service for cell in report.status.services}
            kept += self._set_cells(slot, report.status.services, now)
        kept += self._set_cells(slot, report.cells, now)
        kept += self._remove_cells(slot, gone - {cell.service for cell in report.cells}, now)
        kept += self._set_agents(slot, report, now)
        return Changes(kept, self._set_operations(slot, report, now))

    def disconnected(self, name: str, now: datetime, why: str = "") -> list[Event]:
        """The slot's daemon is gone, or hangs and `why` says so; what it last told stays, as stale."""
        slot = self._slots.get(name)
        if slot is None or not slot.head.online:
            return []
        if name not in self._people:
            del self._slots[name]
            return [Event(seq=0, time=now, box=self._box, slot=name, kind="slot.removed")]
        slot.operations.clear()
        problems = (*slot.head.problems, *([why] if why else []))
        away = {"online": False, "stale": True, "problems": problems}
        return self._set_head(slot, slot.head.model_copy(update=away), now)

    def slots(self) -> tuple[SlotStatus, ...]:
        """Every slot, by name."""
        return tuple(self._slots[name].status() for name in sorted(self._slots))

    def slot(self, name: str) -> SlotStatus | None:
        """One slot; None where there is no such slot."""
        found = self._slots.get(name)
        return found.status() if found else None

    def online(self) -> tuple[str, ...]:
        """Slots whose daemon is connected."""
        return tuple(sorted(name for name, slot in self._slots.items() if slot.head.online))

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._slots))

    def installed(self) -> frozenset[str]:
        """The sha256 of every archive that a slot says is installed."""
        slots = self._slots.values()
        running = {cell.sha256 for slot in slots for cell in slot.cells.values() if cell.sha256}
        return frozenset(running.union(*(slot.head.archives for slot in slots)))

    def complete(self, names: Iterable[str]) -> bool:
        """Whether every slot of `names` has told of itself since this box's daemon began."""
        return all(name in self._slots and self._slots[name].told for name in names)

    def _set_head(self, slot: _Slot, head: SlotStatus, now: datetime) -> list[Event]:
        before, slot.head = slot.head, self._with_person(head)
        if slot.head.online != before.online:
            return [self._event("slot.online" if slot.head.online else "slot.offline", slot.head, now)]
        if slot.head.model_copy(update={"seen_at": before.seen_at}) != before:
            return [self._event("slot.changed", slot.head, now)]
        return []

    def _with_person(self, head: SlotStatus) -> SlotStatus:
        person = self._people.get(head.slot)
        return head.model_copy(update=person._asdict()) if person else head

    def _set_cells(self, slot: _Slot, cells: Iterable[ServiceStatus], now: datetime) -> list[Event]:
        events = []
        for cell in cells:
            if slot.cells.get(cell.service) == cell:
                continue
            slot.cells[cell.service] = cell
            events.append(self._event("service.changed", slot.head, now, cell.service, _dump(cell)))
        return events

    def _remove_cells(self, slot: _Slot, names: Iterable[str], now: datetime) -> list[Event]:
        removed = [name for name in sorted(names) if slot.cells.pop(name, None)]
        return [self._event("service.removed", slot.head, now, name, {}) for name in removed]

    def _set_agents(self, slot: _Slot, report: ReportParams, now: datetime) -> list[Event]:
        events = []
        for agent in (*(report.status.agents if report.status else ()), *report.agents):
            own = agent.model_copy(update={"slot": slot.head.slot})
            if slot.agents.get(own.id) != own:
                slot.agents[own.id] = own
                events.append(self._event("agent.changed", slot.head, now, own.id, _dump(own)))
        if report.status is not None:
            told = {agent.id for agent in (*report.status.agents, *report.agents)}
            for gone in [id for id in slot.agents if id not in told]:
                del slot.agents[gone]
                events.append(self._event("agent.removed", slot.head, now, gone, {}))
        return events

    def _set_operations(self, slot: _Slot, report: ReportParams, now: datetime) -> list[Event]:
        told = {operation.id: operation for operation in (report.status.operations if report.status else ())}
        told |= {operation.id: operation for operation in report.operations}
        changed = [operation for operation in told.values() if slot.operations.get(operation.id) != operation]
        running = {key: operation for key, operation in told.items() if operation.state == "running"}
        kept = {} if report.status else {key: value for key, value in slot.operations.items() if key not in told}
        slot.operations = kept | running
        return [self._event("operation.changed", slot.head, now, one.id, _dump(one)) for one in changed]

    def _event(
        self, kind: str, head: SlotStatus, now: datetime, subject: str = "", data: dict[str, Any] | None = None
    ) -> Event:
        if data is None:
            data = head.model_dump(mode="json", by_alias=True, exclude=_HEAD_EXCLUDES)
        return Event(seq=0, time=now, box=self._box, slot=head.slot, kind=kind, subject=subject, data=data)


def _dump(value: ServiceStatus | Operation | Agent) -> dict[str, Any]:
    return value.model_dump(mode="json", by_alias=True)
