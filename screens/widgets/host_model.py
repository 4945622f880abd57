"""Which rows the Host screen shows and in which order: who takes what, what takes the disks' room; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from backends.model.containers import ContainerReport
from backends.model.host import (
    DiskPart,
    DiskReport,
    HostPoint,
    HostSample,
    Machine,
    Share,
)
from screens.widgets.container_model import ContainerRow, EngineRow, StackRow, engine_rows, words_of
from screens.widgets.list_filters import ListFilters, matcher

View = Literal["processes", "disk", "containers"]
VIEWS: tuple[View, ...] = ("processes", "disk", "containers")
Sort = Literal["memory", "cpu", "name", "size", "growth", "can go", "state"]
SORTS: Mapping[View, tuple[Sort, ...]] = {
    "processes": ("memory", "cpu", "name"),
    "disk": ("size", "growth", "can go", "name"),
    "containers": ("name", "memory", "cpu", "size", "state"),
}
"""By what each view can be sorted, the usual order first."""

BOX = "the box"
REST = "everything else"
_LAST = ("", "other")


@dataclass(frozen=True, slots=True)
class UseRow:
    """What one slot takes in all (`kind` is "" then), or a part of that."""

    slot: str
    kind: str
    name: str
    cpu: float
    memory: int
    processes: int

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.slot}\0{self.kind}\0{self.name}"


@dataclass(frozen=True, slots=True)
class DiskRow:
    """Something on a slot's disk; `stale`: its slot's daemon is away, or it could not be measured again."""

    slot: str
    part: DiskPart
    stale: bool = False

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.slot}\0{self.part.kind}\0{self.part.name}"


HostRow = UseRow | DiskRow | EngineRow | StackRow | ContainerRow


@dataclass(frozen=True)
class HostFilters(ListFilters):
    """What is left: of `only_slot`, what can go."""

    SAYS = {"only_going": "what can go", "only_slot": "mine only"}  # noqa: RUF012

    only_going: bool = False
    only_slot: str = ""


def rows_of(
    view: View,
    sample: HostSample | None,
    report: DiskReport | None,
    containers: ContainerReport | None,
    sort: Sort,
    folded: bool,
) -> Sequence[HostRow]:
    """The rows of a view; none while nothing is known."""
    if view == "processes":
        return use_rows(sample, sort, folded=folded) if sample else ()
    if view == "containers":
        return engine_rows(report, containers, sort, folded=folded)
    return disk_rows(report, sort) if report else ()


def use_rows(sample: HostSample, sort: Sort, *, folded: bool) -> list[UseRow]:
    """Each slot with what it takes in all, then its parts, unless they are `folded` away; the rest is last."""
    groups: dict[str, list[Share]] = {}
    for share in sample.shares:
        groups.setdefault(REST if (share.slot, share.kind) == _LAST else share.slot or BOX, []).append(share)
    order = _use_order(sort)
    totals = {name: _total(name, some) for name, some in groups.items()}
    rows: list[UseRow] = []
    for name in sorted(groups, key=lambda one: (one == REST, one == BOX, order(totals[one]))):
        rows.append(totals[name])
        if not folded and name != REST:
            rows += sorted((_part(name, share) for share in groups[name]), key=order)
    return rows


def disk_rows(report: DiskReport, sort: Sort) -> list[DiskRow]:
    """Every part of every slot; the smallest of many may be together as one."""
    rows = [
        DiskRow(disk.slot or BOX, part, bool(disk.problem))
        for disk in report.slots
        for part in disk.parts
        if part.size
    ]
    return sorted(rows, key=_disk_order(sort))


def filtered(rows: Iterable[HostRow], filters: HostFilters) -> list[HostRow]:
    """What the filters leave; a switch leaves all rows of which it cannot be said."""
    matches = matcher(filters.text)

    def kept(row: HostRow) -> bool:
        if filters.only_slot and isinstance(row, UseRow | DiskRow) and row.slot != filters.only_slot:
            return False
        if filters.only_going and not isinstance(row, UseRow) and not going(row):
            return False
        return not filters.text or matches("\n".join(_searched(row)))

    return [row for row in rows if kept(row)]


def going(row: HostRow) -> int:
    """Bytes of it that can go."""
    if isinstance(row, DiskRow):
        return row.part.reclaimable
    return row.use.reclaimable if isinstance(row, EngineRow) and row.use else 0


def points(values: Sequence[HostPoint], name: str) -> list[float]:
    """One line of the trend."""
    return [getattr(one, name) for one in values]


def point_of(machine: Machine, at: float) -> HostPoint:
    """The machine now, as a point to be put at the end of its trend."""

    def percent(used: int, total: int) -> float:
        return 100 * used / total if total else 0.0

    return HostPoint(
        at=at,
        cpu=machine.cpu or 0.0,
        memory=percent(machine.memory_used, machine.memory_total),
        swap=percent(machine.swap_used, machine.swap_total),
        load=machine.load[0] / max(1, machine.cpus),
        disk=100 * max((one.share for one in machine.disks), default=0.0),
    )


def _total(name: str, shares: Sequence[Share]) -> UseRow:
    cpu, memory = sum(one.cpu for one in shares), sum(one.memory for one in shares)
    return UseRow(name, "", "", cpu, memory, sum(one.processes for one in shares))


def _part(slot: str, share: Share) -> UseRow:
    return UseRow(slot, share.kind, share.name, share.cpu, share.memory, share.processes)


def _use_order(sort: Sort) -> Callable[[UseRow], tuple[float, str, str, str]]:
    def order(row: UseRow) -> tuple[float, str, str, str]:
        # Coarse, so that what takes about the same does not change places at every look.
        figure = {"cpu": round(row.cpu / 5), "memory": round(row.memory / 10_000_000)}.get(sort, 0)
        return -figure, row.slot, row.kind, row.name

    return order


def _disk_order(sort: Sort) -> Callable[[DiskRow], tuple[float, str, str]]:
    def order(row: DiskRow) -> tuple[float, str, str]:
        part = row.part
        figure = {"size": part.size, "growth": part.grew or 0, "can go": part.reclaimable}.get(sort, 0)
        return -figure, row.slot, part.name

    return order


def _searched(row: HostRow) -> Sequence[str]:
    if isinstance(row, UseRow):
        return row.slot, row.kind, row.name
    if isinstance(row, DiskRow):
        return row.slot, row.part.kind, row.part.name, row.part.path, row.part.why
    return words_of(row)
