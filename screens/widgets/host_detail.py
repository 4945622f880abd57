"""One row of the Host screen in full: what it is, why it may go or not, and the verb that does it; pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from backends.model.host import DiskReport, HostSample, SlotDisk
from screens.widgets.cells import ago
from screens.widgets.celltext import byte_count, clean
from screens.widgets.container_detail import container_facts, stack_facts
from screens.widgets.container_model import ContainerRow, EngineRow, StackRow
from screens.widgets.detail import DetailView, Fact, short_path
from screens.widgets.host_cells import change
from screens.widgets.host_model import BOX, REST, DiskRow, HostRow, UseRow
from screens.widgets.one_line import Part

_ENGINE_VERBS = {
    "images": "image prune",
    "containers": "container prune",
    "volumes": "volume prune",
    "build cache": "builder prune",
}


def host_detail(
    row: HostRow | None, sample: HostSample | None, report: DiskReport | None, now: datetime, me: str
) -> DetailView:
    """What the pane says of a row; of none, that nothing is selected."""
    if isinstance(row, UseRow):
        return DetailView(tuple(_of_use(row, sample)))
    if isinstance(row, DiskRow):
        return DetailView(tuple(_of_disk(row, report, now, me)))
    if isinstance(row, ContainerRow):
        return DetailView(tuple(container_facts(row, now)))
    if isinstance(row, StackRow):
        return DetailView(tuple(stack_facts(row)))
    if isinstance(row, EngineRow):
        return DetailView(tuple(_of_engine(row)))
    return DetailView(sentence="Nothing is selected.")


def copied(row: HostRow | None) -> dict[str, str]:
    """What can be copied of a row, by name."""
    if isinstance(row, DiskRow):
        verb = f"{row.part.verb} --slot {row.slot}" if row.part.verb else ""
        return {"path": row.part.path, "command": verb, "name": row.part.name}
    if isinstance(row, ContainerRow):
        one = row.container
        return {"name": one.name, "id": one.id, "image": one.image, "ports": one.ports, "folder": one.folder}
    return {}


def _of_use(row: UseRow, sample: HostSample | None) -> Iterator[Fact]:
    what = f"{row.kind} {row.name}".strip() if row.kind else "all of it"
    if row.slot == REST:
        what = "what no slot and none of our daemons runs"
    yield Fact("what", ((f"{clean(row.slot)}: {clean(what)}", "detail--strong"),), urgent=True)
    cores = f" of one core; there are {sample.machine.cpus}" if sample else ""
    yield Fact("cpu", ((f"{row.cpu:.1f} %", "detail--strong"), (cores, "detail--quiet")))
    total = sample.machine.memory_total if sample else 0
    told = (
        f"  {100 * row.memory / total:.1f} % of the machine's; files that it has mapped are not counted"
        if total
        else ""
    )
    yield Fact("memory", ((byte_count(row.memory), "detail--strong"), (told, "detail--quiet")))
    yield Fact("processes", ((str(row.processes), "detail--text"),))
    if sample and row.slot not in (REST, BOX):
        how = "by its processes and all that these start" if sample.by == "processes" else "by its cgroups"
        yield Fact("known", ((how, "detail--quiet"),))


def _of_disk(row: DiskRow, report: DiskReport | None, now: datetime, me: str) -> Iterator[Fact]:
    part = row.part
    yield Fact("what", ((f"{part.kind} {clean(part.name)}", "detail--strong"),), urgent=True)
    yield Fact("size", tuple(_sizes(row)))
    disk = _disk(row, report)
    if part.reclaimable:
        verb = f"  {part.verb}" if row.slot == me else f"  {part.verb}, which is {clean(row.slot)}'s to say"
        yield Fact(
            "can go", ((byte_count(part.reclaimable), "health--healthy"), (verb, "detail--text")), urgent=True
        )
    if part.why:
        yield Fact("why" if part.reclaimable else "stays", ((clean(part.why), "detail--text"),))
    if disk and disk.measured_at:
        how = f" in {disk.seconds:.0f} s" if disk.seconds >= 1 else ""
        yield Fact("measured", ((f"{ago(disk.measured_at, now)}{how}", "detail--quiet"),))
    if disk and disk.problem:
        yield Fact("but", ((clean(disk.problem), "health--unhealthy"),))
    if disk and disk.space and disk.space.shared:
        told = f"{disk.space.kind} shares extents between files: removing it may free less"
        yield Fact("disk", ((told, "health--starting"),))
    if part.path:
        yield Fact("path", ((short_path(part.path), "detail--quiet"),))


def _sizes(row: DiskRow) -> Iterator[Part]:
    part = row.part
    yield byte_count(part.size) if part.complete else f"at least {byte_count(part.size)}", "detail--strong"
    yield f"  in {part.files:,} files", "detail--quiet"
    if part.grew:
        yield f"  {change(part.grew)} since yesterday", "health--unhealthy" if part.grew > 0 else "detail--text"


def _disk(row: DiskRow, report: DiskReport | None) -> SlotDisk | None:
    name = "" if row.slot == BOX else row.slot
    return next((one for one in report.slots if one.slot == name), None) if report else None


def _of_engine(row: EngineRow) -> Iterator[Fact]:
    engine, use, stack = row.engine, row.use, row.stack
    yield Fact("engine", ((f"{engine.name} {clean(engine.version)}".strip(), "detail--strong"),), urgent=True)
    if engine.problem:
        yield Fact("but", ((clean(engine.problem), "health--unhealthy"),))
    if use:
        yield Fact("what", ((f"{use.count} {use.kind}, {use.active} in use", "detail--text"),))
        yield Fact("size", ((byte_count(use.size), "detail--strong"),))
    if use and use.reclaimable:
        verb = f"  `{engine.name} {_ENGINE_VERBS[use.kind]}`, by whoever owns them"
        yield Fact("can go", ((byte_count(use.reclaimable), "health--healthy"), (verb, "detail--text")))
    if stack:
        yield Fact("stack", ((clean(stack.name), "detail--strong"),))
        yield Fact("runs", ((f"{stack.running} of {stack.containers} containers", "detail--text"),))
        yield Fact("folder", ((clean(stack.folder) or "not known", "detail--quiet"),))
    yield Fact("socket", ((clean(engine.socket), "detail--quiet"),))
