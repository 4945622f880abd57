"""The box itself: fleet, log, listeners, team and forge wired together; what happens becomes an event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

from backends.archives.cache import ArchiveCache
from backends.box.eventlog import EventLog
from backends.box.fleet import Fleet
from backends.box.keeper import Keeper
from backends.box.links import Links
from backends.box.peek import Peeks
from backends.box.releases import ReleaseNews
from backends.box.subscribers import Subscribers
from backends.box.team import Team
from backends.forge.base import Forge
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.state import Event, FleetSnapshot

log = logging.getLogger(__name__)

COLLECT_FIRST, COLLECT_EVERY = 600.0, 6 * 3600.0
"""Seconds to the first clean-up of the archive cache, and between two."""

FORGE_RETRY_SECONDS = 5.0


class Box:
    """A box's state and what moves it. `argv` is the command of a slot's daemon; None: the box starts none."""

    def __init__(
        self,
        paths: BoxPaths,
        name: str,
        team_repo: str,
        forge: Forge,
        argv: Callable[[str], list[str]] | None = None,
    ):
        self.paths = paths
        self.name = name
        self.forge = forge
        self.started_at = now()
        self.fleet = Fleet(name)
        self.team = Team(forge, team_repo, paths.team)
        self.log = EventLog(paths.database, self._tell)
        self.subscribers = Subscribers(self.log)
        self.links = Links(self._slot_lost)
        self.peeks = Peeks(self.fleet, self.links, self.team.hides_logs)
        self.keeper = Keeper(paths, argv) if argv else None
        self._news = ReleaseNews(forge)
        self._cache = ArchiveCache(paths.cache)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that a person should know of, in sentences."""
        return (*self.team.problems, *self.log.problems, *(self.keeper.problems if self.keeper else ()))

    async def open(self) -> None:
        """Open the log, read the team repo, start the slots' daemons. Raises HeroError."""
        await self.log.open()
        await self.team.load()
        await self.log.append(self._take_team())
        # In this order: the watch is in force before the look at what was there.
        self.spawn(self._watch_forge(), "watch-forge")
        self.spawn(self.refresh_team(), "refresh-team")
        self.spawn(self._collect_now_and_then(), "collect-archives")

    def leave(self) -> None:
        """From here on a slot's connection ends because of us, and that says nothing of the slot."""
        self._closing = True

    async def close(self) -> None:
        """End everything that runs here; the slots' daemons go on."""
        self.leave()
        if self.keeper:
            await self.keeper.close()
        await self.peeks.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.links.close()
        await self.subscribers.close()
        await self.log.close()

    async def snapshot(self) -> FleetSnapshot:
        """The fleet, and the number of the last event that is in it."""
        slots = self.fleet.slots()
        moment = now()
        seq = await self.log.settled()
        return FleetSnapshot(
            box=self.name,
            seq=seq,
            trunk=self.team.trunk,
            catalogue=self.team.catalogue,
            slots=slots,
            problems=self.problems,
            time=moment,
        )

    async def record(self, kind: str, subject: str, data: dict[str, Any]) -> None:
        """Keep and tell an event of the box itself."""
        await self.log.append(
            [Event(seq=0, time=now(), box=self.name, slot="", kind=kind, subject=subject, data=data)]
        )

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Run `work` as a task that `close` ends."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s ended: %s", task.get_name(), error, exc_info=error)

    def _tell(self, events: Sequence[Event]) -> None:
        self.subscribers.publish(events)

    def _slot_lost(self, slot: str) -> None:
        if not self._closing:
            self.log.put(self.fleet.disconnected(slot, now()))

    def _take_team(self) -> list[Event]:
        people = self.team.people
        if self.keeper:
            self.keeper.keep(people)
        return self.fleet.expect(people, now())

    async def _watch_forge(self) -> None:
        while True:
            try:
                async for repo in self.forge.changes():
                    await self._forge_changed(repo)
            except HeroError as error:
                log.warning("the forge cannot be watched: %s", error)
            await asyncio.sleep(FORGE_RETRY_SECONDS)

    async def _forge_changed(self, repo: str) -> None:
        if repo == self.team.repo:
            await self.refresh_team()
        self.links.tell_all("forge.changed", {"repo": repo})
        services = [entry.name for entry in self.team.catalogue if entry.repo == repo]
        for release in await self._news.new_in(repo):
            data = {"repo": repo, "services": services, "release": release.model_dump(mode="json")}
            await self.record("release.published", release.tag, data)

    async def refresh_team(self) -> None:
        """Read the team repo again, and tell everybody if it changed."""
        changed = await self.team.refresh()
        await self._news.begin({entry.repo for entry in self.team.catalogue})
        if not changed:
            return
        await self.log.append(self._take_team())
        self.links.tell_all("team.changed", {})
        data = {"commit": self.team.commit, "problems": list(self.team.problems)}
        await self.record("team.changed", self.team.repo, data)

    async def _collect_now_and_then(self) -> None:
        pause = COLLECT_FIRST
        while True:
            await asyncio.sleep(pause)
            pause = COLLECT_EVERY
            if not self.fleet.complete(home.name for home in self.paths.homes.glob("*")):
                # A slot that has not reported may have installed what nobody else has.
                continue
            try:
                done = await self._cache.collect(set(self.fleet.installed()))
                log.info(
                    "the archive cache: %d archives removed, %d bytes freed", len(done.removed), done.freed_bytes
                )
            except HeroError as error:
                log.warning("the archive cache was not cleaned up: %s", error)


def now() -> datetime:
    """The present, with its zone."""
    return datetime.now(UTC)
