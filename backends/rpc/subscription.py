"""A stream of notifications as an async iterator that says when it fell behind or lost its connection."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType
from typing import Any, Self

from backends.model.errors import HeroError
from backends.rpc.connection import Connection


class Subscription:
    """The parameters of each notification `method`, from the moment of construction on.

    Make it before the call that starts the stream, so that nothing falls between. Iterating raises HeroError:
    "snapshot_needed" when more than `limit` wait unread (they are dropped: a fresh snapshot is cheaper), and the
    reason of the connection's end, once what had arrived is used up. `close` ends the iteration.
    """

    def __init__(self, connection: Connection, method: str = "event", *, limit: int = 10_000) -> None:
        self._method = method
        self._limit = limit
        self._items: deque[dict[str, Any]] = deque()
        self._end: HeroError | StopAsyncIteration | None = None
        self._changed = asyncio.Event()
        self._unlisten = connection.listen(method, self._put)
        connection.when_lost(self._finish)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> dict[str, Any]:
        while not self._items:
            if self._end:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take no more; whoever waits for the next one sees the iteration's end."""
        self._unlisten()
        self._items.clear()
        self._finish(StopAsyncIteration())

    def _put(self, params: dict[str, Any]) -> None:
        if len(self._items) < self._limit:
            self._items.append(params)
            self._changed.set()
            return
        self._unlisten()
        self._items.clear()
        behind = f"More than {self._limit:,} `{self._method}` notifications waited unread."
        self._finish(HeroError("snapshot_needed", behind, hint="Take a fresh snapshot and subscribe again."))

    def _finish(self, why: HeroError | StopAsyncIteration) -> None:
        self._end = self._end or why
        self._changed.set()
