"""Keeps the drift of the cells true: what the forge has published, and what the worktrees hold."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable

from backends.model.errors import HeroError
from backends.slot.board import Board, WorktreeFacts
from backends.slot.sources import Sources
from backends.slot.worktrees import Worktrees

log = logging.getLogger(__name__)

_AT_ONCE = 4


class Refresher:
    """Looks again at what a cell's drift is made of; one look at a time a service, the newest request wins."""

    def __init__(self, board: Board, sources: Sources, worktrees: Worktrees):
        self._board = board
        self._sources = sources
        self._worktrees = worktrees
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._fetch: set[str] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._looked: Callable[[str], None] = lambda _: None

    def when_looked(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with each service whose newest release has just been seen."""
        self._looked = callback

    def pushed(self, *services: str) -> None:
        """Somebody pushed to the repositories of `services`: fetch those with a worktree, then look."""
        self._fetch.update(services)
        if services:
            self.soon(*services)

    def soon(self, *services: str) -> None:
        """Look at `services` (none: all) in the background."""
        for service in services or self._board.services():
            if service in self._tasks:
                self._again.add(service)
                continue
            task = asyncio.create_task(self._look(service), name=f"refresh-{service}")
            self._tasks[service] = task
            task.add_done_callback(functools.partial(self._done, service))

    async def worktrees(self, within: float) -> None:
        """Look at all worktrees now; those not done after `within` seconds tell later, by their cells."""
        looks = [
            asyncio.create_task(self._look_at_worktree(service), name=f"worktree-{service}")
            for service in self._board.services()
        ]
        if looks:
            await asyncio.wait(looks, timeout=within)

    async def settled(self) -> None:
        """Wait until nothing is being looked at."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            await asyncio.sleep(0)

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _done(self, service: str, _: asyncio.Task[None]) -> None:
        self._tasks.pop(service, None)
        if service in self._again:
            self._again.discard(service)
            self.soon(service)

    async def _look(self, service: str) -> None:
        async with self._slots:
            await self._look_at_forge(service)
            await self._fetch_if_pushed(service)
            await self._look_at_worktree(service)

    async def _look_at_forge(self, service: str) -> None:
        facts = self._board.facts(service)
        if facts is None or facts.binding.source != "release" or not facts.repo:
            return
        try:
            commit, tag, _ = await self._sources.newest_published(facts.repo, facts.binding.branch)
        except HeroError as error:
            self._board.update(service, forge_error=error.message)
            return
        self._board.update(service, newest=commit, newest_tag=tag, forge_error="")
        self._looked(service)

    async def _fetch_if_pushed(self, service: str) -> None:
        facts = self._board.facts(service)
        if service not in self._fetch or facts is None or facts.binding.source != "build":
            return
        self._fetch.discard(service)
        try:
            await self._worktrees.fetch(facts.repo)
        except HeroError as error:
            log.info("fetch of %s: %s", facts.repo, error.message)

    async def _look_at_worktree(self, service: str) -> None:
        facts = self._board.facts(service)
        if facts is None:
            return
        if facts.binding.source != "build":
            self._board.update(service, worktree=WorktreeFacts())
            return
        try:
            state = await self._worktrees.state(service, facts.binding.branch)
        except HeroError as error:
            log.info("worktree of %s: %s", service, error.message)
            return
        if not state.exists:
            self._board.update(service, worktree=WorktreeFacts())
            return
        found = WorktreeFacts(
            path=str(state.path),
            head=state.commit or "",
            dirty=state.dirty,
            ahead=state.ahead,
            behind=state.behind,
        )
        self._board.update(service, worktree=found, newest=found.head)
