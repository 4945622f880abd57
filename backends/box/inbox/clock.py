"""Ends each item of the inbox at its time, and forgets those that have been over for long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from backends.box.inbox import rows
from backends.database import Database
from backends.model.errors import HeroError

log = logging.getLogger(__name__)

LOOK_SECONDS = 3600.0
"""Between two looks at what is over, where no time ends sooner."""
AGAIN_SECONDS = 5.0
"""Before a disk that refused is asked again."""


class EndClock:
    """Calls `expire` when the time of an item in `database` is over."""

    def __init__(self, database: Database, expire: Callable[[], Awaitable[None]], now: Callable[[], datetime]):
        self._database = database
        self._expire = expire
        self._now = now
        self._task: asyncio.Task[None] | None = None
        self._sooner = asyncio.Event()

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="inbox-clock")

    def look_again(self) -> None:
        """Items have changed: one may end sooner than was thought."""
        self._sooner.set()

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._sooner.clear()
            pause = await self._until_next_end()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._sooner.wait()

    async def _until_next_end(self) -> float:
        """Seconds until an item's time is over, after all that is overdue was ended."""
        moment = self._now()
        try:
            await self._expire()
            await self._database.run(lambda db: rows.forget_old(db, moment))
            end = await self._database.run(rows.next_end)
        except HeroError as error:
            log.warning("the inbox cannot look what is over: %s", error.message)
            return AGAIN_SECONDS
        if end is None:
            return LOOK_SECONDS
        if end <= moment.timestamp():
            return AGAIN_SECONDS  # a row that cannot be read does not keep the clock busy
        return min(max(0.0, end - self._now().timestamp()), LOOK_SECONDS)
