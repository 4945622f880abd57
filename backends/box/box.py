"""The box itself: fleet, log, listeners, team and forge wired together; what happens becomes an event."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any

import psutil

from backends.archives.cache import ArchiveCache
from backends.box.collecting import collect_now_and_then
from backends.box.edge.absent import Known
from backends.box.edge.edge import Asks, Edge
from backends.box.edge.inbox import Look
from backends.box.edge.numbers import Numbers
from backends.box.eventlog import EventLog
from backends.box.fleet import Fleet
from backends.box.following import Following
from backends.box.gates import Gates
from backends.box.host.host import Host
from backends.box.inbox.handlers import changed_event
from backends.box.inbox.inbox import Inbox
from backends.box.keeper import Keeper
from backends.box.links import Links
from backends.box.peek import Peeks
from backends.box.queue.queue import BuildQueue
from backends.box.reconciling import ask_to_reconcile
from backends.box.rights import Rights
from backends.box.subscribers import Subscribers
from backends.box.team import PublishedTeam, Team
from backends.database import Database
from backends.forge.base import Forge
from backends.model.boxfile import BoxFile
from backends.model.host import HostWarning
from backends.model.inbox import InboxItem
from backends.model.paths import BoxPaths
from backends.model.state import Build, Event, FleetSnapshot
from backends.model.team_calls import TeamChangedParams
from backends.model.text import safe_line
from backends.system_box import TEAM_SYNC_SOCKET

log = logging.getLogger(__name__)


class Box:
    """A box's state and what moves it. `argv` is the command of a slot's daemon; None: the box starts none."""

    def __init__(
        self, paths: BoxPaths, boxfile: BoxFile, forge: Forge, argv: Callable[[str], list[str]] | None = None
    ):
        self.paths = paths
        self.name = name = boxfile.name
        self.file = boxfile
        self.forge = forge
        self.started_at = now()
        self.fleet = Fleet(name)
        self.is_system = boxfile.kind == "system"
        team = PublishedTeam if self.is_system else Team
        self.team = team(forge, boxfile.team_repo, paths.team)
        self.rights = Rights(system=self.is_system, admins=lambda: self.team.admins)
        self._database = Database(paths.database)
        self.log = EventLog(self._database, self._tell)
        self.subscribers = Subscribers(self.log)
        self.links = Links(self._slot_lost)
        self.peeks = Peeks(self.fleet, self.links, self.team.hides_logs, self.team.hides_agents)
        self.keeper = Keeper(paths, argv) if argv else None
        at_once = boxfile.builds.at_once or max(1, (os.cpu_count() or 1) // 2)
        self.queue = BuildQueue(
            self._database, self.links, at_once=at_once, memory=_free_memory, tell=self._tell_of_build
        )
        self.inbox = Inbox(self._database, self.links, self._tell_of_items)
        self.gates = Gates(forge, self.team, self.fleet, self.queue, now)
        self.following = Following(
            forge,
            self.team,
            self.fleet,
            self.queue,
            self.links,
            self.gates,
            record=self.record,
            team_pushed=self._team_pushed,
            spawn=self.spawn,
        )
        self.host = Host(
            paths,
            boxfile,
            self._database,
            self.fleet,
            self.links,
            warn=self._tell_of_warning,
            disk_changed=self._tell_of_disk,
        )
        self.edge = Edge(
            name,
            self._database,
            forge,
            paths.hook_key,
            Asks(
                self.following.follows,
                self._look,
                self._numbers,
                lambda: self._opened,
                lambda: self.problems,
                self._known,
            ),
        )
        self._cache = ArchiveCache(paths.cache)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._opened = False
        self._closing = False
        self._reconcile_problems: tuple[str, ...] = ()

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that a person should know of, in sentences."""
        daemons = self.keeper.problems if self.keeper else ()
        return (
            *self.team.problems,
            *self._reconcile_problems,
            *self._database.problems,
            *self.log.problems,
            *self.edge.problems,
            *daemons,
        )

    async def open(self) -> None:
        """Open the log, read the team repo, start the slots' daemons. Raises HeroError."""
        await self.log.open()
        await self.team.load()
        await self.log.append(self._take_team())
        await self.queue.open()
        await self.inbox.open()
        await self.edge.open()
        await self.host.open()
        self._opened = True
        # In this order: the watch is in force before the look at what was there.
        self.spawn(self.following.watch(), "watch-forge")
        self.spawn(self.refresh_team(), "refresh-team")
        self.spawn(collect_now_and_then(self._cache, self.fleet, self._slots_on_disk), "collect-archives")
        self.spawn(self.following.poll(), "poll-forge")
        self.spawn(self.host.run(), "host")

    def leave(self) -> None:
        """From here on a slot's connection ends because of us, and that says nothing of the slot."""
        self._closing = True

    async def close(self) -> None:
        """End everything that runs here; the slots' daemons go on."""
        self.leave()
        self._opened = False
        await self.edge.close()
        await self.queue.close()
        await self.inbox.close()
        await self.host.close()
        if self.keeper:
            await self.keeper.close()
        await self.peeks.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.links.close()
        await self.subscribers.close()
        await self.log.close()
        await self._database.close()

    async def snapshot(self, after: str = "", limit: int | None = None) -> FleetSnapshot:
        """The fleet, or `limit` slots of it with names after `after`; the last event's number that is in it."""
        names = [name for name in self.fleet.names() if name > after]
        slots = tuple(slot for name in names[:limit] if (slot := self.fleet.slot(name)))
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
            more=len(slots) < len(names),
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

    def _tell_of_build(self, build: Build) -> None:
        event = Event(
            seq=0,
            time=now(),
            box=self.name,
            slot=build.slot,
            kind=f"build.{build.state}",
            subject=build.service,
            data=build.model_dump(mode="json"),
        )
        self.log.put([event])

    async def _tell_of_items(self, items: Sequence[InboxItem]) -> None:
        await self.log.append([changed_event(item, self.name, now()) for item in items])

    async def _tell_of_warning(self, warning: HostWarning) -> None:
        await self.record("host.warning", warning.subject, warning.model_dump(mode="json"))

    def _tell_of_disk(self, slot: str) -> None:
        """To those who listen now: there is a new measurement to be asked for."""
        self._tell([Event(seq=0, time=now(), box=self.name, slot=slot, kind="host.disk", subject=slot)])

    def _tell(self, events: Sequence[Event]) -> None:
        self.subscribers.publish(events)

    def _slot_lost(self, slot: str, hangs: str) -> None:
        self.queue.slot_lost(slot)
        if not self._closing:
            self.log.put(self.fleet.disconnected(slot, now(), hangs))

    def _take_team(self) -> list[Event]:
        people = self.team.people
        if self.keeper:
            self.keeper.keep(people)
        return self.fleet.expect(people, now())

    async def _look(self, look: Look) -> None:
        """What webhooks ask for; raises HeroError where it has to be asked for again."""
        await self.following.changed(look.repo, look.branch)

    def _known(self) -> Known:
        return Known(self.name, self.fleet.slots(), self.team.catalogue)

    def _numbers(self) -> Numbers:
        slots = self.fleet.slots()
        cells = [cell for slot in slots for cell in slot.services]
        return Numbers(
            slots=len(slots),
            slots_online=len(self.fleet.online()),
            queue=self.queue.by_state(),
            builds_ended=self.queue.counts.ended,
            builds=self.queue.counts.durations,
            health=Counter(cell.health for cell in cells),
            drift=Counter(cell.drift for cell in cells),
            subscribers=len(self.subscribers),
            events=self.log.latest_seq(),
        )

    def _slots_on_disk(self) -> list[str]:
        if self.is_system:
            return list(self.team.people)
        return [home.name for home in self.paths.homes.glob("*")]

    def slot_came(self, slot: str) -> None:
        """A slot's daemon has connected."""
        self.queue.slot_connected(slot)
        self.inbox.slot_came(slot)
        self.following.slot_came()

    async def refresh_team(self) -> None:
        """Read the team repo again, and tell everybody if it changed."""
        changed = await self.team.refresh()
        await self.following.take_catalogue()
        if not changed:
            return
        await self.log.append(self._take_team())
        self.links.tell_all("team.changed", {})
        data = {"commit": self.team.commit, "problems": list(self.team.problems)}
        await self.record("team.changed", self.team.repo, data)

    async def _team_pushed(self) -> None:
        if self.is_system:
            self.spawn(ask_to_reconcile(TEAM_SYNC_SOCKET), "ask-to-reconcile")
        else:
            await self.refresh_team()

    async def reconciled(self, told: TeamChangedParams) -> None:
        """The reconciler of a system box was at work: keep what it did, and take what it has published."""
        self._reconcile_problems = tuple(safe_line(problem, 1000) for problem in told.problems)
        for action in told.actions:
            await self.record("audit.team", str(action.get("user", "")), action)
        await self.refresh_team()


def _free_memory() -> int:
    return int(psutil.virtual_memory().available)


def now() -> datetime:
    """The present, with its zone."""
    return datetime.now(UTC)
