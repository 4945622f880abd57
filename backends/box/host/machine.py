"""The whole machine at one moment, by psutil: processor, memory, swap, load; its disks, which may not answer."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from pathlib import Path

import psutil

from backends.disk_space import spaces_of
from backends.model.host import DiskSpace, HostPoint, Machine

_PATIENCE = 2.0
"""Seconds for all disks; a dead mount gives no answer ever."""


class Meter:
    """Reads the machine; what its processors did is told since the time before."""

    def __init__(self) -> None:
        self._before: tuple[float, float] | None = None

    def read(self, disks: tuple[DiskSpace, ...]) -> Machine:
        """The machine now. Never raises: what cannot be read is 0."""
        memory, swap = _memory(), _swap()
        return Machine(
            cpus=psutil.cpu_count() or 1,
            cpu=self._cpu(),
            load=_load(),
            memory_total=memory[0],
            memory_used=memory[1],
            swap_total=swap[0],
            swap_used=swap[1],
            disks=disks,
        )

    def _cpu(self) -> float | None:
        """How busy all processors were since the last call, in percent."""
        try:
            times = psutil.cpu_times()
        except (OSError, ValueError, IndexError):
            return None
        # What guests take is in `user` and `nice` already.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        busy = total - times.idle - getattr(times, "iowait", 0.0)
        before, self._before = self._before, (total, busy)
        if before is None or total <= before[0]:
            return None
        return max(0.0, min(100.0, 100 * (busy - before[1]) / (total - before[0])))


class Disks:
    """The file systems of some folders; one that hangs is told as it last was, and holds nobody up."""

    def __init__(self, places: Mapping[str, Path]):
        self._places = places
        self._asking: asyncio.Future[tuple[DiskSpace, ...]] | None = None
        self._known: tuple[DiskSpace, ...] = ()

    async def look(self) -> tuple[DiskSpace, ...]:
        """How full they are."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_future()
            # A thread that a dead mount holds is never given back; there is one at most, and nobody waits for it.
            threading.Thread(target=self._ask, args=(self._asking,), name="disks", daemon=True).start()
        done, _ = await asyncio.wait([self._asking], timeout=_PATIENCE)
        if done and (told := self._asking.result()):
            self._known = told
            return told
        return tuple(one.model_copy(update={"stale": True}) for one in self._known)

    def _ask(self, asking: asyncio.Future[tuple[DiskSpace, ...]]) -> None:
        told = spaces_of(self._places)
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            asking.get_loop().call_soon_threadsafe(_settle, asking, told)


def _settle(asking: asyncio.Future[tuple[DiskSpace, ...]], told: tuple[DiskSpace, ...]) -> None:
    if not asking.done():
        asking.set_result(told)


def point_of(machine: Machine, at: float) -> HostPoint:
    """The machine as a point of its trend."""
    return HostPoint(
        at=round(at, 1),
        cpu=round(machine.cpu or 0.0, 1),
        memory=_percent(machine.memory_used, machine.memory_total),
        swap=_percent(machine.swap_used, machine.swap_total),
        load=round(machine.load[0] / machine.cpus, 2),
        disk=round(100 * max((one.share for one in machine.disks), default=0.0), 1),
    )


def _percent(used: int, total: int) -> float:
    return round(100 * used / total, 1) if total else 0.0


def _memory() -> tuple[int, int]:
    try:
        memory = psutil.virtual_memory()
    except (OSError, ValueError, KeyError):
        return 0, 0
    # What the kernel can give away at once counts as free: it is what a person wants to know.
    return int(memory.total), int(memory.total - memory.available)


def _swap() -> tuple[int, int]:
    try:
        swap = psutil.swap_memory()
    except (OSError, ValueError, RuntimeError):
        return 0, 0
    return int(swap.total), int(swap.used)


def _load() -> tuple[float, float, float]:
    try:
        one, five, fifteen = psutil.getloadavg()
    except OSError:
        return 0.0, 0.0, 0.0
    return round(one, 2), round(five, 2), round(fifteen, 2)
