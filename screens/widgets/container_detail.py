"""One container or stack in full; nothing here changes it, so that its own commands are named; pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from backends.model.containers import Container
from screens.widgets.cells import ago
from screens.widgets.celltext import byte_count, clean
from screens.widgets.container_model import LOOSE, ContainerRow, StackRow, health_of
from screens.widgets.detail import Fact, short_path
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part

_UNMEASURED = "not measured"


def container_facts(row: ContainerRow, now: datetime, glyphs: Glyphs = UNICODE) -> Iterator[Fact]:
    """What it is, how it does, what it takes, where it comes from."""
    one, health = row.container, health_of(row.container)
    yield Fact("name", ((clean(one.name), "detail--strong"), (f"  {one.id}", "detail--quiet")), urgent=True)
    told = f"{glyphs.health[health]} {one.state}"
    yield Fact("state", ((told, f"health--{health}"), (f"  {clean(one.status)}", "detail--text")), urgent=True)
    yield Fact("takes", tuple(_takes(one)), urgent=True)
    yield Fact("image", ((clean(one.image) or "not known", "detail--text"),))
    if one.ports:
        yield Fact("ports", ((clean(one.ports), "detail--text"),))
    if one.stack:
        service = f", service {clean(one.service)}" if one.service else ""
        yield Fact("stack", ((f"{clean(one.stack)}{service}", "detail--text"),))
        yield Fact("folder", ((short_path(one.folder) or "not known", "detail--quiet"),))
    if one.created_at:
        yield Fact("made", ((ago(one.created_at, now), "detail--quiet"),))
    yield _looked(row.engine.name, row.engine.version, row.engine.socket)


def stack_facts(row: StackRow) -> Iterator[Fact]:
    """What its containers take together, and who they are."""
    count = len(row.containers)
    yield Fact("stack", ((clean(row.name) or LOOSE, "detail--strong"),), urgent=True)
    yield Fact("runs", ((f"{row.running} of {count} container{'s' * (count != 1)}", "detail--text"),), urgent=True)
    yield Fact("takes", tuple(_figures(row.cpu, row.memory, row.size)))
    if row.name:
        yield Fact("folder", ((short_path(row.folder) or "not known", "detail--quiet"),))
    others = [one for one in row.containers if health_of(one) not in ("healthy", "stopped")]
    if others:
        told = ", ".join(f"{clean(one.name)} {one.state}" for one in others[:8])
        yield Fact("look at", ((told, "health--unhealthy"),))
    if row.engine.more:
        yield Fact("but", ((f"{row.engine.more} more of this engine are not listed", "health--starting"),))
    yield _looked(row.engine.name, row.engine.version, row.engine.socket)


def _takes(one: Container) -> Iterator[Part]:
    yield from _figures(one.cpu, one.memory, one.size)
    if one.memory is not None and one.memory_limit:
        yield f"  of {byte_count(one.memory_limit)} memory at most", "detail--quiet"


def _figures(cpu: float | None, memory: int | None, size: int | None) -> Iterator[Part]:
    told = [f"{byte_count(memory)} memory"] if memory is not None else []
    told += [f"{cpu:.1f} % of one core"] if cpu is not None else []
    told += [f"{byte_count(size)} written over the image"] if size is not None else []
    yield " · ".join(told) or _UNMEASURED, "detail--strong" if told else "detail--quiet"


def _looked(name: str, version: str, socket: str) -> Fact:
    told = f"{name} {clean(version)} at {clean(socket)}; only looked at"
    return Fact("engine", ((told, "detail--quiet"),))
