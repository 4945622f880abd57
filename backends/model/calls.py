"""Every JSON-RPC method: its parameters, its result and which daemon answers it (contracts: docs/rpc.md)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from backends.model.agent_calls import AGENT_METHODS
from backends.model.agents import Agent
from backends.model.audit_calls import AUDIT_METHODS
from backends.model.broker_calls import BROKER_METHODS
from backends.model.host_calls import HOST_METHODS
from backends.model.inbox_calls import INBOX_METHODS
from backends.model.method import Empty as Empty
from backends.model.method import Method as Method
from backends.model.state import (
    Build,
    BuildPriority,
    BuildState,
    Candidate,
    CommitInfo,
    Event,
    FleetSnapshot,
    Frozen,
    Gate,
    HookState,
    LogLine,
    Operation,
    Plan,
    ReleaseInfo,
    ServiceStatus,
    SlotStatus,
    Source,
)
from backends.model.team_calls import TEAM_METHODS


class SnapshotParams(Frozen):
    after: str = Field(default="", description="Only slots whose names come after this one.")
    limit: int | None = Field(default=None, ge=1, description="Most slots to tell of; all without it.")


class StatusParams(Frozen):
    fresh: bool = Field(default=True, description="Look at the worktrees again before answering.")


class ServiceParams(Frozen):
    service: str


class ServicesParams(Frozen):
    services: tuple[str, ...] = Field(default=(), description="None named: all of the slot.")


class SwitchParams(Frozen):
    service: str
    branch: str | None = None
    source: Source | None = Field(default=None, alias="from")
    hash: str | None = None
    back: bool = False


class BindParams(Frozen):
    service: str
    branch: str | None = None
    source: Source = Field(default="release", alias="from")
    repo: str | None = None
    hash: str | None = None
    auto_rebuild: bool | None = None
    publish: bool | None = None
    enabled: bool | None = None


class PlanParams(SwitchParams):
    action: Literal["switch", "bind", "unbind", "rebuild", "pull", "start", "stop", "restart"]
    publish: bool = False


class RebuildParams(Frozen):
    service: str
    publish: bool = False


class PullParams(Frozen):
    service: str | None = None


class InstallParams(Frozen):
    service: str
    branch: str | None = None
    tag: str | None = None
    reset: bool = Field(default=False, description="Install again, even if it is there.")


class CandidatesParams(Frozen):
    service: str
    kind: Literal["branches", "releases", "pinned"]
    page: int = 1
    limit: int = 50


class CandidatesResult(Frozen):
    items: tuple[Candidate, ...]
    next_page: int | None = None


class LogsParams(Frozen):
    services: tuple[str, ...] = Field(default=(), description="None named: all of the slot.")
    lines: int = Field(default=200, ge=0, le=100_000)
    since: float | None = Field(default=None, description="Seconds since the epoch.")
    grep: str | None = None
    follow: bool = Field(default=False, description="Go on with `log` notifications on this connection.")
    build: str | None = Field(default=None, description="A build's id instead of services.")


class LogsResult(Frozen):
    lines: tuple[LogLine, ...]
    stream: str = Field(default="", description="Names the stream in `log` notifications; empty without follow.")


class LogsStopParams(Frozen):
    stream: str


class OperationRef(Frozen):
    operation: str


class OperationParams(Frozen):
    operation: str


class OperationsResult(Frozen):
    operations: tuple[Operation, ...]


class SubscribeParams(Frozen):
    after: int | None = Field(default=None, description="The last seq seen; none: from now on.")


class SubscribeResult(Frozen):
    seq: int = Field(description="The newest seq at the moment of subscription.")


class PeekParams(Frozen):
    user: str


class PeekLogsParams(LogsParams):
    user: str


class ReleaseListParams(Frozen):
    service: str
    branch: str | None = None
    page: int = 1
    limit: int = 30


class ReleaseListResult(Frozen):
    releases: tuple[ReleaseInfo, ...]
    next_page: int | None = None


class ReportParams(Frozen):
    """What a slot's daemon tells the box: itself whole, single cells, progress, and events to be kept."""

    slot: str
    status: SlotStatus | None = None
    cells: tuple[ServiceStatus, ...] = ()
    removed: tuple[str, ...] = Field(default=(), description="Services whose binding is gone.")
    operations: tuple[Operation, ...] = Field(default=(), description="Progress; not kept.")
    agents: tuple[Agent, ...] = Field(default=(), description="Those that changed; the whole status has all.")
    events: tuple[Event, ...] = Field(default=(), description="From the slot's outbox, oldest first.")
    last_outbox_id: int = Field(default=0, description="The outbox id of the last of `events`.")


class ReportResult(Frozen):
    acknowledged: int = Field(default=0, description="Outbox ids up to this one are safe in the box's log.")


class AuditParams(Frozen):
    limit: int = Field(default=100, ge=1, le=10_000)
    slot: str | None = None


class EventsResult(Frozen):
    events: tuple[Event, ...]


class BoxStatus(Frozen):
    box: str
    root: str
    pid: int
    version: str
    started_at: str
    slots: tuple[str, ...]
    online: tuple[str, ...]
    subscribers: int
    rootless: bool
    problems: tuple[str, ...] = ()


class DownParams(Frozen):
    services: bool = Field(default=True, description="Stop the slots' services too.")


class BuildSubmitParams(Frozen):
    """A build to queue. `repo` and `branch` default to the slot's binding, and then it must have one."""

    user: str = Field(description="Whose slot builds.")
    service: str
    repo: str = ""
    branch: str = ""
    commit: str = Field(default="", description="Full hash that asked for it; empty: the branch's head.")
    publish: bool = False
    restart: bool = Field(default=True, description="Run the result where the binding is on builds.")
    reason: str = Field(default="submit", max_length=200, description="Why, in a word: submit, webhook, poll, …")
    priority: BuildPriority = "interactive"
    build_id: str = Field(default="", description="A slot's own id; submitting it again changes nothing.")
    attached: bool = Field(default=False, description="A step of a running operation of the slot.")


class BuildSubmitResult(Frozen):
    build_id: str
    state: BuildState
    coalesced: bool = Field(default=False, description="An earlier request that still waits answers this one too.")


class BuildListParams(Frozen):
    user: str | None = None
    service: str | None = None
    states: tuple[BuildState, ...] = Field(default=(), description="None named: all.")
    limit: int = Field(default=50, ge=1, le=500)
    before: str | None = Field(default=None, description="A build's id: those older than it.")


class BuildListResult(Frozen):
    builds: tuple[Build, ...] = Field(description="What runs, then what waits in its order, then the newest ends.")
    more: bool = False
    at_once: int = Field(default=1, description="Builds that the box runs at the same time at most.")


class BuildParams(Frozen):
    build_id: str


class SlotBuildParams(Frozen):
    """The box has a slot run a queued build. With an id that the slot knows it answers how that one went."""

    build: Build


class BuildNews(Frozen):
    """The box tells a slot how a build of it stands in the queue."""

    build: Build


class ForkParams(Frozen):
    service: str
    branch: str | None = Field(default=None, description="Default: <trunk>_<suffix of the user>.")


class CompareParams(Frozen):
    service: str
    base: str = Field(description="A tag, branch or full hash.")
    head: str
    page: int = Field(default=1, ge=1)
    limit: int = Field(default=50, ge=1, le=200)


class CompareResult(Frozen):
    """Commits that `head` has and `base` has not, newest first."""

    commits: tuple[CommitInfo, ...]
    next_page: int | None = None


class HooksParams(Frozen):
    rotate: bool = Field(default=False, description="Make new secrets; the old ones hold for ten minutes more.")
    url: str | None = Field(default=None, description="Where the forge reaches the box; default: box.toml's.")
    repos: tuple[str, ...] = Field(default=(), description="None named: the catalogue's and the team repo.")


class HooksResult(Frozen):
    hooks: tuple[HookState, ...]
    url: str = ""


class WebhookParams(Frozen):
    """A delivery as it came over HTTP."""

    headers: dict[str, str]
    body: str = Field(description="Base64.")


class WebhookResult(Frozen):
    status: int = Field(description="The HTTP status that answers it.")
    message: str


class TeamChangedParams(Frozen):
    """The reconciler tells the box what it did: the team repo is at `commit`, and these actions were taken."""

    commit: str = ""
    problems: tuple[str, ...] = ()
    actions: tuple[dict[str, Any], ...] = Field(default=(), description="Each with `user`, `sentence` and `ok`.")


class TeamAction(Frozen):
    """One thing that the reconciler does to the machine for a user, or has done."""

    kind: str
    user: str
    sentence: str
    detail: dict[str, Any] = Field(default_factory=dict)
    ok: bool | None = Field(default=None, description="None: it was not tried.")
    error: str = ""


class TeamRun(Frozen):
    """A reconcile, or with `team.plan` what one would do."""

    commit: str = Field(default="", description="The team repo's commit that is in force.")
    moved_from: str = Field(default="", description="The commit that was in force before, where it moved.")
    actions: tuple[TeamAction, ...] = ()
    problems: tuple[str, ...] = ()
    stopped: str = Field(default="", description="Why nothing at all was applied.")
    started_at: str = ""
    seconds: float = 0.0


class TeamUser(Frozen):
    """What the reconciler knows of a user that it has made an account for."""

    user: str
    uid: int
    phase: Literal["here", "leaving", "packed", "archived"]
    role: str = ""
    kept: bool = Field(default=False, description="Restored by hand: stays, whatever the team repo says.")
    archive: str = ""
    secrets: str = Field(default="", description="The repository that was made for the user's secrets.")


class TeamStatus(Frozen):
    commit: str = ""
    branch: str = ""
    repo: str = ""
    candidate: str = Field(default="", description="The newest commit that was seen, where it is not in force.")
    running: bool = False
    last: TeamRun | None = None
    users: tuple[TeamUser, ...] = ()
    interval: float = 0.0


class TeamRestoreParams(Frozen):
    user: str


class TeamAcceptParams(Frozen):
    commit: str = Field(description="The full hash of the branch's head on the forge.")


class GatesParams(Frozen):
    service: str | None = None
    fresh: bool = Field(default=False, description="Ask the forge again before answering.")


class GatesResult(Frozen):
    gates: tuple[Gate, ...]


METHODS: tuple[Method, ...] = (
    Method("slot.status", "slot", StatusParams, SlotStatus, "Every binding with drift, health and build."),
    Method("slot.plan", "slot", PlanParams, Plan, "What an action would do; does nothing."),
    Method("slot.switch", "slot", SwitchParams, OperationRef, "Change a binding and run the result.", True),
    Method("slot.bind", "slot", BindParams, OperationRef, "Add or change a binding and run it.", True),
    Method("slot.unbind", "slot", ServiceParams, OperationRef, "Stop a service and drop its binding.", True),
    Method("slot.rebuild", "slot", RebuildParams, OperationRef, "Build the worktree, swap, restart.", True),
    Method("slot.pull", "slot", PullParams, OperationRef, "Newest release of each release binding.", True),
    Method("slot.install", "slot", InstallParams, OperationRef, "Install a published archive and run it.", True),
    Method("slot.start", "slot", ServicesParams, OperationRef, "Start services in dependency order.", True),
    Method("slot.stop", "slot", ServicesParams, OperationRef, "Stop services.", True),
    Method("slot.restart", "slot", ServicesParams, OperationRef, "Restart services.", True),
    Method("slot.sync", "slot", Empty, OperationRef, "Fetch repositories, ensure worktrees.", True),
    Method("slot.fork", "slot", ForkParams, OperationRef, "Make my branch on the forge, and bind it.", True),
    Method(
        "slot.build", "slot", SlotBuildParams, Build, "Run a build of the box's queue; answers at its end.", True
    ),
    Method("slot.build_stop", "slot", BuildParams, Empty, "Stop a build of the box's queue.", True),
    Method("build.changed", "slot", BuildNews, Empty, "News from the box's queue.", True),
    Method("slot.candidates", "slot", CandidatesParams, CandidatesResult, "What a service can switch to."),
    Method("slot.logs", "slot", LogsParams, LogsResult, "Lines of services or of a build, merged by time."),
    Method("logs.stop", "both", LogsStopParams, Empty, "End a followed log."),
    Method("operation.get", "slot", OperationParams, Operation, "One operation as it stands."),
    Method("operation.wait", "slot", OperationParams, Operation, "Its `operation` notifications, then its end."),
    Method("operation.list", "slot", Empty, OperationsResult, "Running and recent operations."),
    Method("operation.cancel", "slot", OperationParams, Empty, "Stop an operation cleanly.", True),
    Method("slot.down", "slot", DownParams, Empty, "End the slot's daemon.", True),
    Method("fleet.snapshot", "box", SnapshotParams, FleetSnapshot, "All slots of the box, or a page of them."),
    Method("events.subscribe", "box", SubscribeParams, SubscribeResult, "Stream `event` notifications."),
    Method("peek.slot", "box", PeekParams, SlotStatus, "A teammate's slot, read-only."),
    Method("peek.logs", "box", PeekLogsParams, LogsResult, "A teammate's logs, read-only."),
    Method("release.list", "box", ReleaseListParams, ReleaseListResult, "Published archives of a service."),
    Method("release.compare", "box", CompareParams, CompareResult, "The commits between two releases."),
    Method("codescalers.build.submit", "box", BuildSubmitParams, BuildSubmitResult, "Queue a build.", True),
    Method("build.list", "box", BuildListParams, BuildListResult, "The queue and what went through it."),
    Method("build.get", "box", BuildParams, Build, "One build."),
    Method("build.cancel", "box", BuildParams, Build, "Take a build out of the queue, or stop it.", True),
    Method("hooks.status", "box", HooksParams, HooksResult, "The webhooks on the forge."),
    Method("hooks.install", "box", HooksParams, HooksResult, "Create or rotate the webhooks.", True),
    Method("webhook.handle", "box", WebhookParams, WebhookResult, "A delivery of the forge.", True),
    Method("gate.list", "box", GatesParams, GatesResult, "Whether each service's trunk is fit for everybody."),
    Method("team.changed", "box", TeamChangedParams, Empty, "The reconciler was at work; from root only.", True),
    Method("team.plan", "team_sync", Empty, TeamRun, "What a reconcile would do; does nothing."),
    Method("team.apply", "team_sync", Empty, TeamRun, "Reconcile now with what is reviewed.", True),
    Method("team.status", "team_sync", Empty, TeamStatus, "The reviewed commit, the users, the last run."),
    Method(
        "team.restore", "team_sync", TeamRestoreParams, TeamRun, "Bring a removed user back; admins only.", True
    ),
    Method(
        "team.accept", "team_sync", TeamAcceptParams, TeamRun, "Follow a rewritten history; admins only.", True
    ),
    Method("audit.list", "box", AuditParams, EventsResult, "Who changed what, newest first."),
    Method("slot.report", "box", ReportParams, ReportResult, "A slot's daemon tells its state.", True),
    Method("box.status", "box", Empty, BoxStatus, "The box's daemons."),
    Method("box.down", "box", DownParams, Empty, "End all daemons of a rootless box.", True),
    *TEAM_METHODS,
    *AUDIT_METHODS,
    *AGENT_METHODS,
    *INBOX_METHODS,
    *BROKER_METHODS,
    *HOST_METHODS,
)
"""The table that servers register from, clients call by and docs/openrpc.json is made of."""

BY_NAME: dict[str, Method] = {method.name: method for method in METHODS}
