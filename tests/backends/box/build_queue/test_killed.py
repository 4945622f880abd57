"""The process of the queue is killed at each step: what was acknowledged ends once, nothing begins twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.model.build_calls import BuildListResult
from backends.model.errors import HeroError
from backends.model.state import Build
from backends.rpc.connection import Connection, connect
from tests.backends.box.build_queue.slots import FakeSlot

ROOT = Path(__file__).parents[4]
SCRIPT = Path(__file__).with_name("queue_process.py")
SECONDS = 20.0


class Killable:
    """The process, started again as often as a test likes."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, failpoint: str = "") -> None:
        env = os.environ | {"PYTHONPATH": str(ROOT), "HERO_TEST_FAILPOINT": failpoint}
        self.process = subprocess.Popen([sys.executable, str(SCRIPT), str(self.folder)], cwd=ROOT, env=env)

    async def ended(self) -> None:
        assert self.process is not None
        assert await asyncio.to_thread(self.process.wait, SECONDS) == -9

    async def client(self, slot: FakeSlot) -> Connection:
        """The connection of `slot` to the process, once it is up."""
        async with asyncio.timeout(SECONDS):
            while True:
                try:
                    slot.connection = await connect(self.folder / "rpc.sock", slot.answer)
                    await slot.connection.call("hello", {"slot": slot.name})
                    return slot.connection
                except HeroError:
                    await asyncio.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(SECONDS)


@pytest.fixture
def killable(short_dir: Path) -> Iterator[Killable]:
    made = Killable(short_dir)
    yield made
    made.stop()


async def listed(connection: Connection) -> tuple[Build, ...]:
    return BuildListResult.model_validate(await connection.call("list")).builds


async def until_ended(connection: Connection, slot: FakeSlot) -> tuple[Build, ...]:
    """Let everything that the slot begins succeed, until nothing is left to do."""
    async with asyncio.timeout(SECONDS):
        while True:
            for build in list(slot.ends):
                slot.end(build)
            found = await listed(connection)
            if found and all(one.state == "succeeded" for one in found):
                return found
            await asyncio.sleep(0.01)


async def end_first(slot: FakeSlot) -> None:
    await slot.asked.wait()
    slot.end(slot.begun[0])


@pytest.mark.parametrize("failpoint", ["queue.submitted", "queue.begun", "queue.ended"])
async def test_a_kill_loses_nothing_and_has_nothing_built_twice(killable: Killable, failpoint: str) -> None:
    mik = FakeSlot("mik")
    killable.start(failpoint)
    connection = await killable.client(mik)
    told: list[str] = []
    with contextlib.suppress(HeroError):
        for service in ("hero_a", "hero_b"):
            told.append((await connection.call("submit", {"slot": "mik", "service": service}))["build_id"])
        ends = asyncio.create_task(end_first(mik))
        await connection.wait_lost()
        ends.cancel()
    await killable.ended()
    killable.start()
    connection = await killable.client(mik)
    found = await until_ended(connection, mik)
    await mik.leave()
    assert set(told) <= {one.id for one in found}
    assert sorted(mik.begun) == sorted(one.id for one in found)
