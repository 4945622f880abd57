"""The requests that one connection has in work: so many at once, the rest in line, each in an owned task."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from backends.rpc.limits import Limits
from backends.rpc.wire import Request

T = TypeVar("T")
_CANCEL_SECONDS = 2.0


class Work:
    """Runs `serve` for each request taken; `changed` is called whenever one has ended."""

    def __init__(
        self, serve: Callable[[Request], Coroutine[Any, Any, None]], limits: Limits, changed: Callable[[], None]
    ) -> None:
        self._serve = serve
        self._limits = limits
        self._changed = changed
        self._waiting: deque[Request] = deque()
        self._running: set[asyncio.Task[Any]] = set()
        self._lasting: set[asyncio.Task[Any]] = set()

    @property
    def full(self) -> bool:
        """Whether as many requests wait as may."""
        return len(self._waiting) >= self._limits.waiting

    @property
    def idle(self) -> bool:
        return not self._running and not self._lasting

    def take(self, request: Request) -> None:
        """Run `request` as soon as there is room."""
        if len(self._running) < self._limits.running:
            self._start(request)
        else:
            self._waiting.append(request)

    def take_back(self) -> list[Request]:
        """The requests that have not begun; they are no longer to be run."""
        back = list(self._waiting)
        self._waiting.clear()
        return back

    async def to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """`work`'s result; `work` itself outlives `abandon` and the caller's cancellation."""
        task = asyncio.create_task(work)
        self._lasting.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def abandon(self) -> None:
        """Give up everything that nobody waits for any more."""
        self._waiting.clear()
        for task in self._running:
            task.cancel()

    async def finish(self, grace: float) -> None:
        """Wait `grace` seconds for what runs, then cancel it; returns when it has ended."""
        if grace > 0 and not self.idle:
            await asyncio.wait(self._running | self._lasting, timeout=grace)
        for task in self._running | self._lasting:
            task.cancel()
        if not self.idle:
            await asyncio.wait(self._running | self._lasting, timeout=_CANCEL_SECONDS)

    def _start(self, request: Request) -> None:
        task = asyncio.create_task(self._serve(request), name=f"rpc {request.method[:100]}")
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._lasting.discard(task)
        if self._waiting and len(self._running) < self._limits.running:
            self._start(self._waiting.popleft())
        self._changed()
