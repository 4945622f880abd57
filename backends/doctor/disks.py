"""Whether disks have room and inodes left; where they have not, what takes the room."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.doctor.asking import in_thread
from backends.doctor.context import Context
from backends.doctor.found import Check, Found, listed, well
from backends.model.health_report import HealthState

GIB = 1 << 30
_PATIENCE = 1.0
"""Seconds for one file system's answer; a dead mount gives none."""
_MEASURING = 0.8
"""Seconds for measuring what takes the room."""

_WHY_SPACE = "A full disk stops builds, logs and installs; nothing that is there is lost."
_WHY_INODES = "Without inodes no file can be made, though there is room."


@dataclass(frozen=True)
class Room:
    """One file system: bytes and inodes in all and free for a user; no inodes: it does not count them.

    `device` tells one file system from another."""

    total: int
    free: int
    inodes: int = 0
    inodes_free: int = 0
    device: int = 0


def space_state(room: Room) -> HealthState:
    """Bad below 1 GiB or a twentieth (the smaller one), warn below 10 GiB or a seventh."""
    if room.free < min(GIB, room.total // 20):
        return "bad"
    return "warn" if room.free < min(10 * GIB, room.total // 7) else "ok"


def inode_state(room: Room) -> HealthState:
    """Bad below 10 000 or a hundredth (the smaller one), warn below 200 000 or a tenth."""
    if not room.inodes:
        return "ok"
    if room.inodes_free < min(10_000, room.inodes // 100):
        return "bad"
    return "warn" if room.inodes_free < min(200_000, room.inodes // 10) else "ok"


def room_at(path: Path) -> Room:
    """Of the file system of `path`. Raises OSError; may block for ever."""
    told = os.statvfs(path)
    size = told.f_frsize
    return Room(told.f_blocks * size, told.f_bavail * size, told.f_files, told.f_favail, path.stat().st_dev)


async def _look(context: Context) -> Sequence[Found]:
    places = [context.box.root, context.box.homes, context.machine.tmp]
    answers = await asyncio.gather(*(_ask(place) for place in places))
    found: list[Found] = []
    seen: set[int] = set()
    for place, answer in zip(places, answers, strict=True):
        if isinstance(answer, Found):
            found.append(answer)
        elif answer.device not in seen:
            seen.add(answer.device)
            found += await _judge(context, place, answer)
    return found


async def _ask(place: Path) -> Room | Found:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await in_thread(lambda: room_at(place))
    except TimeoutError:
        return Found(
            "bad",
            f"The file system of {place} does not answer.",
            "Everything that touches it hangs, too.",
            f"findmnt --target {place}",
        )
    except OSError as error:
        return Found("bad", f"{place} cannot be looked at: {error.strerror}.", _WHY_SPACE, f"ls -ld {place}")


async def _judge(context: Context, place: Path, room: Room) -> list[Found]:
    space, inodes = space_state(room), inode_state(room)
    share = 100 * room.free // room.total if room.total else 100
    what = f"{place} has {_size(room.free)} free of {_size(room.total)} ({share} %)"
    if space == "ok":
        found = [well(f"{what}.")]
    else:
        takers = await in_thread(lambda: _takers(context))
        most = f"; the most is in {listed(takers, 4)}" if takers else ""
        mend = f"du -xh --max-depth=3 {place} | sort -h | tail -20, and remove what nobody needs"
        found = [Found(space, f"{what}{most}.", _WHY_SPACE, mend)]
    told = f"{place} has {room.inodes_free:,} of {room.inodes:,} inodes free."
    if inodes == "ok":
        fine = told if room.inodes else f"{place} has no limit of inodes."
        return [*found, well(fine, part="inodes", title="inodes")]
    mend = f"du -x --inodes --max-depth=3 {place} | sort -n | tail -20"
    return [*found, Found(inodes, told, _WHY_INODES, mend, part="inodes", title="inodes")]


def _takers(context: Context) -> list[str]:
    """What can go, or could be smaller: the box's archives, old versions, logs of builds; the largest first."""
    folders = [context.box.cache, context.box.log]
    for user in context.users:
        slot = context.box.slot(user)
        folders += [slot.opt, slot.build_log, slot.src]
    deadline = time.monotonic() + _MEASURING
    sizes = [(measured(folder, deadline), folder) for folder in folders]
    largest = sorted((one for one in sizes if one[0] > GIB // 10), reverse=True)
    return [f"{folder} ({_size(size)})" for size, folder in largest]


def measured(folder: Path, deadline: float) -> int:
    """Bytes that files below `folder` take; as far as could be seen until `deadline`, no link followed."""
    total, waiting = 0, [folder]
    while waiting and time.monotonic() < deadline:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


CHECKS = (Check("disk.space", "room on disks", _look, seconds=3.0),)
