"""Which call of the broker is answered by what."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from backends.broker.broker import Broker
from backends.model.broker_calls import (
    ClaudeKey,
    KeyGetParams,
    KeyInfo,
    KeyListResult,
    KeyParams,
    KeySetParams,
    KeyStatusParams,
    LeaseParams,
)
from backends.model.calls import BY_NAME
from backends.model.claude import OrgGrant
from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.rpc.dispatcher import Call, Dispatcher


def register(dispatcher: Dispatcher, broker: Broker, ended: asyncio.Event, *, system: bool) -> None:
    """Have `dispatcher` answer every call of the broker; `aibroker.down` sets `ended`."""
    handlers = _Handlers(broker, ended, system=system)
    for name, handler in handlers.table().items():
        dispatcher.register(BY_NAME[name], handler)


class _Handlers:
    def __init__(self, broker: Broker, ended: asyncio.Event, *, system: bool):
        self._broker = broker
        self._ended = ended
        self._system = system

    def table(self) -> dict[str, Callable[[Call, Any], Awaitable[BaseModel]]]:
        return {
            "aibroker.claude_key.get": self.get,
            "aibroker.claude_key.status": self.status,
            "aibroker.claude_key.set": self.set,
            "aibroker.claude_key.rotate": self.rotate,
            "aibroker.claude_key.revoke": self.revoke,
            "aibroker.claude_key.list": self.list,
            "aibroker.claude_key.release": self.release,
            "aibroker.leases": self.leases,
            "aibroker.down": self.down,
        }

    async def get(self, call: Call, params: KeyGetParams) -> ClaudeKey:
        return await self._broker.get(call.peer, params)

    async def status(self, call: Call, params: KeyStatusParams) -> OrgGrant:
        return await self._broker.status(call.peer, params.user)

    async def set(self, call: Call, params: KeySetParams) -> KeyInfo:
        return await self._broker.set(call.peer, params, rotate=False)

    async def rotate(self, call: Call, params: KeySetParams) -> KeyInfo:
        return await self._broker.set(call.peer, params, rotate=True)

    async def revoke(self, call: Call, params: KeyParams) -> Empty:
        await self._broker.revoke(call.peer, params.slot)
        return Empty()

    async def list(self, call: Call, _: Empty) -> KeyListResult:
        return await self._broker.listed(call.peer)

    async def release(self, call: Call, params: LeaseParams) -> Empty:
        await self._broker.release(call.peer, params.lease)
        return Empty()

    async def leases(self, call: Call, _: Empty) -> Empty:
        self._broker.endings.listen(call.connection)
        return Empty()

    async def down(self, _: Call, __: Empty) -> Empty:
        if self._system:
            raise HeroError(
                "usage",
                "This is a system box: systemd runs its broker.",
                hint="As root: `systemctl stop hero_aibroker`.",
            )
        self._ended.set()
        return Empty()
