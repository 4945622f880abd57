"""Slots' daemons are kept running, unless they took their leave."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from backends.box import keeper as module
from backends.box.keeper import Keeper
from backends.rpc.connection import Connection
from tests.backends.box.conftest import ROOT, MadeBox, eventually, fake_slotd


@pytest.fixture
async def keeper(box: MadeBox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Keeper]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.01)
    made = Keeper(box.paths, lambda user: fake_slotd(box.paths.root, user))
    yield made
    await made.close()


async def becomes_watched(keeper: Keeper, user: str) -> None:
    async def look() -> bool:
        return user in keeper.watched

    await eventually(look)


async def ping(connection: Connection) -> int:
    return int((await connection.call("rpc.ping"))["pid"])


async def test_a_daemon_that_is_killed_comes_back(box: MadeBox, keeper: Keeper) -> None:
    keeper.keep(["alice"])
    first = await ping(await box.slot_client("alice"))
    os.kill(first, signal.SIGKILL)

    async def another() -> bool:
        return await ping(await box.slot_client("alice")) != first

    await eventually(another)


async def test_a_daemon_that_took_its_leave_is_left_until_somebody_starts_it(box: MadeBox, keeper: Keeper) -> None:
    keeper.keep(["alice"])
    await becomes_watched(keeper, "alice")
    client = await box.slot_client("alice")
    ended = os.pidfd_open(await ping(client))
    await client.call("slot.down")
    assert await module.wait_for_exit(ended, 30)
    os.close(ended)
    other = box.slotd("alice")
    assert await ping(await box.slot_client("alice")) == other.pid
    assert keeper.watched == set()
    keeper.seen("alice")
    await becomes_watched(keeper, "alice")
    other.kill()
    await asyncio.to_thread(other.wait)

    async def back() -> bool:
        return await ping(await box.slot_client("alice")) != other.pid

    await eventually(back)


async def test_a_user_without_a_home_has_no_daemon(box: MadeBox, keeper: Keeper) -> None:
    keeper.keep(["nobody"])
    assert keeper.problems == ()
    assert not box.paths.slot("nobody").root.exists()


async def test_a_daemon_that_cannot_start_is_a_problem_and_is_tried_again(box: MadeBox, keeper: Keeper) -> None:
    broken = Keeper(box.paths, lambda user: ["/nowhere/slotd"])
    broken.keep(["alice"])

    async def told() -> bool:
        return any("alice" in problem for problem in broken.problems)

    await eventually(told)
    await broken.close()
