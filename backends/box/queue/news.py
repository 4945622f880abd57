"""Tells slots how their builds stand in the queue: one call a slot at a time, the newest state of each build."""

from __future__ import annotations

import asyncio
import logging

from backends.box.links import NEWS_SECONDS, Links
from backends.model.errors import HeroError
from backends.model.state import Build

log = logging.getLogger(__name__)


class News:
    """Calls `build.changed` over `links`. A slot that is away, slow or lost while it is told misses the news."""

    def __init__(self, links: Links):
        self._links = links
        self._waiting: dict[str, dict[str, Build]] = {}
        self._tellers: dict[str, asyncio.Task[None]] = {}

    def tell(self, build: Build) -> None:
        """Have the slot of `build` told; never waits."""
        if self._links.get(build.slot) is None:
            return
        self._waiting.setdefault(build.slot, {})[build.id] = build
        if build.slot not in self._tellers:
            task = asyncio.create_task(self._tell(build.slot), name=f"build-news {build.slot}")
            self._tellers[build.slot] = task
            task.add_done_callback(lambda _: self._tellers.pop(build.slot, None))

    async def close(self) -> None:
        """Tell nothing more."""
        tasks = list(self._tellers.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, slot: str) -> None:
        waiting = self._waiting[slot]
        while waiting:
            build = waiting.pop(next(iter(waiting)))
            try:
                link = self._links.reach(slot)
                params = {"build": build.model_dump(mode="json", by_alias=True)}
                await link.call("build.changed", params, timeout=NEWS_SECONDS)
            except HeroError as error:
                log.info("%s's slot was not told of build %s: %s", slot, build.id, error.message)
