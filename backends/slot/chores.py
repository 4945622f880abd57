"""What may be done after a switch, out of its way: old versions pruned, the new one made durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine

from backends.model.errors import HeroError
from backends.slot.installs import Installed, Installs

log = logging.getLogger(__name__)


class Chores:
    """Owned background work of one slot."""

    def __init__(self, installs: Installs):
        self._installs = installs
        self._tasks: set[asyncio.Task[None]] = set()

    def after_switch(self, service: str, installed: Installed, before: Installed | None) -> None:
        """Settle the new version and prune the old ones, soon."""
        keep = {installed.version, before.version if before else ""}
        self._begin(self._tidy(service, installed.folder, keep), f"tidy-{service}")

    async def close(self) -> None:
        """Wait for what is being done."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, work: Coroutine[None, None, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tidy(self, service: str, folder: str, keep: set[str]) -> None:
        try:
            await self._installs.settle(service, folder)
            await self._installs.prune(service, keep)
        except HeroError as error:
            log.warning("tidying %s: %s", service, error.message)
