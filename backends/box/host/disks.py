"""What takes the disks' room: each slot measured by its own daemon, one after the other, and what grew."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pydantic import ValidationError

from backends.box.harmless import harmless_fields
from backends.box.host import growth
from backends.box.host.engine import Sizes, look_at_engines
from backends.box.host.engine_api import engine_sockets
from backends.box.links import Links
from backends.database import Database
from backends.disk_usage import Job, Measured, measure
from backends.model.errors import HeroError
from backends.model.host import DiskPart, DiskReport, DiskSpace, EngineReport, Growth, PartKind, SlotDisk
from backends.model.paths import BoxPaths
from backends.model.text import safe_line

log = logging.getLogger(__name__)

FIRST_SECONDS = 1800.0
"""To the first measurement that nobody asked for: what starts with the box has its turn before."""
_MEASURE_SECONDS = 900.0
_ASK_SECONDS = 3.0
_PARTS_MOST = 500
BOX = ""
"""The box itself, where a slot's name is asked for."""
_UNTOLD = "Its daemon is away; what it holds is told once it is back."

Sockets = Callable[[], Iterable[tuple[str, Path]]]


class Disks:
    """The measurements of one box. `slots` names its slots, `changed` is told whose measurement is new.

    To be made before the database's first use.
    """

    def __init__(
        self,
        paths: BoxPaths,
        links: Links,
        slots: Callable[[], Sequence[str]],
        database: Database,
        changed: Callable[[str], None],
        sockets: Sockets = engine_sockets,
    ):
        self._paths = paths
        self._links = links
        self._slots = slots
        self._database = database
        database.add_schema(growth.create)
        self._changed = changed
        self._sockets = sockets
        self._known: dict[str, SlotDisk] = {}
        self._grew: dict[str, list[Growth]] = {}
        self._engines: tuple[EngineReport, ...] = ()
        self.container_sizes: Sizes = {}
        self._waiting: list[str] = []
        self._current: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def report(self) -> DiskReport:
        """Everything as it was measured last; slots that were not asked since this process began are asked now."""
        names = [BOX, *self._slots()]
        await asyncio.gather(*(self._ask(name) for name in names if name != BOX and name not in self._known))
        return DiskReport(
            slots=tuple(self._told(name) for name in names),
            engines=self._engines,
            growth=growth.most(one for some in self._grew.values() for one in some),
            measuring=self._measuring(),
        )

    def measure(self, names: Sequence[str] = ()) -> None:
        """Begin to measure these (none named: the box and all slots); who waits for it already does so once."""
        known = [BOX, *self._slots()]
        wanted = [name for name in known if name in names] if names else known
        self._waiting += [name for name in wanted if name not in self._waiting and name != self._current]
        if self._waiting and (self._task is None or self._task.done() or self._task.cancelling()):
            self._task = asyncio.create_task(self._work(), name="measure-disks")

    def stop(self) -> None:
        """Measure no more; the slot that is at it is told."""
        current, self._waiting = self._current, []
        if self._task is not None:
            self._task.cancel()
        if current and (link := self._links.get(current)):
            self._links.tell(current, link, "slot.disk_stop", {})

    async def run(self, every: float) -> None:
        """Measure now and then, for the trend; `every` 0: never."""
        if every <= 0:
            return
        pause = min(FIRST_SECONDS, every)
        while True:
            await asyncio.sleep(pause)
            pause = every
            self.measure()

    async def space_of_homes(self) -> DiskSpace | None:
        """The file system that the slots lie on, as one of them tells it: the box's daemon may not see it."""
        for name in self._slots():
            if self._links.get(name):
                told = await self._called(name, {"parts": False}, _ASK_SECONDS)
                return told.space
        return None

    async def close(self) -> None:
        """End what runs here."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    # -- one after the other ----------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            while self._waiting:
                self._current = name = self._waiting.pop(0)
                self._changed(name)
                await self._take(await (self._of_box() if name == BOX else self._of_slot(name)))
        finally:
            last, self._current = self._current, None
            self._changed(last or BOX)

    async def _take(self, disk: SlotDisk) -> None:
        """Keep a measurement; one that failed leaves the sizes of before."""
        if disk.problem:
            before = self._known.get(disk.slot, SlotDisk(slot=disk.slot))
            self._known[disk.slot] = before.model_copy(update={"problem": disk.problem})
            return
        now = time.time()
        try:
            base = await self._database.run(partial(growth.base, slot=disk.slot, now=now))
            sizes = growth.sizes_of(disk)
            await self._database.run(partial(growth.keep, slot=disk.slot, sizes=sizes, now=now))
        except HeroError as error:
            log.warning("the sizes of today are not kept: %s", error.message)
            base = None
        grown = growth.with_growth(disk, base)
        self._known[disk.slot] = grown
        self._grew[disk.slot] = growth.told(grown, base)

    async def _of_slot(self, name: str) -> SlotDisk:
        if self._links.get(name) is None:
            return SlotDisk(slot=name, problem=_UNTOLD)
        return await self._called(name, {"measure": True}, _MEASURE_SECONDS)

    async def _called(self, name: str, params: dict[str, bool], seconds: float) -> SlotDisk:
        try:
            answer = await self._links.reach(name).call("slot.disk", params, timeout=seconds)
            told = SlotDisk.model_validate(harmless_fields(answer))
        except HeroError as error:
            return SlotDisk(slot=name, problem=safe_line(error.message, 300))
        except (ValidationError, TypeError, AttributeError):
            return SlotDisk(slot=name, problem="Its daemon answers in another version's words: restart it.")
        return told.model_copy(update={"slot": name, "parts": told.parts[:_PARTS_MOST], "measuring": False})

    async def _ask(self, name: str) -> None:
        if self._links.get(name) is None:
            return
        told = await self._called(name, {}, _ASK_SECONDS)
        if told.problem or name in self._known:
            return
        with contextlib.suppress(HeroError):
            base = await self._database.run(partial(growth.base, slot=name, now=time.time()))
            told = growth.with_growth(told, base)
            self._grew[name] = growth.told(told, base)
        self._known[name] = told

    async def _of_box(self) -> SlotDisk:
        begun = time.monotonic()
        sizes: Sizes = {}
        self._engines = await look_at_engines(self._sockets(), sizes)
        self.container_sizes = sizes
        folders = _folders(self._paths)
        found: dict[Path, Measured] = {}
        try:
            async with contextlib.aclosing(measure([job for _, _, job in folders])) as results:
                async for job, measured in results:
                    found[job.folder] = measured
        except HeroError as error:
            return SlotDisk(slot=BOX, problem=error.message)
        parts = [_part(kind, name, job, found.get(job.folder, Measured())) for kind, name, job in folders]
        ordered = sorted((part for part in parts if part.size), key=lambda part: -part.size)
        seconds = time.monotonic() - begun
        return SlotDisk(slot=BOX, parts=tuple(ordered), measured_at=datetime.now(UTC), seconds=seconds)

    def _told(self, name: str) -> SlotDisk:
        away = _UNTOLD if name != BOX and self._links.get(name) is None else ""
        known = self._known.get(name) or SlotDisk(slot=name, problem=away)
        return known.model_copy(update={"measuring": name == self._current})

    def _measuring(self) -> tuple[str, ...]:
        return (*(() if self._current is None else (self._current,)), *self._waiting)


def _folders(paths: BoxPaths) -> list[tuple[PartKind, str, Job]]:
    var = paths.root / "var"
    kinds: list[tuple[PartKind, str, Path]] = [
        ("cache", "archives", paths.cache),
        ("forge", "repositories and releases", paths.forge),
        ("log", "daemons", paths.log),
    ]
    apart = (paths.homes, *(path for _, _, path in kinds))
    found: list[tuple[PartKind, str, Job]] = [(kind, name, Job(path)) for kind, name, path in kinds]
    return [
        *found,
        ("data", "events and queue", Job(var, (paths.log,))),
        ("other", "the rest", Job(paths.root, (*apart, var))),
    ]


def _part(kind: PartKind, name: str, job: Job, measured: Measured) -> DiskPart:
    why = "what nobody has installed goes by itself once there are 20 GiB" if kind == "cache" else ""
    return DiskPart(
        kind=kind,
        name=name,
        path=safe_line(str(job.folder), 1000),
        size=measured.size,
        files=measured.files,
        why=why,
        complete=measured.complete,
    )
