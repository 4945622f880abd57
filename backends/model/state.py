"""What a slot, a fleet and an operation look like at one moment, as every client sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from backends.model.agents import Agent
from backends.model.frozen import Frozen as Frozen

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
    started_at: datetime
    finished_at: datetime | None = None
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
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
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
    installed_at: datetime | None = None
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
    seen_at: datetime


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
    time: datetime
    more: bool = Field(default=False, description="Slots with later names were left out.")


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


class ArchiveInfo(Frozen):
    """One archive of a release; `size` in bytes."""

    name: str
    platform: str
    size: int
    downloads: int = 0
    url: str = ""


class ReleaseInfo(Frozen):
    """A published archive set. `complete`: it has its SHA256SUMS, so that it can be installed."""

    tag: str
    branch: str
    commit: str
    author: str = ""
    published_at: datetime | None = None
    platforms: tuple[str, ...] = ()
    size: int = 0
    subject: str = ""
    url: str = ""
    downloads: int = 0
    complete: bool = True
    archives: tuple[ArchiveInfo, ...] = ()


class CommitInfo(Frozen):
    """One commit, as a list of changes shows it."""

    commit: str
    author: str = ""
    time: datetime | None = None
    subject: str = ""


class HookState(Frozen):
    """The webhook of one repository: whether the forge has ours, and how the last delivery that we took went."""

    repo: str
    state: Literal["installed", "missing", "outdated", "inactive", "error", "not_needed"]
    url: str = ""
    detail: str = ""
    rotated_at: datetime | None = None
    last_seen: datetime | None = None


GateState = Literal["pass", "fail", "wait", "unknown"]


class Gate(Frozen):
    """Whether the trunk of a service is fit for everybody: it builds, its archives are there, it runs healthy.

    `commit` is the trunk's head on the forge. `platforms` has the required ones, `missing` those without an
    archive at that commit. `reason` is one sentence for whatever is not `pass`.
    """

    service: str
    repo: str
    branch: str
    commit: str = ""
    builds: GateState = "unknown"
    build: str = ""
    archives: GateState = "unknown"
    tag: str = ""
    platforms: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    healthy: GateState = "unknown"
    running: str = ""
    reason: str = ""
    checked_at: datetime | None = None

    @property
    def passes(self) -> bool:
        """All three hold."""
        return (self.builds, self.archives, self.healthy) == ("pass", "pass", "pass")
