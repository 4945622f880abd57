"""The machine's figures, and disks that do not answer: nobody waits for a dead mount."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import psutil
import pytest

from backends.box.host import machine
from backends.box.host.machine import Disks, Meter, point_of
from backends.model.host import DiskSpace, Machine


def test_the_processor_is_told_between_two_looks_only() -> None:
    meter = Meter()
    first = meter.read(())
    assert first.cpu is None
    assert first.memory_total > first.memory_used > 0
    second = meter.read(())
    while second.cpu is None:  # the kernel counts in hundredths of a second
        second = meter.read(())
    assert 0 <= second.cpu <= 100


def test_what_cannot_be_read_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("no /proc")

    for name in ("cpu_times", "virtual_memory", "swap_memory", "getloadavg"):
        monkeypatch.setattr(psutil, name, refuse)
    told = Meter().read(())
    assert (told.cpu, told.memory_total, told.swap_total, told.load) == (None, 0, 0, (0.0, 0.0, 0.0))
    assert point_of(told, 5.0).memory == 0.0


async def test_a_disk_that_hangs_is_told_as_it_was_and_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, asked = threading.Event(), []

    def spaces(_: object) -> tuple[DiskSpace, ...]:
        asked.append(1)
        if len(asked) > 1:
            gate.wait(30)
        return (DiskSpace(mount="/", total=100, used=len(asked), free=50),)

    monkeypatch.setattr(machine, "spaces_of", spaces)
    monkeypatch.setattr(machine, "_PATIENCE", 0.05)
    disks = Disks({"box": tmp_path})
    async with asyncio.timeout(30):
        while not (first := await disks.look()):
            continue
    assert [one.stale for one in first] == [False]
    assert [(one.stale, one.used) for one in await disks.look()] == [(True, 1)]
    assert [one.stale for one in await disks.look()] == [True]
    assert len(asked) == 2
    gate.set()
    async with asyncio.timeout(30):
        while (await disks.look())[0].stale:
            continue


def test_a_point_has_the_fullest_disk_and_the_load_of_a_core() -> None:
    disks = (DiskSpace(mount="/", used=50, free=50), DiskSpace(mount="/home", used=90, free=10))
    point = point_of(Machine(cpus=4, cpu=12.34, load=(2.0, 0, 0), disks=disks), 1.0)
    assert (point.disk, point.load, point.cpu) == (90.0, 0.5, 12.3)
