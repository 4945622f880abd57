"""The outbox: kept until acknowledged, never numbered twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.database import Database
from backends.model.state import Event
from backends.slot.outbox import Outbox

OpenOutbox = Callable[..., Awaitable[Outbox]]
ROOT = Path(__file__).parents[3]


def event(subject: str) -> Event:
    time = datetime(2026, 11, 20, tzinfo=UTC)
    return Event(seq=0, time=time, box="dev", slot="alice", kind="audit.test", subject=subject, data={"a": [1]})


@pytest.fixture
async def databases() -> AsyncIterator[list[Database]]:
    opened: list[Database] = []
    yield opened
    for database in opened:
        await database.close()


@pytest.fixture
def open_outbox(tmp_path: Path, databases: list[Database]) -> OpenOutbox:
    async def start(limit: int = 100, name: str = "slot.sqlite") -> Outbox:
        for database in databases:
            await database.close()
        databases.append(Database(tmp_path / name))
        return Outbox(databases[-1], limit=limit)

    return start


async def subjects(outbox: Outbox) -> list[str]:
    return [one.subject for one in await outbox.pending()]


async def test_events_wait_in_order_until_they_are_acknowledged(open_outbox: OpenOutbox) -> None:
    outbox = await open_outbox()
    ids = [await outbox.add(event(subject)) for subject in "abc"]
    pending = await outbox.pending()
    assert [one.seq for one in pending] == ids == sorted(set(ids))
    assert pending[0] == event("a").model_copy(update={"seq": ids[0]})
    assert [one.subject for one in await outbox.pending(2)] == ["a", "b"]
    await outbox.acknowledge(ids[1])
    assert await subjects(outbox) == ["c"]


async def test_events_survive_a_restart_and_ids_go_on_rising(open_outbox: OpenOutbox) -> None:
    outbox = await open_outbox()
    first = await outbox.add(event("a"))
    await outbox.acknowledge(first)
    outbox = await open_outbox()
    assert await outbox.add(event("b")) > first
    assert await subjects(outbox) == ["b"]


async def test_an_event_is_on_disk_when_add_returns_even_if_the_process_is_killed(
    open_outbox: OpenOutbox, tmp_path: Path
) -> None:
    script = f"""
import asyncio, os, signal
from pathlib import Path
from backends.database import Database
from backends.slot.outbox import Outbox
from tests.backends.slot.test_outbox import event
async def main():
    outbox = Outbox(Database(Path({str(tmp_path / "slot.sqlite")!r})))
    for subject in "abc":
        await outbox.add(event(subject))
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", script], env=env, check=False).returncode == -signal.SIGKILL
    assert await subjects(await open_outbox()) == ["a", "b", "c"]


async def test_a_box_that_lost_its_log_gets_what_waits(open_outbox: OpenOutbox) -> None:
    outbox = await open_outbox()
    ids = [await outbox.add(event(subject)) for subject in "ab"]
    await outbox.reconcile(0)
    assert [one.seq for one in await outbox.pending()] == ids


async def test_what_the_box_has_already_is_forgotten_at_the_next_connection(open_outbox: OpenOutbox) -> None:
    outbox = await open_outbox()
    ids = [await outbox.add(event(subject)) for subject in "ab"]
    await outbox.reconcile(ids[0])
    assert await subjects(outbox) == ["b"]


async def test_an_outbox_whose_file_was_lost_gives_no_id_twice(open_outbox: OpenOutbox) -> None:
    outbox = await open_outbox()
    last = [await outbox.add(event(subject)) for subject in "abc"][-1]
    outbox = await open_outbox(name="fresh.sqlite")
    assert await outbox.add(event("new")) > last


async def test_an_outbox_that_the_clock_put_behind_is_numbered_anew(open_outbox: OpenOutbox) -> None:
    outbox = await open_outbox()
    first = await outbox.add(event("a"))
    await outbox.add(event("b"))
    ahead = first + 10**12
    await outbox.reconcile(ahead)
    pending = await outbox.pending()
    assert [one.subject for one in pending] == ["a", "b"]
    assert pending[0].seq > ahead
    assert await outbox.add(event("c")) == pending[1].seq + 1


async def test_beyond_its_limit_the_oldest_go(open_outbox: OpenOutbox) -> None:
    outbox = await open_outbox(limit=3)
    for subject in "abcde":
        await outbox.add(event(subject))
    assert await subjects(outbox) == ["c", "d", "e"]
