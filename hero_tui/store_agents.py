"""How agents come into the store: whose they are, which news of them is newer, and what a screen must repaint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from screens.fleet_view import Cell, FleetView

if TYPE_CHECKING:
    from backends.model.agents import Agent
    from backends.model.state import Event, SlotStatus


def agents_of(
    status: SlotStatus, known: Mapping[str, Agent], newer: Mapping[Cell, int], *, keep: bool
) -> Mapping[str, Agent]:
    """The slot's agents by id: as a snapshot tells them, but for those of which `newer` events have told.

    `keep` what was known: the box has heard nothing of the slot yet.
    """
    user = status.slot
    told = {one.id: one for one in status.agents if one.slot == user and (user, one.id) not in newer}
    kept = {id: one for id, one in known.items() if keep or (user, id) in newer}
    return {**told, **kept}


def owned(agent: Agent, event: Event) -> bool:
    """Whether the agent is the one that the event names, in the slot that the box says it comes from."""
    return agent.slot == event.slot and agent.id == event.subject


def agents_between(before: FleetView, after: FleetView) -> frozenset[Cell]:
    """Slot and id of each agent that differs between the two, came or went."""
    changed: set[Cell] = set()
    if before.slots is after.slots:
        return frozenset()
    for user in (*after.slots, *(before.slots.keys() - after.slots.keys())):
        old, new = before.slots.get(user), after.slots.get(user)
        if old is not new:
            one, other = (old.agents if old else {}), (new.agents if new else {})
            changed |= {(user, id) for id in {**one, **other} if one.get(id) is not other.get(id)}
    return frozenset(changed)
