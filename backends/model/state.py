"""What a slot, a fleet and an operation look like at one moment, as every client sees them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from backends.model.agents import Agent
from backends.model.frozen import Frozen

Source = Literal["release", "build", "hash"]
Drift = Literal["current", "behind", "modified", "missing", "pinned"]
Health = Literal["healthy", "starting", "unhealthy", "crashed", "stopped", "unknown"]
BuildState = Literal["queued", "running", "succeeded", "failed", "cancelled", "superseded"]
BuildPriority = Literal["interactive", "background"]
OperationState = Literal["running", "succeeded", "failed", "cancelled"]


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
    started_at: AwareDatetime
    finished_at: AwareDatetime | None = None
    error: ErrorInfo | None = None
    result: dict[str, Any] = Field(default_factory=dict)


class Phase(Frozen):
    """A part of a build and how long it took."""

    name: str
    seconds: float


class Build(Frozen):
    """One build of a service in a slot, from the moment when somebody asked for it.

    `commit` is what is or was built; empty while it is queued for whatever its branch is at then. An `attached`
    build is a step of an operation of its slot (a switch, a rebuild), which waits for it. `coalesced` counts the
    later requests that this one answers too, `attempt` how often it was begun. `waits_for` says why a queued one
    does not run yet, `superseded_by` which build made this one pointless.
    """

    id: str
    slot: str = ""
    service: str
    repo: str = ""
    branch: str
    commit: str = ""
    state: BuildState
    publish: bool = False
    restart: bool = False
    attached: bool = False
    priority: BuildPriority = "interactive"
    reason: str = ""
    actor: str = ""
    queued_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    finished_at: AwareDatetime | None = None
    error: str = ""
    hint: str = ""
    tag: str = ""
    coalesced: int = 0
    attempt: int = 0
    waits_for: str = ""
    superseded_by: str = ""
    phases: tuple[Phase, ...] = ()


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
    installed_at: AwareDatetime | None = None
    running_from: Source | None = None
    can_go_back: bool = False
    last_good: str = Field(
        default="", description="The newest version before this one that was not broken when it was replaced."
    )
    drift: Drift = "missing"
    drift_reason: str = ""
    newest: str = ""
    health: Health = "unknown"
    reason: str = ""
    exit_code: int | None = None
    last_log: str = ""
    pid: int | None = None
    since: AwareDatetime | None = None
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
    credential_state: Literal["", "expiring", "cooling"] = ""
    services: tuple[ServiceStatus, ...] = ()
    operations: tuple[Operation, ...] = ()
    agents: tuple[Agent, ...] = ()
    problems: tuple[str, ...] = ()
    archives: tuple[str, ...] = Field(
        default=(), description="sha256 of each archive that is installed, running or not."
    )
    online: bool = True
    stale: bool = False
    seen_at: AwareDatetime


class CatalogueEntry(Frozen):
    """A service of the team repo's catalogue."""

    name: str
    repo: str
    short: str = ""
    core: bool = False
    platforms: tuple[str, ...] = ()


class FleetSnapshot(Frozen):
    """All slots of a box and the `seq` of the last event that they contain."""

    box: str
    seq: int
    trunk: str
    rootless: bool = True
    catalogue: tuple[CatalogueEntry, ...] = ()
    slots: tuple[SlotStatus, ...] = ()
    problems: tuple[str, ...] = ()
    time: AwareDatetime
    more: bool = Field(default=False, description="Slots with later names were left out.")


class Event(Frozen):
    """Something that happened. `seq` is 0 for one that is not kept (progress of an operation)."""

    seq: int
    time: AwareDatetime
    box: str
    slot: str
    kind: str
    subject: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class LogLine(Frozen):
    """One line of a service's output; `time` is seconds since the epoch where the line tells it."""

    source: str
    time: float | None = None
    text: str
