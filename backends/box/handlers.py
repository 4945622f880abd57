"""Which part of the box answers which call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from pydantic import BaseModel

from backends.box.agent_tools import agent_tools, rule_for_agents
from backends.box.box import Box, now
from backends.box.builds import completed
from backends.box.down import end_slots
from backends.box.edge.hooks import hook_url
from backends.box.harmless import harmless, harmless_fields
from backends.box.host.handlers import host_calls
from backends.box.inbox.callers import Callers
from backends.box.inbox.handlers import inbox_calls
from backends.box.releases import compare, list_releases
from backends.box.reports import check_slot, own_events
from backends.failpoints import failpoint
from backends.model import box_calls, build_calls, forge_calls
from backends.model.audit_calls import AuditNoteParams, noted
from backends.model.broker_calls import BrokerAudited
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.model.slot_calls import DownParams
from backends.model.state import Build, FleetSnapshot
from backends.model.team_calls import TeamChangedParams
from backends.model.text import safe_line
from backends.rpc.dispatcher import Call, Dispatcher
from backends.system_box import login_of
from backends.version import VERSION


def register(dispatcher: Dispatcher, box: Box, ended: asyncio.Event) -> None:
    """Have `dispatcher` answer every call of a box; `box.down` sets `ended`."""
    handlers = _Handlers(box, ended)
    for name, handler in handlers.table().items():
        dispatcher.register(BY_NAME[name], handler)


class _Handlers:
    def __init__(self, box: Box, ended: asyncio.Event):
        self._box = box
        self._ended = ended
        self._callers = Callers(box.rights, box.links, box.fleet, box.team)

    def table(self) -> dict[str, Callable[[Call, Any], Awaitable[BaseModel]]]:
        return {
            "fleet.snapshot": self.snapshot,
            "events.subscribe": self.subscribe,
            "peek.slot": self._box.peeks.slot,
            "peek.logs": self._box.peeks.logs,
            "peek.agent_log": self._box.peeks.agent_log,
            "logs.stop": self._box.peeks.stop,
            "release.list": self.releases,
            "release.compare": self.compare,
            "gate.list": self.gates,
            "codescalers.build.submit": self.build_submit,
            "build.list": self.build_list,
            "build.get": self.build_get,
            "build.cancel": self.build_cancel,
            "hooks.status": self.hooks_status,
            "hooks.install": self.hooks_install,
            "webhook.handle": self.webhook,
            "audit.list": self.audit,
            "audit.note": self.note,
            "broker.audited": self.broker_audited,
            "team.changed": self.team_changed,
            "slot.report": self.report,
            "box.status": self.status,
            "box.down": self.down,
            "agent.tools": partial(agent_tools, self._box.team, self._box.log),
            **host_calls(self._box.host),
            **inbox_calls(
                self._box.inbox, self._callers, self._box.record, partial(rule_for_agents, self._box.team)
            ),
        }

    async def snapshot(self, _: Call, params: box_calls.SnapshotParams) -> FleetSnapshot:
        return await self._box.snapshot(params.after, params.limit)

    async def subscribe(self, call: Call, params: box_calls.SubscribeParams) -> box_calls.SubscribeResult:
        return box_calls.SubscribeResult(seq=await self._box.subscribers.subscribe(call.connection, params.after))

    async def releases(self, _: Call, params: forge_calls.ReleaseListParams) -> forge_calls.ReleaseListResult:
        return await list_releases(self._box.forge, self._box.team.catalogue, params)

    async def build_submit(
        self, call: Call, params: build_calls.BuildSubmitParams
    ) -> build_calls.BuildSubmitResult:
        box = self._box
        if params.attached and not box.links.speaks_for(params.user, call.connection):
            raise HeroError(
                "denied", f"Only the daemon of {params.user}'s slot submits builds of its own operations."
            )
        actor = box.rights.owner_or_admin(call.peer, params.user)
        asked = completed(params, box.fleet.slot(params.user), box.team.catalogue, box.team.trunk)
        result = await box.queue.submit(asked, actor)
        if not params.attached:
            told = {"actor": actor, "asked": asked.model_dump(mode="json"), "build": result.build_id}
            await box.record("audit.build.submit", params.service, told)
        return result

    async def build_list(self, _: Call, params: build_calls.BuildListParams) -> build_calls.BuildListResult:
        return await self._box.queue.listed(params)

    async def build_get(self, _: Call, params: build_calls.BuildParams) -> Build:
        return await self._box.queue.get(params.build_id)

    async def build_cancel(self, call: Call, params: build_calls.BuildParams) -> Build:
        box = self._box
        build = await box.queue.get(params.build_id)
        actor = box.rights.owner_or_admin(call.peer, build.slot)
        ended = await box.queue.cancel(build.id, actor)
        await box.record(
            "audit.build.cancel", build.service, {"actor": actor, "build": build.id, "slot": build.slot}
        )
        return ended

    async def hooks_status(self, _: Call, params: forge_calls.HooksParams) -> forge_calls.HooksResult:
        url = self._hook_url(params)
        return forge_calls.HooksResult(hooks=await self._box.edge.hooks.status(self._hooked(params), url), url=url)

    async def hooks_install(self, call: Call, params: forge_calls.HooksParams) -> forge_calls.HooksResult:
        actor = self._box.rights.admin(call.peer, "install webhooks")
        url = self._hook_url(params)
        hooks = await self._box.edge.hooks.install(self._hooked(params), url, params.rotate)
        told = {"actor": actor, "url": url, "rotate": params.rotate}
        await self._box.record("audit.hooks.install", "", {**told, "repos": [hook.repo for hook in hooks]})
        return forge_calls.HooksResult(hooks=hooks, url=url)

    def _hook_url(self, params: forge_calls.HooksParams) -> str:
        return hook_url(params.url or self._box.file.edge.url)

    def _hooked(self, params: forge_calls.HooksParams) -> tuple[str, ...]:
        """The repositories that are asked for, or all that the box follows."""
        team = self._box.team
        return params.repos or (*dict.fromkeys(entry.repo for entry in team.catalogue), team.repo)

    async def webhook(self, _: Call, params: forge_calls.WebhookParams) -> forge_calls.WebhookResult:
        return await self._box.edge.receiver.handle(params)

    async def compare(self, _: Call, params: forge_calls.CompareParams) -> forge_calls.CompareResult:
        return await compare(self._box.forge, self._box.team.catalogue, params)

    async def gates(self, _: Call, params: forge_calls.GatesParams) -> forge_calls.GatesResult:
        return await self._box.gates.answer(params)

    async def audit(self, _: Call, params: box_calls.AuditParams) -> box_calls.EventsResult:
        return box_calls.EventsResult(events=tuple(await self._box.log.audit(params.limit, params.slot)))

    async def note(self, call: Call, params: AuditNoteParams) -> Empty:
        actor = login_of(call.peer.uid)
        if not self._box.rights.is_root(call.peer):
            raise HeroError("denied", f"{actor} tells what was done to a slot's own daemon.")
        await self._box.record(*noted(params, actor))
        return Empty()

    async def broker_audited(self, call: Call, params: BrokerAudited) -> Empty:
        self._box.rights.broker(call.peer)
        for line in map(harmless_fields, params.lines):
            kind = safe_line(str(line.get("kind", "")), 60)
            await self._box.record(f"audit.{kind}", str(line.get("slot", "")), line)
        return Empty()

    async def report(self, call: Call, params: box_calls.ReportParams) -> box_calls.ReportResult:
        box, slot = self._box, check_slot(params.slot)
        box.rights.speaks_for(call.peer, slot)
        if params.status is None and not box.links.speaks_for(slot, call.connection):
            raise HeroError(
                "conflict", f"This connection does not speak for {slot}.", hint="Begin with its status."
            )
        report = harmless(params)
        events = own_events(report, box.name)
        if report.status is not None:
            box.links.attach(slot, call.connection)
        # From here to the log no other report may come between: the log's order is the state's.
        changes = box.fleet.apply(report, now())
        if report.cells or report.status is not None:
            box.following.bindings_told(slot)
        box.subscribers.publish(changes.progress)
        await box.log.append(changes.kept)
        if report.status is None and not events:
            return box_calls.ReportResult()
        if box.keeper and report.status is not None:
            box.keeper.seen(slot)
        if report.status is not None:
            box.slot_came(slot)
        if events:
            failpoint("boxd.report-taken")
        acknowledged = await box.log.take(slot, events)
        if events:
            failpoint("boxd.report-kept")
            box.following.heard(slot, events)
        return box_calls.ReportResult(acknowledged=acknowledged)

    async def status(self, _: Call, __: Empty) -> box_calls.BoxStatus:
        box = self._box
        return box_calls.BoxStatus(
            box=box.name,
            root=str(box.paths.root),
            pid=os.getpid(),
            version=VERSION,
            started_at=box.started_at.isoformat(),
            slots=box.fleet.names(),
            online=box.fleet.online(),
            subscribers=len(box.subscribers),
            rootless=not box.rights.system,
            problems=box.problems,
        )

    async def team_changed(self, call: Call, params: TeamChangedParams) -> Empty:
        self._box.rights.root(call.peer, "tell the box what became of the team repo")
        await self._box.reconciled(params)
        return Empty()

    async def down(self, call: Call, params: DownParams) -> Empty:
        if self._box.rights.system:
            raise HeroError(
                "usage",
                "This is a system box: systemd runs its daemons, and each slot's.",
                hint="As root: `systemctl stop hero_boxd`; for your own slot: `systemctl --user stop hero_slotd`.",
            )
        await self._box.record("audit.box.down", "", {"actor": login_of(call.peer.uid), **params.model_dump()})
        try:
            await end_slots(self._box, services=params.services)
        finally:
            self._ended.set()
        return Empty()
