"""Which part of the box answers which call."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from backends.box.box import Box, now
from backends.box.down import end_slots
from backends.box.harmless import harmless
from backends.box.releases import list_releases
from backends.box.reports import check_slot, own_events
from backends.failpoints import failpoint
from backends.model import calls
from backends.model.errors import HeroError
from backends.model.state import FleetSnapshot
from backends.rpc.dispatcher import Call, Dispatcher
from backends.version import VERSION


def register(dispatcher: Dispatcher, box: Box, ended: asyncio.Event) -> None:
    """Have `dispatcher` answer every call of a box; `box.down` sets `ended`."""
    handlers = _Handlers(box, ended)
    for name, handler in handlers.table().items():
        dispatcher.register(calls.BY_NAME[name], handler)


class _Handlers:
    def __init__(self, box: Box, ended: asyncio.Event):
        self._box = box
        self._ended = ended

    def table(self) -> dict[str, Callable[[Call, Any], Awaitable[BaseModel]]]:
        return {
            "fleet.snapshot": self.snapshot,
            "events.subscribe": self.subscribe,
            "peek.slot": self._box.peeks.slot,
            "peek.logs": self._box.peeks.logs,
            "logs.stop": self._box.peeks.stop,
            "release.list": self.releases,
            "audit.list": self.audit,
            "slot.report": self.report,
            "box.status": self.status,
            "box.down": self.down,
        }

    async def snapshot(self, _: Call, __: calls.Empty) -> FleetSnapshot:
        return await self._box.snapshot()

    async def subscribe(self, call: Call, params: calls.SubscribeParams) -> calls.SubscribeResult:
        return calls.SubscribeResult(seq=await self._box.subscribers.subscribe(call.connection, params.after))

    async def releases(self, _: Call, params: calls.ReleaseListParams) -> calls.ReleaseListResult:
        return await list_releases(self._box.forge, self._box.team.catalogue, params)

    async def audit(self, _: Call, params: calls.AuditParams) -> calls.EventsResult:
        return calls.EventsResult(events=tuple(await self._box.log.audit(params.limit, params.slot)))

    async def report(self, call: Call, params: calls.ReportParams) -> calls.ReportResult:
        box, slot = self._box, check_slot(params.slot)
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
        box.subscribers.publish(changes.progress)
        await box.log.append(changes.kept)
        if report.status is None and not events:
            return calls.ReportResult()
        if box.keeper and report.status is not None:
            box.keeper.seen(slot)
        if events:
            failpoint("boxd.report-taken")
        acknowledged = await box.log.take(slot, events)
        if events:
            failpoint("boxd.report-kept")
        return calls.ReportResult(acknowledged=acknowledged)

    async def status(self, _: Call, __: calls.Empty) -> calls.BoxStatus:
        box = self._box
        return calls.BoxStatus(
            box=box.name,
            root=str(box.paths.root),
            pid=os.getpid(),
            version=VERSION,
            started_at=box.started_at.isoformat(),
            slots=box.fleet.names(),
            online=box.fleet.online(),
            subscribers=len(box.subscribers),
            rootless=True,
            problems=box.problems,
        )

    async def down(self, call: Call, params: calls.DownParams) -> calls.Empty:
        await self._box.record("audit.box.down", "", {"actor": _login(call), **params.model_dump()})
        try:
            await end_slots(self._box, services=params.services)
        finally:
            self._ended.set()
        return calls.Empty()


def _login(call: Call) -> str:
    """The login behind the peer's uid, which the kernel tells."""
    try:
        return pwd.getpwuid(call.peer.uid).pw_name
    except KeyError:
        return str(call.peer.uid)
