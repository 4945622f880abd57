"""Which rows tell of Docker and Podman, and in which order: what they hold, their stacks, each container; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from backends.model.containers import LIVE, Container, ContainerReport, EngineContainers
from backends.model.host import ComposeStack, DiskReport, EngineReport, EngineUse

LOOSE = "no stack"
"""Under which head those stand that compose did not make."""
_STATES = ("dead", "restarting", "removing", "unknown", "paused", "exited", "created", "running")


@dataclass(frozen=True, slots=True)
class EngineRow:
    """What an engine's images, containers, … take, or one of its stacks, or why it could not be asked."""

    engine: EngineReport
    use: EngineUse | None = None
    stack: ComposeStack | None = None

    @property
    def key(self) -> str:
        """What tells it from all others."""
        kind = self.use.kind if self.use else self.stack.name if self.stack else ""
        return f"{self.engine.socket}\0{bool(self.stack)}\0{kind}"


@dataclass(frozen=True, slots=True)
class StackRow:
    """A stack, and what its containers take together; `name` is "" over those of none."""

    engine: EngineContainers
    name: str
    containers: tuple[Container, ...]

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.engine.socket}\0stack\0{self.name}"

    @property
    def folder(self) -> str:
        """Where its file lies."""
        return self.containers[0].folder if self.name else ""

    @property
    def running(self) -> int:
        """How many of them run."""
        return sum(one.state == "running" for one in self.containers)

    @property
    def cpu(self) -> float | None:
        """Of one core, of all that told."""
        told = [one.cpu for one in self.containers if one.cpu is not None]
        return sum(told) if told else None

    @property
    def memory(self) -> int | None:
        """Of all that told."""
        return _sum(one.memory for one in self.containers)

    @property
    def size(self) -> int | None:
        """Of all that were measured."""
        return _sum(one.size for one in self.containers)


@dataclass(frozen=True, slots=True)
class ContainerRow:
    """One container of an engine."""

    engine: EngineContainers
    container: Container

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.engine.socket}\0container\0{self.container.id}"


def engine_rows(
    held: DiskReport | None, told: ContainerReport | None, sort: str = "name", *, folded: bool = False
) -> list[EngineRow | StackRow | ContainerRow]:
    """Each engine: what it holds, its stacks with their containers, then those of none; why it could not be asked.

    `held` is what was measured last, `told` what runs now; without that, stacks are told as they were measured.
    """
    measured = {engine.socket: engine for engine in held.engines} if held else {}
    asked = {engine.socket: engine for engine in told.engines} if told else {}
    rows: list[EngineRow | StackRow | ContainerRow] = []
    for socket in {**measured, **asked} if told is None else asked:
        engine, known = asked.get(socket), measured.get(socket)
        if known:
            rows += [EngineRow(known, use=use) for use in known.uses if use.count]
        if engine:
            rows += _stacks(engine, sort, folded=folded)
        elif known:
            rows += [EngineRow(known, stack=stack) for stack in known.stacks]
        if problem := engine.problem if engine else known.problem if known else "":
            rows.append(EngineRow(_named(known, engine, problem)))
    return rows


def _named(known: EngineReport | None, engine: EngineContainers | None, problem: str) -> EngineReport:
    if known and known.problem == problem:
        return known
    assert engine
    return EngineReport(name=engine.name, socket=engine.socket, version=engine.version, problem=problem)


def _stacks(engine: EngineContainers, sort: str, *, folded: bool) -> Iterable[StackRow | ContainerRow]:
    groups: dict[str, list[Container]] = {}
    for container in engine.containers:
        groups.setdefault(container.stack, []).append(container)
    heads = [StackRow(engine, name, tuple(_ordered(some, sort))) for name, some in groups.items()]
    for head in sorted(heads, key=lambda one: (not one.name, *_stack_order(one, sort), one.name)):
        yield head
        if not folded:
            yield from (ContainerRow(engine, one) for one in head.containers)


def _stack_order(row: StackRow, sort: str) -> tuple[float, ...]:
    if sort == "state":
        return (min(_STATES.index(one.state) for one in row.containers),)
    return (-_figure(row, sort),)


def _ordered(containers: Iterable[Container], sort: str) -> list[Container]:
    if sort == "state":
        return sorted(containers, key=lambda one: (_STATES.index(one.state), one.name))
    return sorted(containers, key=lambda one: (-_figure(one, sort), one.name))


def _figure(one: Container | StackRow, sort: str) -> float:
    """Coarse, so that what takes about the same does not change places at every look."""
    if sort == "cpu":
        return round((one.cpu or 0.0) / 5)
    return round((one.memory or 0) / 10_000_000) if sort == "memory" else (one.size or 0) if sort == "size" else 0


def words_of(row: EngineRow | StackRow | ContainerRow) -> Sequence[str]:
    """What a filter looks through."""
    if isinstance(row, ContainerRow):
        one, engine = row.container, row.engine.name
        return engine, one.name, one.image, one.state, one.status, one.stack, one.service, one.ports, one.id
    if isinstance(row, StackRow):
        return row.engine.name, row.name or LOOSE, row.folder
    return row.engine.name, row.use.kind if row.use else "", row.stack.name if row.stack else ""


def health_of(container: Container) -> str:
    """By which colour and sign of a service's health a container's state is told."""
    if container.state == "running":
        return "unhealthy" if "(unhealthy)" in container.status else "healthy"
    if container.state in LIVE or container.state == "removing":
        return "starting"
    return {"dead": "crashed", "unknown": "unknown"}.get(container.state, "stopped")


def _sum(values: Iterable[int | None]) -> int | None:
    told = [value for value in values if value is not None]
    return sum(told) if told else None
