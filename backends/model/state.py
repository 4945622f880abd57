"""What a slot, a fleet and an operation look like at one moment, as every client sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Source = Literal["release", "build", "hash"]
Drift = Literal["current", "behind", "modified", "missing", "pinned"]
Health = Literal["healthy", "starting", "unhealthy", "crashed", "stopped", "unknown"]
BuildState = Literal["queued", "running", "succeeded", "failed", "cancelled", "superseded"]
OperationState = Literal["running", "succeeded", "failed", "cancelled"]


class Frozen(BaseModel):
    """Base of every value that crosses a socket: frozen, no unknown keys, `from` spelled as in the files."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class ErrorInfo(Frozen):
    """A HeroError as data."""

    code: str
    message: str
    hint: str = ""


class Operation(Frozen):
    """One long call: what it does, how far it is, how it ended. `done` and `total` are bytes or steps."""

    id: str
    kind: str
    service: str = ""
    title: str = ""
    actor: str = ""
    state: OperationState = "running"
    phase: str = ""
    done: int = 0
    total: int | None = None
    started_at: datetime
    finished_at: datetime | None = None
    error: ErrorInfo | None = None
    result: dict[str, Any] = Field(default_factory=dict)


class Build(Frozen):
    """One run of a service's build command."""

    id: str
    service: str
    branch: str
    commit: str
    state: BuildState
    publish: bool = False
    started_at: datetime
    finished_at: datetime | None = None
    error: str = ""
    tag: str = ""


class ServiceStatus(Frozen):
    """One binding of a slot: what it asks, what is installed (drift), what the process does (health)."""

    service: str
    repo: str
    branch: str
    source: Source = Field(alias="from")
    enabled: bool = True
    auto_rebuild: bool = False
    publish: bool = False
    hash: str = ""
    tag: str = ""
    sha256: str = ""
    installed_at: datetime | None = None
    running_from: Source | None = None
    can_go_back: bool = False
    drift: Drift = "missing"
    drift_reason: str = ""
    newest: str = ""
    health: Health = "unknown"
    reason: str = ""
    exit_code: int | None = None
    last_log: str = ""
    pid: int | None = None
    since: datetime | None = None
    restarts: int = 0
    build: Build | None = None
    socket: str = ""
    url: str = ""
    depends_on: tuple[str, ...] = ()
    worktree: str = ""
    operation: Operation | None = None


class SlotStatus(Frozen):
    """One slot as its daemon last told it; `stale` once that daemon is away."""

    box: str
    slot: str
    full_name: str = ""
    role: str = "developer"
    credential: str = "none"
    services: tuple[ServiceStatus, ...] = ()
    operations: tuple[Operation, ...] = ()
    problems: tuple[str, ...] = ()
    archives: tuple[str, ...] = Field(
        default=(), description="sha256 of each archive that is installed, running or not."
    )
    online: bool = True
    stale: bool = False
    seen_at: datetime


class CatalogueEntry(Frozen):
    """A service of the team repo's catalogue."""

    name: str
    repo: str
    short: str = ""
    core: bool = False


class FleetSnapshot(Frozen):
    """All slots of a box and the `seq` of the last event that they contain."""

    box: str
    seq: int
    trunk: str
    rootless: bool = True
    catalogue: tuple[CatalogueEntry, ...] = ()
    slots: tuple[SlotStatus, ...] = ()
    problems: tuple[str, ...] = ()
    time: datetime


class Event(Frozen):
    """Something that happened. `seq` is 0 for one that is not kept (progress of an operation)."""

    seq: int
    time: datetime
    box: str
    slot: str
    kind: str
    subject: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class PlanStep(Frozen):
    """One thing that an action would do, in the words of a person."""

    action: Literal[
        "resolve", "download", "build", "install", "swap", "restart", "stop", "bind", "unbind", "publish"
    ]
    subject: str
    detail: str = ""


class Plan(Frozen):
    """What an action would do; nothing has been done."""

    action: str
    service: str
    branch: str = ""
    source: Source | None = Field(default=None, alias="from")
    commit: str = ""
    tag: str = ""
    sha256: str = ""
    size: int | None = None
    cached: bool = False
    installed: bool = False
    compiles: bool = False
    restarts: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    steps: tuple[PlanStep, ...] = ()
    nothing_to_do: bool = False


class Candidate(Frozen):
    """Something that a service can be switched to."""

    kind: Literal["branch", "release", "pinned", "worktree"]
    branch: str
    source: Source = Field(alias="from")
    commit: str = ""
    tag: str = ""
    author: str = ""
    time: datetime | None = None
    subject: str = ""
    size: int | None = None
    installed: bool = False
    current: bool = False


class LogLine(Frozen):
    """One line of a service's output; `time` is seconds since the epoch where the line tells it."""

    source: str
    time: float | None = None
    text: str


class ReleaseInfo(Frozen):
    """A published archive set."""

    tag: str
    branch: str
    commit: str
    author: str = ""
    published_at: datetime | None = None
    platforms: tuple[str, ...] = ()
    size: int = 0
    subject: str = ""
