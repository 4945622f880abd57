"""The calls about the machine; everybody on the team may look, and measuring changes nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from backends.box.host.host import Host
from backends.model.containers import ContainerReport
from backends.model.host import DiskReport, HostStatus
from backends.model.host_calls import HostMeasureParams, HostStatusParams, HostUnwatchParams, HostWatched
from backends.model.method import Empty
from backends.rpc.dispatcher import Call


def host_calls(host: Host) -> dict[str, Callable[[Call, Any], Awaitable[BaseModel]]]:
    """The handler of each call."""
    handlers = _Handlers(host)
    return {
        "host.status": handlers.status,
        "host.watch": handlers.watch,
        "host.unwatch": handlers.unwatch,
        "host.disk": handlers.disk,
        "host.containers": handlers.containers,
        "host.measure": handlers.measure,
        "host.measure_stop": handlers.measure_stop,
    }


class _Handlers:
    def __init__(self, host: Host):
        self._host = host

    async def status(self, _: Call, params: HostStatusParams) -> HostStatus:
        return await self._host.status(shares=params.shares)

    async def watch(self, call: Call, _: Empty) -> HostWatched:
        return await self._host.watch(call.connection)

    async def unwatch(self, call: Call, params: HostUnwatchParams) -> Empty:
        self._host.unwatch(params.stream, call.connection)
        return Empty()

    async def disk(self, _: Call, __: Empty) -> DiskReport:
        return await self._host.disks.report()

    async def containers(self, _: Call, __: Empty) -> ContainerReport:
        return await self._host.containers.report()

    async def measure(self, _: Call, params: HostMeasureParams) -> DiskReport:
        self._host.disks.measure(params.slots)
        return await self._host.disks.report()

    async def measure_stop(self, _: Call, __: Empty) -> Empty:
        self._host.disks.stop()
        return Empty()
