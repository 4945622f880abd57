"""The event log: order, resumption, repetition, expiry, damage."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from backends.box import eventrows
from backends.box.eventlog import EventLog
from backends.box.eventrows import Keep, Retention
from backends.database import Database
from backends.model.errors import HeroError
from backends.model.state import Event
from tests.backends.box.events import NOON, audit, event

OpenLog = Callable[..., Awaitable[EventLog]]


class Heard:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, events: Sequence[Event]) -> None:
        self.events += events

    @property
    def seqs(self) -> list[int]:
        return [one.seq for one in self.events]


@pytest.fixture
def heard() -> Heard:
    return Heard()


class LogAndFile(EventLog):
    """A log that closes its file with itself, as the box does."""

    async def close(self) -> None:
        await super().close()
        await self._database.close()

    @property
    def problems(self) -> tuple[str, ...]:
        return (*self._database.problems, *super().problems)


@pytest.fixture
async def open_log(tmp_path: Path, heard: Heard) -> AsyncIterator[OpenLog]:
    opened: list[EventLog] = []

    async def start(retention: Retention | None = None, now: datetime = NOON) -> EventLog:
        database = Database(tmp_path / "var" / "events.sqlite")
        log = LogAndFile(database, heard, retention=retention, now=lambda: now)
        await log.open()
        opened.append(log)
        return log

    yield start
    for log in opened:
        await log.close()


async def test_events_are_told_in_the_order_of_their_numbers_however_many_write(
    open_log: OpenLog, heard: Heard
) -> None:
    log = await open_log()
    await asyncio.gather(*(log.append([event(subject=str(n)), event(subject=str(n))]) for n in range(50)))
    assert heard.seqs == list(range(1, 101))
    assert [one.subject for one in heard.events[::2]] == [str(n) for n in range(50)]
    assert await log.after(0, 1000) == heard.events
    assert log.latest_seq() == 100


async def test_a_log_goes_on_with_its_numbers_after_a_restart(open_log: OpenLog, heard: Heard) -> None:
    log = await open_log()
    await log.append([audit("one")])
    await log.close()
    log = await open_log()
    assert log.latest_seq() == 1
    await log.append([audit("two")])
    assert [one.subject for one in await log.after(0, 10)] == ["one", "two"]
    assert (await log.after(1, 10))[0].seq == 2


async def test_a_repeated_report_is_not_doubled(open_log: OpenLog) -> None:
    log = await open_log()
    reported = [audit(str(n), seq=n) for n in range(5, 9)]
    assert await log.take("alice", reported) == 8
    assert await log.take("alice", reported) == 8
    assert await log.take("alice", [*reported[2:], audit("new", seq=12)]) == 12
    assert await log.take("alice", []) == 12
    assert await log.take("mik", [audit("mik's", seq=5)]) == 5
    assert [one.subject for one in await log.after(0, 99)] == ["5", "6", "7", "8", "new", "mik's"]


async def test_settled_is_the_number_of_what_was_given_before(open_log: OpenLog) -> None:
    log = await open_log()
    log.put([event(), event()])
    settled = asyncio.create_task(log.settled())
    await asyncio.sleep(0)
    log.put([event()])
    assert await settled == 2
    assert await log.settled() == 3


async def test_the_clock_set_back_changes_no_order(open_log: OpenLog) -> None:
    log = await open_log()
    await log.append([audit("first", minute=60)])
    await log.append([audit("second", minute=-600)])
    assert [one.subject for one in await log.after(0, 10)] == ["first", "second"]
    assert [one.subject for one in await log.audit(10)] == ["second", "first"]


async def test_what_is_too_old_a_number_or_was_never_given_needs_a_snapshot(open_log: OpenLog) -> None:
    retention = Retention(passing=Keep(10, timedelta(days=1), 1), records=Keep(100, timedelta(days=1), 1))
    log = await open_log(retention)
    await log.append([event(subject=str(n)) for n in range(30)])
    await log.close()
    log = await open_log(retention)
    assert await oldest_becomes(log, 21) == 21
    assert len(await log.after(20, 100)) == 10
    for after in (0, 19, 31):
        with pytest.raises(HeroError) as caught:
            await log.after(after, 10)
        assert caught.value.code == "snapshot_needed"
        assert caught.value.data == {"oldest": 21, "newest": 30}


async def test_expired_states_go_in_small_steps_and_audit_stays(open_log: OpenLog) -> None:
    retention = Retention(
        passing=Keep(100_000, timedelta(days=14), 100), records=Keep(100_000, timedelta(days=365), 100)
    )
    log = await open_log(retention)
    for part in range(0, 2000, 400):
        await log.append([event(subject=str(n)) for n in range(part, part + 400)])
        await log.append([audit(str(part))])
    await log.close()
    log = await open_log(retention, NOON + timedelta(days=20))
    # The newest hundred stay, however old they look: the clock may be wrong.
    assert await oldest_becomes(log, 1905) == 1905
    assert len(await log.audit(100)) == 5


async def test_a_clock_that_jumps_ahead_takes_no_recent_audit(open_log: OpenLog) -> None:
    log = await open_log()
    await log.append([audit(str(n)) for n in range(20)])
    await log.close()
    log = await open_log(now=NOON + timedelta(days=365 * 80))
    await log.settled()
    assert len(await log.audit(100)) == 20


async def test_one_step_of_trimming_deletes_no_more_than_a_chunk(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "events.sqlite")
    eventrows.create(db, replaces=False)
    eventrows.insert(db, [event() for _ in range(1200)])
    retention = Retention(passing=Keep(100, timedelta(days=1), 1))
    left = []
    while eventrows.delete_expired(db, retention, NOON):
        left.append(db.execute("SELECT count(*) FROM events").fetchone()[0])
    assert left == [700, 200]
    assert db.execute("SELECT count(*) FROM events").fetchone() == (100,)
    db.close()


async def test_a_log_that_becomes_corrupt_is_replaced_while_it_runs(
    open_log: OpenLog, tmp_path: Path, heard: Heard
) -> None:
    log = await open_log()
    await log.append([event(subject=str(n), text="x" * 500) for n in range(500)])
    await log.close()
    path = tmp_path / "var" / "events.sqlite"
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    log = await open_log()
    with pytest.raises(HeroError) as caught:
        await log.after(100, 500)
    assert caught.value.code == "snapshot_needed"
    assert "corrupt" in log.problems[0]
    assert len(list(path.parent.glob("events.sqlite.corrupt-*"))) == 1
    await log.append([audit("after")])
    # A number that a client may have from the old log is never given again.
    assert heard.events[-1].seq > 500
    assert [one.subject for one in await log.audit(10)] == ["after"]


async def test_a_disk_that_refuses_stops_no_live_event_and_loses_no_reported_one(
    open_log: OpenLog, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await open_log()
    await log.append([event(subject="before")])

    def full(*_: object) -> list[Event]:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(eventrows, "insert", full)
    await log.append([event(subject="live")])
    assert [(one.seq, one.subject) for one in heard.events] == [(1, "before"), (0, "live")]
    with pytest.raises(HeroError):
        await log.take("alice", [audit("kept by the slot", seq=1)])
    assert log.problems
    with pytest.raises(HeroError, match="could not be kept"):
        await log.after(1, 10)
    monkeypatch.undo()
    assert await log.take("alice", [audit("kept by the slot", seq=1)]) == 1
    assert not log.problems
    assert (await log.after(2, 10)) == []


async def test_text_that_is_no_unicode_stops_nothing(open_log: OpenLog) -> None:
    log = await open_log()
    await log.append([event(subject="\udc80", text="\udcff")])
    assert (await log.after(0, 1))[0].subject == "?"


async def oldest_becomes(log: EventLog, wanted: int) -> int:
    """The oldest number, once trimming has reached `wanted`."""
    async with asyncio.timeout(30):
        while (oldest := await log.oldest_seq()) < wanted:
            await asyncio.sleep(0)
    return oldest
