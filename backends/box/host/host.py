"""The machine as the box sees it: a look a minute for trend and warnings, one every two seconds while watched."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from backends.box.fleet import Fleet
from backends.box.host.cgroups import CgroupShares
from backends.box.host.containers import Containers
from backends.box.host.disks import Disks
from backends.box.host.machine import Disks as Spaces
from backends.box.host.machine import Meter, point_of
from backends.box.host.processes import ProcessShares
from backends.box.host.shares import Known, Read, Source, known_of
from backends.box.host.trend import Trend
from backends.box.host.warnings import Tell, Warnings
from backends.box.links import Links
from backends.database import Database
from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.model.host import DiskSpace, HostSample, HostStatus
from backends.model.host_calls import HostWatched
from backends.model.paths import BoxPaths
from backends.rpc.connection import Connection

log = logging.getLogger(__name__)

FIRST_SECONDS = 5.0
EVERY_SECONDS = 60.0
"""Between two looks while nobody watches: one costs about a millisecond."""
WATCHED_SECONDS = 2.0
WARM_SECONDS = 0.5
"""From a first look to the one that it is compared with."""
HOMES_SECONDS = 300.0
"""Between two questions to a slot of a system box how full the disk of the homes is."""
_STREAMS_MOST = 8
"""Watches over one connection."""
_UNSENT_MOST = 1 << 18
"""Bytes unread by a watcher that reads slowly, who then misses a look instead of its connection."""


class Host:
    """Looks, tells and warns; `disks` says what takes the room. To be made before the database's first use."""

    def __init__(
        self,
        paths: BoxPaths,
        boxfile: BoxFile,
        database: Database,
        fleet: Fleet,
        links: Links,
        *,
        warn: Tell,
        disk_changed: Callable[[str], None],
        source: Source | None = None,
    ):
        self._box = boxfile.name
        self._fleet = fleet
        self._links = links
        self._is_system = boxfile.kind == "system"
        self._source = source or (CgroupShares() if self._is_system else ProcessShares())
        self._spaces = Spaces(_places(paths, system=self._is_system))
        self._minute_meter, self._meter = Meter(), Meter()
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()
        self._homes: DiskSpace | None = None
        self._homes_at = float("-inf")
        self._watchers: dict[str, Connection] = {}
        self._woken = asyncio.Event()
        self._next_look = 0.0
        self.trend = Trend(database)
        self.warnings = Warnings(database, boxfile.host, warn)
        self.disks = Disks(paths, links, fleet.names, database, disk_changed)
        self.containers = Containers(lambda: self.disks.container_sizes)
        self._measure_every = boxfile.host.measure

    async def open(self) -> None:
        """Take up what an earlier process knew. Raises HeroError where the database cannot be read."""
        await self.trend.open()
        await self.warnings.open()
        self._minute_meter.read(())

    async def close(self) -> None:
        """Measure no more."""
        await self.disks.close()

    async def run(self) -> None:
        """Look, until cancelled."""
        loop = asyncio.get_running_loop()
        measuring = asyncio.create_task(self.disks.run(self._measure_every), name="measure-now-and-then")
        next_minute = loop.time() + FIRST_SECONDS
        try:
            while True:
                await self._until(min(next_minute, self._next_look) if self._watchers else next_minute)
                if loop.time() >= next_minute:
                    next_minute = loop.time() + EVERY_SECONDS
                    await self._minute()
                if self._watchers and loop.time() >= self._next_look:
                    self._next_look = loop.time() + WATCHED_SECONDS
                    self._push(await self._look(shares=True))
        finally:
            measuring.cancel()
            await asyncio.gather(measuring, return_exceptions=True)

    async def status(self, *, shares: bool) -> HostStatus:
        """The machine now. With `shares`, where nobody has looked of late, it takes half a second to compare."""
        sample = await self._look(shares=shares)
        if shares and sample.warming:
            await asyncio.sleep(WARM_SECONDS)
            sample = await self._look(shares=True)
        return self._status(sample)

    async def watch(self, connection: Connection) -> HostWatched:
        """The machine now, and from here on `host` notifications over `connection`. Raises HeroError `busy`."""
        if sum(one is connection for one in self._watchers.values()) >= _STREAMS_MOST:
            raise HeroError(
                "busy", "This connection watches the machine often enough.", hint="Use one of its watches."
            )
        stream = secrets.token_hex(6)
        sample = await self._look(shares=True)
        self._watchers[stream] = connection
        connection.when_lost(lambda _: self.unwatch(stream))
        self._next_look = asyncio.get_running_loop().time() + (WARM_SECONDS if sample.warming else WATCHED_SECONDS)
        self._woken.set()
        return HostWatched(stream=stream, status=self._status(sample))

    def unwatch(self, stream: str, connection: Connection | None = None) -> None:
        """Look no more for this watch, of `connection` where that is given."""
        if connection is None or self._watchers.get(stream) is connection:
            self._watchers.pop(stream, None)

    @property
    def watchers(self) -> int:
        """How many watch."""
        return len(self._watchers)

    async def _until(self, moment: float) -> None:
        """Sleep until the loop's time `moment`, or until somebody begins to watch."""
        self._woken.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(moment):
                await self._woken.wait()

    async def _minute(self) -> None:
        machine = self._minute_meter.read(await self._disk_spaces())
        await self.trend.add(point_of(machine, time.time()))
        await self.warnings.look(machine, _now())

    async def _look(self, *, shares: bool) -> HostSample:
        spaces = await self._disk_spaces()
        async with self._looking:
            at = time.monotonic()
            # So much later nobody compares with it: what was in between is no "now".
            stale = at - self._looked_at > 10 * WATCHED_SECONDS
            machine = self._meter.read(spaces)
            read = Read(warming=False)
            if shares:
                known = self._known()
                read = await asyncio.to_thread(self._source.read, known, at)
                self._looked_at = at
        return HostSample(
            time=_now(),
            machine=machine,
            shares=read.shares,
            by="cgroups" if self._source.by == "cgroups" else "processes",
            warming=read.warming or (shares and stale),
            warnings=self.warnings.now,
        )

    async def _disk_spaces(self) -> tuple[DiskSpace, ...]:
        """The box's own disks, and on a system box that of the homes, which one of the slots tells."""
        own = await self._spaces.look()
        if not self._is_system:
            return own
        if time.monotonic() - self._homes_at > HOMES_SECONDS:
            self._homes_at = time.monotonic()
            self._homes = await self.disks.space_of_homes()
        homes = self._homes
        if homes is None or any((one.mount, one.device) == (homes.mount, homes.device) for one in own):
            return own
        return (*own, homes)

    def _known(self) -> Known:
        daemons = {name: link.peer.pid for name in self._fleet.online() if (link := self._links.get(name))}
        return known_of(self._fleet.slots(), daemons, os.getpid())

    def _status(self, sample: HostSample) -> HostStatus:
        return HostStatus(box=self._box, sample=sample, minutes=self.trend.minutes, days=self.trend.days)

    def _push(self, sample: HostSample) -> None:
        told = sample.model_dump(mode="json")
        for stream, connection in tuple(self._watchers.items()):
            if connection.link.unsent < _UNSENT_MOST:
                connection.notify("host", {"stream": stream, "sample": told})


def _places(paths: BoxPaths, *, system: bool) -> dict[str, Path]:
    """Whose disks are looked at: a system box's daemon does not see the homes, and has a /tmp of its own."""
    if system:
        return {"box": paths.root / "var", "machine": Path("/")}
    return {"box": paths.root, "homes": paths.homes, "tmp": Path(tempfile.gettempdir())}


def _now() -> datetime:
    return datetime.now(UTC)
