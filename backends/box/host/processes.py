"""A rootless box's shares: every process is looked at, and belongs to the nearest known one that it comes from.

All slots of such a box have one uid, so only descent tells them apart: a service's, agent's or daemon's process is
known by the fleet, and what it starts has it among its parents, or is of its session once those are gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.box.host.shares import Known, Read, Root, summed

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_REST = Root("", "other", "")
_KEEPERS = {"service": "supervisord", "agent": "tmux"}
_DEPTH = 100
"""Parents that are followed; a table that is read while it changes may have rings."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process as /proc tells it; `ticks` of processor time so far, `memory` that only it holds."""

    pid: int
    parent: int
    group: int
    session: int
    started: int
    ticks: int
    memory: int


class ProcessShares:
    """Looks at /proc, and remembers the time before: a share's processor time is that of processes seen twice."""

    by = "processes"

    def __init__(self, proc: Path = PROC):
        self._proc = proc
        self._before: dict[tuple[int, int], int] = {}
        self._at = 0.0

    def read(self, known: Known, at: float) -> Read:
        """See `Source`."""
        table = {one.pid: one for one in processes(self._proc)}
        before, seconds = self._before, at - self._at
        self._before = {(one.pid, one.started): one.ticks for one in table.values()}
        self._at = at
        comparable = bool(before) and 0 < seconds < 300
        owners = Owners(table, known)

        def cpu(one: Process) -> float:
            then = before.get((one.pid, one.started)) if comparable else None
            return 100 * max(0, one.ticks - then) / _TICKS / seconds if then is not None else 0.0

        shares = summed((owners.of(one), cpu(one), one.memory, 1) for one in table.values())
        return Read(shares, warming=not comparable)


class Owners:
    """Whose each process of one table is."""

    def __init__(self, table: Mapping[int, Process], known: Known):
        self._table = table
        self._known = known
        self._roots = {**_keepers(table, known.roots), **known.roots}
        self._found: dict[int, Root] = {}

    def of(self, process: Process) -> Root:
        """Whom the process belongs to; the rest of the machine where nobody of ours started it."""
        way: list[int] = []
        found = _REST
        one: Process | None = process
        while one is not None and len(way) < _DEPTH:
            if one.pid in self._found:
                found = self._found[one.pid]
                break
            way.append(one.pid)
            if root := self._roots.get(one.pid):
                found = root
                break
            if root := self._leader(one):
                found = self._child_of(root)
                break
            one = self._table.get(one.parent)
        for place, pid in enumerate(way):
            at_root = place == len(way) - 1 and pid in self._roots
            self._found[pid] = found if at_root else self._child_of(found)
        return self._found[process.pid]

    def _leader(self, process: Process) -> Root | None:
        """Who began its session or group, and may be gone. What a keeper began it only keeps for others."""
        return self._known.roots.get(process.session) or self._known.roots.get(process.group)

    def _child_of(self, root: Root) -> Root:
        """What a slot's daemon starts is a build while it has one."""
        building = self._known.building.get(root.slot)
        if root.kind == "daemon" and root.name == "hero_slotd" and building:
            return Root(root.slot, "build", building)
        return root


def _keepers(table: Mapping[int, Process], roots: Mapping[int, Root]) -> dict[int, Root]:
    """What keeps a slot's services and agents running is their parent; the fleet tells of neither."""
    found = {}
    for pid, root in roots.items():
        if (name := _KEEPERS.get(root.kind)) and (one := table.get(pid)) and one.parent > 1:
            found[one.parent] = Root(root.slot, "daemon", name)
    return found


def processes(proc: Path = PROC) -> Iterator[Process]:
    """Every process that can be looked at; those that end meanwhile are left out."""
    try:
        names = os.listdir(proc)  # noqa: PTH208 — hundreds, every two seconds
    except OSError:
        return
    folder = os.fspath(proc)
    for name in names:
        if name.isdigit() and (one := _process(folder, name)) is not None:
            yield one


def _process(proc: str, name: str) -> Process | None:
    try:
        with open(f"{proc}/{name}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read(4096).rpartition(b")")[2].split()
        with open(f"{proc}/{name}/statm", "rb") as file:  # noqa: PTH123
            pages = file.read(256).split()
        return Process(
            pid=int(name),
            parent=int(fields[1]),
            group=int(fields[2]),
            session=int(fields[3]),
            started=int(fields[19]),
            ticks=int(fields[11]) + int(fields[12]),
            memory=max(0, int(pages[1]) - int(pages[2])) * _PAGE,
        )
    except (OSError, ValueError, IndexError):
        return None
