"""The calls by which a slot is looked at and changed: bindings, services, logs, operations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backends.model.frozen import Frozen
from backends.model.method import Empty, Method
from backends.model.plan import Candidate, Plan
from backends.model.state import LogLine, Operation, SlotStatus, Source


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


class ForkParams(Frozen):
    service: str
    branch: str | None = Field(default=None, description="Default: <trunk>_<suffix of the user>.")


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


class DownParams(Frozen):
    services: bool = Field(default=True, description="Stop the slots' services too.")


SLOT_METHODS: tuple[Method, ...] = (
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
    Method("slot.candidates", "slot", CandidatesParams, CandidatesResult, "What a service can switch to."),
    Method("slot.logs", "slot", LogsParams, LogsResult, "Lines of services or of a build, merged by time."),
    Method("logs.stop", "both", LogsStopParams, Empty, "End a followed log."),
    Method("operation.get", "slot", OperationParams, Operation, "One operation as it stands."),
    Method("operation.wait", "slot", OperationParams, Operation, "Its `operation` notifications, then its end."),
    Method("operation.list", "slot", Empty, OperationsResult, "Running and recent operations."),
    Method("operation.cancel", "slot", OperationParams, Empty, "Stop an operation cleanly.", True),
    Method("slot.down", "slot", DownParams, Empty, "End the slot's daemon.", True),
)
