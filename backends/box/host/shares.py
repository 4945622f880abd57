"""Who takes what of the machine, as the parts that know processes or cgroups hand it in; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from backends.model.host import Share, ShareKind
from backends.model.state import SlotStatus
from backends.model.text import safe_line

MOST_SHARES = 400
"""Shares that are told one by one; what takes least beyond that is added up for each slot."""


@dataclass(frozen=True, slots=True)
class Root:
    """Whose a process is, and so all that comes from it."""

    slot: str
    kind: ShareKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What the fleet says: which process is whose (`roots`), what which slot builds, who has a slot."""

    roots: Mapping[int, Root] = field(default_factory=dict)
    building: Mapping[str, str] = field(default_factory=dict)
    users: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Read:
    """What one look gave; `warming`: there was nothing to compare it with."""

    shares: tuple[Share, ...] = ()
    warming: bool = True


class Source(Protocol):
    """Looks at everything that runs. `read` blocks for some milliseconds, and never raises."""

    by: str

    def read(self, known: Known, at: float) -> Read:
        """Who takes what, at the monotonic time `at`."""


def known_of(slots: Iterable[SlotStatus], daemons: Mapping[str, int], own: int) -> Known:
    """From the fleet's state, the pids of the slots' daemons, and the box's own pid."""
    roots: dict[int, Root] = {}
    building: dict[str, str] = {}
    users = set()
    for slot in slots:
        users.add(slot.slot)
        builds = [one.service for one in slot.services if one.build and one.build.state == "running"]
        if builds:
            building[slot.slot] = ", ".join(builds)
        if not slot.online:
            continue
        for cell in slot.services:
            if cell.pid:
                roots[cell.pid] = Root(slot.slot, "service", cell.service)
        for agent in slot.agents:
            if agent.pid and agent.state != "gone":
                roots[agent.pid] = Root(slot.slot, "agent", agent.id)
    for name, pid in daemons.items():
        if pid:
            roots[pid] = Root(name, "daemon", "hero_slotd")
    roots[own] = Root("", "daemon", "hero_boxd")
    return Known(roots, building, frozenset(users))


def summed(parts: Iterable[tuple[Root, float, int, int]]) -> tuple[Share, ...]:
    """Shares of (whose, percent of a core, bytes, processes), those of one together, the greatest first."""
    sums: dict[Root, list[float]] = {}
    for root, cpu, memory, processes in parts:
        found = sums.setdefault(root, [0.0, 0, 0])
        found[0] += cpu
        found[1] += memory
        found[2] += processes
    shares = [
        Share(
            slot=safe_line(root.slot, 100),
            kind=root.kind,
            name=safe_line(root.name, 200),
            cpu=round(cpu, 1),
            memory=int(memory),
            processes=int(processes),
        )
        for root, (cpu, memory, processes) in sums.items()
    ]
    return bounded(sorted(shares, key=lambda one: (-one.cpu, -one.memory, one.slot, one.kind, one.name)))


def bounded(shares: Sequence[Share], most: int = MOST_SHARES) -> tuple[Share, ...]:
    """At most about `most` of them: the last ones become one for each slot and kind."""
    if len(shares) <= most:
        return tuple(shares)
    rest: dict[tuple[str, ShareKind], list[Share]] = {}
    for share in shares[most:]:
        rest.setdefault((share.slot, share.kind), []).append(share)
    together = [
        Share(
            slot=slot,
            kind=kind,
            name=f"{len(some)} more",
            cpu=round(sum(one.cpu for one in some), 1),
            memory=sum(one.memory for one in some),
            processes=sum(one.processes for one in some),
        )
        for (slot, kind), some in rest.items()
    ]
    return (*shares[:most], *together)
