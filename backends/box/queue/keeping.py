"""Writes of the queue, all that wait at once: a thousand requests a second cost a few syncs of the disk."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial

from backends.box.queue import rows
from backends.database import Database
from backends.model.errors import HeroError
from backends.model.state import Build

log = logging.getLogger(__name__)

AGAIN_SECONDS = 5.0
"""Before a disk that refused to keep an end is asked again."""


class Keeping:
    """Keeps builds in `database`, the newest state of each. `unkept`: ends that the disk has not taken yet."""

    def __init__(self, database: Database):
        self._database = database
        database.add_schema(rows.create)
        self._waiting: list[tuple[Build, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        self.unkept: dict[str, Build] = {}
        self._again: asyncio.Task[None] | None = None

    async def keep(self, build: Build) -> None:
        """Return once `build` is on the disk. Raises HeroError where the disk refuses."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((build, kept))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="build-queue-writer")
        await kept

    async def keep_end(self, build: Build) -> None:
        """Like `keep`; what the disk refuses is kept as soon as it takes it, and the box goes on meanwhile."""
        self.unkept[build.id] = build
        try:
            await self.keep(build)
            self.unkept.pop(build.id, None)
        except HeroError as error:
            log.error("the end of build %s could not be kept: %s", build.id, error.message)
            if self._again is None or self._again.done():
                self._again = asyncio.create_task(self._keep_again(), name="build-queue-again")

    async def close(self) -> None:
        """Write what waits."""
        if self._again is not None:
            self._again.cancel()
            await asyncio.gather(self._again, return_exceptions=True)
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def _keep_again(self) -> None:
        while self.unkept:
            await asyncio.sleep(AGAIN_SECONDS)
            for build in list(self.unkept.values()):
                with contextlib.suppress(HeroError):
                    await self.keep(build)
                    self.unkept.pop(build.id, None)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            newest = {build.id: build for build, _ in batch}
            told: HeroError | None = None
            try:
                await self._database.run(partial(rows.put, builds=list(newest.values())))
            except HeroError as error:
                told = error
            except Exception as error:
                told = HeroError("internal", f"The build queue could not be written: {error}")
            for _, kept in batch:
                if kept.done():
                    continue
                if told is None:
                    kept.set_result(None)
                else:
                    kept.set_exception(told)
