"""Many events of cells and agents taken together: of each the newest counts, and is read alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from hero_tui.store_agents import owned
from hero_tui.store_fleet import Fleet, unheard, with_slots
from screens.fleet_view import Cell, SlotView

if TYPE_CHECKING:
    from backends.model.agents import Agent
    from backends.model.state import Event, ServiceStatus

V = TypeVar("V")

AT_ONCE = 64
"""Events that are gathered at most: a millisecond of work, or two."""
_CELLS = frozenset({"service.changed", "service.removed"})
_AGENTS = frozenset({"agent.changed", "agent.removed"})
TOGETHER = _CELLS | _AGENTS
"""Events of these kinds concern one cell or agent each: in whatever order they come, the newest counts."""


class Untold:
    """Events that have come, and that nobody has asked for yet."""

    def __init__(self) -> None:
        self._events: list[Event] = []

    def take(self, event: Event) -> bool:
        """Keep it for later; False for one whose place among the others matters."""
        if event.kind not in TOGETHER:
            return False
        self._events.append(event)
        return True

    @property
    def many(self) -> bool:
        """Whether it is time to look at them."""
        return len(self._events) >= AT_ONCE

    def told(self, fleet: Fleet) -> Fleet:
        """The fleet after all of them, as if each had been told by itself; the same object if nothing is new."""
        if not self._events:
            return fleet
        events, self._events = self._events, []
        return with_batch(fleet, events)


def with_batch(fleet: Fleet, events: Iterable[Event]) -> Fleet:
    """The fleet after these events, all of the kinds `TOGETHER`; the same object if nothing is new."""
    new = [event for event in events if not event.seq or event.seq > fleet.floor]
    return _with_agents(_with_cells(fleet, new), new) if new else fleet


def _with_cells(fleet: Fleet, events: Iterable[Event]) -> Fleet:
    told: dict[str, dict[str, int]] = {}
    slots: dict[str, SlotView] = {}
    cells: dict[str, dict[str, ServiceStatus]] = {}
    for (user, name), ones in _grouped(events, _CELLS, _service_of).items():
        found = _newest(ones, max(fleet.told_of(user, name), fleet.gone.get(user, 0)), _status_of)
        if found is None:
            continue
        event, status = found
        told.setdefault(user, {})[name] = event.seq
        slot = slots[user] if user in slots else fleet.view.slots.get(user) or unheard(event)
        if slot.cells.get(name) != status:
            slots[user] = slot
            _put(cells.setdefault(user, dict(slot.cells)), name, status)
    if not told:
        return fleet
    merged = {user: {**fleet.told.get(user, {}), **of_slot} for user, of_slot in told.items()}
    changed = {user: slot.with_cells(cells[user], told[user]) for user, slot in slots.items()}
    return with_slots(replace(fleet, told={**fleet.told, **merged}), changed)


def _with_agents(fleet: Fleet, events: Iterable[Event]) -> Fleet:
    told: dict[Cell, int] = {}
    slots: dict[str, SlotView] = {}
    agents: dict[str, dict[str, Agent]] = {}
    for (user, id), ones in _grouped(events, _AGENTS, lambda event: event.subject).items():
        found = _newest(ones, max(fleet.agents_told.get((user, id), 0), fleet.gone.get(user, 0)), _agent_of)
        if found is None:
            continue
        event, agent = found
        told[user, id] = event.seq
        slots[user] = slots[user] if user in slots else fleet.view.slots.get(user) or unheard(event)
        _put(agents.setdefault(user, dict(slots[user].agents)), id, agent)
    if not told:
        return fleet
    changed = {user: replace(slot, agents=agents[user]) for user, slot in slots.items()}
    view = replace(fleet.view, slots={**fleet.view.slots, **changed})
    return replace(fleet, agents_told={**fleet.agents_told, **told}, view=view)


def _put(mapping: dict[str, V], key: str, value: V | None) -> None:
    if value is None:
        mapping.pop(key, None)
    else:
        mapping[key] = value


def _service_of(event: Event) -> str:
    """Whose news it is: a status says that itself."""
    name = event.data.get("service") if event.kind == "service.changed" else event.subject
    return name if isinstance(name, str) else ""


def _status_of(event: Event) -> ServiceStatus:
    from backends.model.kept import compact
    from backends.model.state import ServiceStatus

    return compact(ServiceStatus.model_validate(event.data))


def _agent_of(event: Event) -> Agent:
    """Raises ValueError for one in another slot's name."""
    from backends.model.agents import Agent

    agent = Agent.model_validate(event.data)
    if not owned(agent, event):
        raise ValueError(event.subject)
    return agent


def _grouped(
    events: Iterable[Event], kinds: frozenset[str], name_of: Callable[[Event], str]
) -> dict[Cell, list[Event]]:
    groups: dict[Cell, list[Event]] = {}
    for event in events:
        if event.kind in kinds:
            groups.setdefault((event.slot, name_of(event)), []).append(event)
    return groups


def _newest(events: list[Event], least: int, read: Callable[[Event], V]) -> tuple[Event, V | None] | None:
    """Of those that can be read, the newest, and what it tells; None where that is known already.

    One that removes tells None. Of two with the same `seq` the one that came last is the newer.
    """
    in_order = sorted(events, key=lambda event: event.seq)
    for event in reversed(in_order):
        if event.seq < least:
            return None
        try:
            return event, None if event.kind.endswith(".removed") else read(event)
        except ValueError:  # pydantic's, too
            continue
    return None
