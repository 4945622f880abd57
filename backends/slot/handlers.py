"""Which verb answers which call of a slot, and how each change gets into the audit log."""

from __future__ import annotations

import pwd
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel

from backends.model import slot_calls as calls
from backends.model.agent_calls import ClaudeStatus, ClaudeUseParams
from backends.model.audit_calls import AuditNoteParams, noted
from backends.model.build_calls import BuildNews, BuildParams, SlotBuildParams
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.model.plan import Plan
from backends.model.state import Build, Operation, SlotStatus
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import Call, Dispatcher
from backends.slot import forking, running, switching
from backends.slot.agents.calls import AgentCalls
from backends.slot.logs_stream import LogStreams
from backends.slot.operations import Progress
from backends.slot.planning import plan
from backends.slot.room.calls import RoomCalls
from backends.slot.slot import Slot
from backends.slot.sources import mark_current

FRESH_WITHIN = 0.06
"""Seconds that a status waits for git; what takes longer is told by an event."""

Result = dict[str, Any]


def register(dispatcher: Dispatcher, slot: Slot, down: Callable[[bool], Awaitable[None]]) -> None:
    """Have `dispatcher` answer every call of a slot; `down(services)` ends the daemon."""
    handlers = _Handlers(slot, down)
    for name, handler in handlers.table().items():
        dispatcher.register(BY_NAME[name], handler)


class _Handlers:
    def __init__(self, slot: Slot, down: Callable[[bool], Awaitable[None]]):
        self._slot = slot
        self._context = slot.context
        self._down = down
        self._streams = LogStreams(slot.context)
        self._agents = AgentCalls(slot.agents, self._audit)
        self._room = RoomCalls(slot, self._begin)

    def table(self) -> dict[str, Callable[[Call, Any], Awaitable[BaseModel]]]:
        return {
            "slot.status": self.status,
            "slot.plan": self.plan,
            "slot.switch": self.switch,
            "slot.bind": self.bind,
            "slot.unbind": self.unbind,
            "slot.rebuild": self.rebuild,
            "slot.pull": self.pull,
            "slot.install": self.install,
            "slot.start": self.start,
            "slot.stop": self.stop,
            "slot.restart": self.restart,
            "slot.sync": self.sync,
            "slot.fork": self.fork,
            "slot.build": self.build,
            "slot.build_stop": self.build_stop,
            "build.changed": self.build_changed,
            "slot.candidates": self.candidates,
            "slot.logs": self._streams.open,
            "logs.stop": self.logs_stop,
            "operation.get": self.operation_get,
            "operation.wait": self.operation_wait,
            "operation.list": self.operation_list,
            "operation.cancel": self.operation_cancel,
            "slot.down": self.down,
            "audit.note": self.note,
            "claude.status": self.claude_status,
            "claude.use": self.claude_use,
            **self._agents.table(),
            **self._room.table(),
        }

    async def status(self, _: Call, params: calls.StatusParams) -> SlotStatus:
        if params.fresh:
            await self._context.refresher.worktrees(FRESH_WITHIN)
        return self._slot.status()

    async def plan(self, _: Call, params: calls.PlanParams) -> Plan:
        return await plan(self._context, params)

    async def switch(self, call: Call, params: calls.SwitchParams) -> calls.OperationRef:
        title = (
            f"switch {params.service} {'--back' if params.back else params.branch or params.hash or ''}".strip()
        )
        return self._begin(
            call, "switch", params, lambda p: switching.switch(self._context, params, p), title=title
        )

    async def bind(self, call: Call, params: calls.BindParams) -> calls.OperationRef:
        switching.bind_asked(self._context, params)
        return self._begin(call, "bind", params, lambda p: switching.bind(self._context, params, p))

    async def unbind(self, call: Call, params: calls.ServiceParams) -> calls.OperationRef:
        self._context.bound(params.service)
        return self._begin(call, "unbind", params, lambda p: running.unbind(self._context, params.service, p))

    async def rebuild(self, call: Call, params: calls.RebuildParams) -> calls.OperationRef:
        self._context.bound(params.service)
        return self._begin(
            call,
            "rebuild",
            params,
            lambda p: switching.rebuild(self._context, params.service, params.publish, p),
        )

    async def pull(self, call: Call, params: calls.PullParams) -> calls.OperationRef:
        return self._begin(call, "pull", params, lambda p: switching.pull(self._context, params.service, p))

    async def install(self, call: Call, params: calls.InstallParams) -> calls.OperationRef:
        return self._begin(call, "install", params, lambda p: switching.install(self._context, params, p))

    async def start(self, call: Call, params: calls.ServicesParams) -> calls.OperationRef:
        return self._begin(call, "start", params, lambda p: running.start(self._context, params.services, p))

    async def stop(self, call: Call, params: calls.ServicesParams) -> calls.OperationRef:
        return self._begin(call, "stop", params, lambda p: running.stop(self._context, params.services, p))

    async def restart(self, call: Call, params: calls.ServicesParams) -> calls.OperationRef:
        return self._begin(
            call, "restart", params, lambda p: running.start(self._context, params.services, p, again=True)
        )

    async def sync(self, call: Call, params: Empty) -> calls.OperationRef:
        return self._begin(call, "sync", params, lambda p: running.sync(self._context, p))

    async def fork(self, call: Call, params: calls.ForkParams) -> calls.OperationRef:
        binding = forking.fork_asked(self._context, params)
        title = f"fork {params.service} {binding.branch}"
        return self._begin(call, "fork", params, lambda p: forking.fork(self._context, binding, p), title=title)

    async def build(self, _: Call, params: SlotBuildParams) -> Build:
        return await self._slot.queued.run(params.build)

    async def build_stop(self, _: Call, params: BuildParams) -> Empty:
        self._slot.queued.stop(params.build_id)
        return Empty()

    async def build_changed(self, _: Call, params: BuildNews) -> Empty:
        self._slot.queued.news(params.build)
        return Empty()

    async def candidates(self, _: Call, params: calls.CandidatesParams) -> calls.CandidatesResult:
        slot, service = self._context, params.service
        asked = slot.asked_binding(calls.SwitchParams(service=service, source="release"))
        repo = slot.repo_of(asked)
        facts = slot.board.facts(service)
        version = facts.installed.hash if facts and facts.installed else ""
        installed = {one.version[:8] for one in slot.installs.versions(service)}
        if params.kind == "pinned":
            pinned = slot.installed_candidates(service)
            return calls.CandidatesResult(items=mark_current(pinned, version, installed))
        look = slot.sources.branches if params.kind == "branches" else slot.sources.releases
        found, following = await look(service, repo, params.page, params.limit)
        return calls.CandidatesResult(items=mark_current(found, version, installed), next_page=following)

    async def logs_stop(self, call: Call, params: calls.LogsStopParams) -> Empty:
        if self._slot.agents.logs.stop(params.stream):
            return Empty()
        return await self._streams.stop(call, params)

    async def claude_status(self, _: Call, __: Empty) -> ClaudeStatus:
        return await self._slot.claude.status()

    async def claude_use(self, call: Call, params: ClaudeUseParams) -> ClaudeStatus:
        status = await self._slot.claude.use(params.preference)
        self._audit(call.connection, "audit.claude.use", "", {"preference": params.preference})
        return status

    async def operation_get(self, _: Call, params: calls.OperationParams) -> Operation:
        return self._context.operations.get(params.operation)

    async def operation_wait(self, call: Call, params: calls.OperationParams) -> Operation:
        operations = self._context.operations

        def tell(operation: Operation) -> None:
            if operation.id == params.operation:
                call.connection.notify("operation", operation.model_dump(mode="json", by_alias=True))

        end = operations.watch(tell)
        try:
            return await operations.wait(params.operation)
        finally:
            end()

    async def operation_list(self, _: Call, __: Empty) -> calls.OperationsResult:
        return calls.OperationsResult(operations=self._context.operations.all())

    async def operation_cancel(self, _: Call, params: calls.OperationParams) -> Empty:
        self._context.operations.cancel(params.operation)
        return Empty()

    async def down(self, call: Call, params: calls.DownParams) -> Empty:
        self._slot.record("audit.down", "", {"actor": self._actor(call.connection), **params.model_dump()})
        await self._down(params.services)
        return Empty()

    async def note(self, call: Call, params: AuditNoteParams) -> Empty:
        if call.peer.uid != self._slot.uid:
            raise HeroError("denied", f"What is done in {self._context.user}'s slot is told by its owner alone.")
        self._slot.record(*noted(params, self._actor(call.connection)))
        return Empty()

    def _begin(
        self,
        call: Call,
        kind: str,
        params: BaseModel,
        work: Callable[[Progress], Awaitable[Result]],
        *,
        title: str = "",
    ) -> calls.OperationRef:
        """Start `work` as an operation of the caller; its end is audited, however it ends."""
        actor = self._actor(call.connection)
        if (agent := self._slot.agents.behind(call.peer.pid)) and call.peer.uid == self._slot.uid:
            actor = f"{actor} via agent {agent}"
        asked = params.model_dump(mode="json", by_alias=True, exclude_none=True)
        service = asked.get("service") or ""
        if not title:
            title = f"{kind} {service or ' '.join(asked.get('services', ()))}".strip()
        id_ = self._context.operations.start(kind, work, service=service, title=title, actor=actor)
        self._slot.audit_end(id_, asked)
        return calls.OperationRef(operation=id_)

    def _audit(self, connection: Connection, kind: str, subject: str, told: Mapping[str, Any]) -> None:
        self._slot.record(kind, subject, {"actor": self._actor(connection), **told})

    def _actor(self, connection: Connection) -> str:
        """The login behind the peer's uid, which the kernel tells."""
        uid = connection.peer.uid
        if uid == self._slot.uid:
            return self._context.user
        try:
            return pwd.getpwuid(uid).pw_name
        except KeyError:
            return str(uid)
