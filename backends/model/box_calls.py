"""The calls about the box itself: its fleet, its events, a look into a teammate's slot, what a slot reports."""

from __future__ import annotations

from pydantic import Field

from backends.model.agents import Agent
from backends.model.frozen import Frozen
from backends.model.method import Empty, Method
from backends.model.slot_calls import DownParams, LogsParams, LogsResult
from backends.model.state import Event, FleetSnapshot, Operation, ServiceStatus, SlotStatus


class SnapshotParams(Frozen):
    after: str = Field(default="", description="Only slots whose names come after this one.")
    limit: int | None = Field(default=None, ge=1, description="Most slots to tell of; all without it.")


class SubscribeParams(Frozen):
    after: int | None = Field(default=None, description="The last seq seen; none: from now on.")


class SubscribeResult(Frozen):
    seq: int = Field(description="The newest seq at the moment of subscription.")


class PeekParams(Frozen):
    user: str


class PeekLogsParams(LogsParams):
    user: str


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


BOX_METHODS: tuple[Method, ...] = (
    Method("fleet.snapshot", "box", SnapshotParams, FleetSnapshot, "All slots of the box, or a page of them."),
    Method("events.subscribe", "box", SubscribeParams, SubscribeResult, "Stream `event` notifications."),
    Method("peek.slot", "box", PeekParams, SlotStatus, "A teammate's slot, read-only."),
    Method("peek.logs", "box", PeekLogsParams, LogsResult, "A teammate's logs, read-only."),
    Method("audit.list", "box", AuditParams, EventsResult, "Who changed what, newest first."),
    Method("slot.report", "box", ReportParams, ReportResult, "A slot's daemon tells its state.", True),
    Method("box.status", "box", Empty, BoxStatus, "The box's daemons."),
    Method("box.down", "box", DownParams, Empty, "End all daemons of a rootless box.", True),
)
