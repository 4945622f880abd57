"""The containers of Docker and Podman, one by one: what each is, whether it runs, what it takes."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from backends.model.frozen import Frozen
from backends.model.host import SIZE_LIMIT

ContainerState = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead", "unknown"]

LIVE: frozenset[ContainerState] = frozenset({"running", "paused", "restarting"})


class Container(Frozen):
    """One container; `status` is how its engine says it (`Up 3 hours (healthy)`), `stack` the compose project.

    `cpu` is a percentage of one core since the look before, `memory` in bytes without what is only cached; None
    where that is not known. `size` is what it has written over its image, as it was measured last.
    """

    id: str
    name: str
    image: str = ""
    state: ContainerState = "unknown"
    status: str = ""
    stack: str = ""
    service: str = ""
    folder: str = ""
    ports: str = ""
    created_at: AwareDatetime | None = None
    cpu: float | None = None
    memory: int | None = Field(default=None, ge=0, le=SIZE_LIMIT)
    memory_limit: int | None = Field(default=None, ge=0, le=SIZE_LIMIT)
    size: int | None = Field(default=None, ge=0, le=SIZE_LIMIT)


class EngineContainers(Frozen):
    """What an engine runs; `more` are left out. `problem`: why it could not be asked."""

    name: str
    socket: str
    version: str = ""
    containers: tuple[Container, ...] = ()
    more: int = 0
    problem: str = ""


class ContainerReport(Frozen):
    """Every engine of the machine at `time`."""

    time: AwareDatetime
    engines: tuple[EngineContainers, ...] = ()
