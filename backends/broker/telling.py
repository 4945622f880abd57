"""Tells the box's daemon what the broker was asked for, so that it stands in the box's audit log too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from pathlib import Path
from typing import Any

from backends.model.errors import HeroError
from backends.rpc.connection import connect

log = logging.getLogger(__name__)

CALL = "broker.audited"
MOST = 1000
"""Lines that wait for a box that is away; above that the oldest go: the broker's own log has them all."""
SECONDS = 10.0
RETRY_SECONDS = 30.0
_AT_ONCE = 100


class BoxTeller:
    """Lines on their way to the daemon at `socket`, which is not started for that."""

    def __init__(self, socket: Path, *, retry: float = RETRY_SECONDS):
        self._socket = socket
        self._retry = retry
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST)
        self._task: asyncio.Task[None] | None = None

    def tell(self, line: dict[str, Any]) -> None:
        """Have `line` told, now or later."""
        self._waiting.append(line)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="tell-box")

    async def close(self) -> None:
        """Give up what was not told yet."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while self._waiting:
            try:
                await self._tell_all()
            except HeroError as error:
                log.info("the box's daemon is told later what was asked for: %s", error.message)
                await asyncio.sleep(self._retry)

    async def _tell_all(self) -> None:
        connection = await connect(self._socket, label="The box's daemon", timeout=SECONDS)
        try:
            while self._waiting:
                part = [self._waiting.popleft() for _ in range(min(len(self._waiting), _AT_ONCE))]
                try:
                    await connection.call(CALL, {"lines": part}, timeout=SECONDS)
                except HeroError as error:
                    if error.code in ("unreachable", "timeout"):
                        self._waiting.extendleft(reversed(part))
                        raise
                    log.info("the box's daemon did not take what was asked for: %s", error.message)
        finally:
            await connection.close()
