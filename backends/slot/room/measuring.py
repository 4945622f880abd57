"""What one slot holds on its disk: measured when somebody asks, kept over restarts, one measurement at a time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from backends.disk_space import space_of
from backends.disk_usage import Measured, measure
from backends.model.errors import HeroError
from backends.model.host import CleanItem as Item
from backends.model.host import CleanPlan, DiskPart, DiskSpace, SlotDisk
from backends.model.host import KeptItem as Kept
from backends.model.text import safe_line
from backends.slot.board import now
from backends.slot.context import SlotContext
from backends.slot.files import write_atomically
from backends.slot.room.judging import KINDS, Candidate, Judge, LivedIn
from backends.slot.room.parts import Folder, folders_of

MOST_PARTS = 400
"""Parts of one slot that are told one by one: the largest, and all that can be reclaimed."""
_SPACE_SECONDS = 2.0
_FILE_LIMIT = 4 << 20
_VERBS = {"versions": "hero_dev clean --kind versions", "targets": "hero_dev clean --kind targets"}
_LOGS_VERB = "hero_dev clean --kind logs"


class SlotRoom:
    """Measures the slot of `slot`; `lived_in` gives the worktrees that agents are in."""

    def __init__(self, slot: SlotContext, lived_in: LivedIn):
        self._slot = slot
        self.lived_in = lived_in
        self._lock = asyncio.Lock()
        self._running: asyncio.Task[SlotDisk] | None = None
        self._last: SlotDisk | None = None

    async def disk(self, *, measured: bool) -> SlotDisk:
        """What was measured last, or with `measured` what is there now. Raises HeroError (`cancelled`)."""
        if measured:
            return await self._measured_now()
        if (last := self._last) is None:
            last = self._last = await asyncio.to_thread(self._read)
        return last.model_copy(update={"space": await self._space(), "measuring": self._running is not None})

    def stop(self) -> None:
        """Give up the measurement that runs, if one does."""
        if self._running is not None:
            self._running.cancel()

    async def plan(self, kinds: Iterable[str] = KINDS) -> CleanPlan:
        """What could be removed, with sizes. Raises HeroError."""
        asked = [kind for kind in KINDS if kind in set(kinds)] or list(KINDS)
        candidates = await Judge(self._slot, self.lived_in).look(asked)
        may_go = [one for one in candidates if not one.keep]
        sizes = await _sizes([Folder("other", one.name, one.path) for one in may_go])
        return CleanPlan(
            slot=self._slot.user,
            items=tuple(_item(one, sizes.get(one.path, Measured()).size) for one in may_go),
            kept=tuple(
                Kept(kind=one.kind, name=safe_line(one.name, 300), why=safe_line(one.keep, 300))
                for one in candidates
                if one.keep
            ),
        )

    async def _measured_now(self) -> SlotDisk:
        asked_at = time.monotonic()
        async with self._lock:
            if self._last is not None and self._last_at > asked_at:
                return self._last
            task = self._running = asyncio.create_task(self._measure(), name="measure-disk")
            try:
                await asyncio.wait([task])
                if task.cancelled():
                    raise HeroError("cancelled", "Measuring the disk was stopped; what was measured before stays.")
                return task.result()
            finally:
                self._running = None
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, HeroError):
                    await task

    _last_at = 0.0

    async def _measure(self) -> SlotDisk:
        begun = time.monotonic()
        folders = await asyncio.to_thread(folders_of, self._slot.paths)
        candidates = await Judge(self._slot, self.lived_in).look()
        sizes = await _sizes(folders)
        rotated = await _sizes([Folder("log", one.name, one.path) for one in candidates if one.kind == "logs"])
        logs = sum(one.size for one in rotated.values())
        known = {one.path: one for one in candidates}
        parts = [_part(one, sizes.get(one.path, Measured()), known, self._slot.paths.log, logs) for one in folders]
        disk = SlotDisk(
            slot=self._slot.user,
            parts=_largest(parts),
            measured_at=now(),
            seconds=time.monotonic() - begun,
            space=await self._space(),
        )
        self._last, self._last_at = disk, time.monotonic()
        with contextlib.suppress(HeroError):  # a full disk is just what this may be about to tell
            await asyncio.to_thread(write_atomically, self._file, disk.model_dump_json().encode(), durable=False)
        return disk

    @property
    def _file(self) -> Path:
        return self._slot.paths.var / "state" / "disk.json"

    def _read(self) -> SlotDisk:
        with contextlib.suppress(OSError, ValidationError, ValueError), self._file.open("rb") as file:
            kept = SlotDisk.model_validate_json(file.read(_FILE_LIMIT))
            return kept.model_copy(update={"slot": self._slot.user})
        return SlotDisk(slot=self._slot.user)

    async def _space(self) -> DiskSpace | None:
        try:
            async with asyncio.timeout(_SPACE_SECONDS):
                space = await asyncio.to_thread(space_of, self._slot.paths.root)
        except (OSError, TimeoutError):
            return None
        return space.model_copy(update={"holds": ("homes",)})


async def _sizes(folders: Iterable[Folder]) -> dict[Path, Measured]:
    found: dict[Path, Measured] = {}
    async with contextlib.aclosing(measure([one.job for one in folders])) as results:
        async for job, measured in results:
            found[job.folder] = measured
    return found


def _part(
    folder: Folder, measured: Measured, candidates: Mapping[Path, Candidate], logs_of_services: Path, rotated: int
) -> DiskPart:
    candidate = candidates.get(folder.path)
    reclaimable, why, verb = 0, "", ""
    if candidate is not None:
        why, verb = candidate.keep or candidate.why, "" if candidate.keep else _VERBS[candidate.kind]
        reclaimable = 0 if candidate.keep else measured.size
    elif folder.path == logs_of_services and rotated:
        reclaimable, why, verb = min(rotated, measured.size), "older parts, rotated away", _LOGS_VERB
    return DiskPart(
        kind=folder.kind,
        name=safe_line(folder.name, 300),
        path=safe_line(str(folder.path), 1000),
        size=measured.size,
        files=measured.files,
        reclaimable=reclaimable,
        why=safe_line(why, 300),
        verb=verb,
        complete=measured.complete,
    )


def _largest(parts: list[DiskPart]) -> tuple[DiskPart, ...]:
    """The parts by size; of very many the smallest together as one."""
    ordered = sorted(parts, key=lambda part: (part.reclaimable, part.size), reverse=True)
    shown, rest = ordered[:MOST_PARTS], ordered[MOST_PARTS:]
    if rest:
        name = f"{len(rest)} smaller parts"
        sums = {field: sum(getattr(part, field) for part in rest) for field in ("size", "files", "reclaimable")}
        shown.append(DiskPart(kind="other", name=name, **sums))
    return tuple(sorted(shown, key=lambda part: part.size, reverse=True))


def _item(candidate: Candidate, size: int) -> Item:
    return Item(
        id=candidate.id,
        kind=candidate.kind,
        name=safe_line(candidate.name, 300),
        path=safe_line(str(candidate.path), 1000),
        size=size,
        why=candidate.why,
    )
