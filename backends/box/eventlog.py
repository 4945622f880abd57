"""The box's memory: each event gets the number that orders it, and is on disk before it is told."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from backends.box import eventrows
from backends.box.eventrows import Retention
from backends.database import Database
from backends.model.errors import HeroError
from backends.model.state import Event

log = logging.getLogger(__name__)

TRIM_EVERY = 1000
"""Events between two looks for expired ones."""

Listener = Callable[[Sequence[Event]], None]


@dataclass(frozen=True)
class _Entry:
    """Events that wait to be written; `slot` is set for those out of a slot's outbox."""

    events: tuple[Event, ...]
    slot: str | None
    written: asyncio.Future[int]


class EventLog:
    """The log in `database`. `listener` gets the events in the order of their numbers, on the event loop.

    Everything that waits while the disk is busy goes into one transaction. What the disk refuses is told
    without a number, and whoever asks for events across that gap must take a snapshot.
    """

    def __init__(
        self,
        database: Database,
        listener: Listener,
        *,
        retention: Retention | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self._database = database
        self._database.add_schema(eventrows.create)
        self._listener = listener
        self._retention = retention or Retention()
        self._now = now
        self._waiting: list[_Entry] = []
        self._writer: asyncio.Task[None] | None = None
        self._trimmer: asyncio.Task[None] | None = None
        self._since_trim = 0
        self._newest = 0
        self._lost_at: int | None = None
        self._trouble = ""

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person should know of the log."""
        return (self._trouble,) if self._trouble else ()

    async def open(self) -> None:
        """Open or make the file. Raises HeroError where that cannot be."""
        self._newest = (await self._database.run(eventrows.bounds)).newest
        self._trim()

    async def close(self) -> None:
        """Write what waits; the database stays open."""
        for task in (self._writer, self._trimmer):
            if task is not None:
                await asyncio.wait([task])

    async def append(self, events: Sequence[Event]) -> None:
        """Number, keep and tell `events`; never raises for a disk that refuses."""
        if events:
            await self._enqueue(events, None)

    def put(self, events: Sequence[Event]) -> None:
        """Like `append`, without waiting: the events have their place in the order when this returns."""
        if events:
            self._enqueue(events, None)

    async def take(self, slot: str, events: Sequence[Event]) -> int:
        """Like `append`, for events of a slot's outbox, whose `seq` is their outbox id; those known are skipped.

        Returns the highest outbox id that is safe. Raises HeroError where the disk refuses: nothing was taken.
        """
        return await self._enqueue(events, slot)

    async def settled(self) -> int:
        """The number of the last event that was given to the log before this call, once it is written."""
        if self._writer is None or self._writer.done():
            return self._newest
        return await self._enqueue((), None)

    async def after(self, seq: int, limit: int) -> list[Event]:
        """Up to `limit` events after `seq`, in order. Raises HeroError `snapshot_needed` where some are gone."""
        if self._lost_at is not None and seq <= self._lost_at:
            raise HeroError(
                "snapshot_needed",
                f"Some events after {seq} could not be kept: {self._trouble or 'the disk refused them'}.",
                hint="Take a fresh `fleet.snapshot` and subscribe after its seq.",
            )
        return await self._database.run(lambda db: eventrows.select_after(db, seq, limit))

    async def audit(self, limit: int, slot: str | None = None) -> list[Event]:
        """The newest `audit.*` events (of one slot), newest first."""
        return await self._database.run(lambda db: eventrows.select_audit(db, limit, slot))

    def latest_seq(self) -> int:
        """The number of the newest event that was told."""
        return self._newest

    async def oldest_seq(self) -> int:
        """The first number from which on everything is kept."""
        return (await self._database.run(eventrows.bounds)).trimmed + 1

    def _enqueue(self, events: Sequence[Event], slot: str | None) -> asyncio.Future[int]:
        entry = _Entry(tuple(events), slot, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting(), name="event-log-writer")
        return entry.written

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                written = await self._database.run(partial(_write, batch=batch))
            except Exception as error:
                self._refused(batch, error)
                continue
            self._trouble = ""
            for entry, (events, acknowledged) in zip(batch, written, strict=True):
                self._tell(events)
                _resolve(entry, self._newest if entry.slot is None else acknowledged)

    def _tell(self, events: list[Event]) -> None:
        if not events:
            return
        self._newest = events[-1].seq
        self._listener(events)
        self._since_trim += len(events)
        if self._since_trim >= TRIM_EVERY:
            self._trim()

    def _refused(self, batch: list[_Entry], error: Exception) -> None:
        log.error("events could not be kept: %s", error)
        told = error if isinstance(error, HeroError) else HeroError("internal", f"The event log failed: {error}")
        self._trouble = f"Events are not kept: {told.message}"
        self._lost_at = self._newest
        for entry in batch:
            if entry.slot is not None:
                if not entry.written.done():
                    entry.written.set_exception(told)
                continue
            if entry.events:
                self._listener([event.model_copy(update={"seq": 0}) for event in entry.events])
            _resolve(entry, self._newest)

    def _trim(self) -> None:
        self._since_trim = 0
        if self._trimmer is None or self._trimmer.done():
            self._trimmer = asyncio.create_task(self._trim_all(), name="event-log-trimmer")

    async def _trim_all(self) -> None:
        try:
            while await self._database.run(lambda db: eventrows.delete_expired(db, self._retention, self._now())):
                pass
        except HeroError as error:
            log.warning("old events stay for now: %s", error)


def _resolve(entry: _Entry, value: int) -> None:
    if not entry.written.done():
        entry.written.set_result(value)


def _write(db: sqlite3.Connection, batch: list[_Entry]) -> list[tuple[list[Event], int]]:
    """All of `batch` in one transaction, synced to the disk where it holds more than passing states."""
    keep = any(not eventrows.is_passing(event.kind) for entry in batch for event in entry.events)
    db.execute(f"PRAGMA synchronous={'FULL' if keep else 'NORMAL'}")
    return [_write_entry(db, entry) for entry in batch]


def _write_entry(db: sqlite3.Connection, entry: _Entry) -> tuple[list[Event], int]:
    if entry.slot is None:
        return eventrows.insert(db, entry.events), 0
    known = eventrows.acknowledged(db, entry.slot)
    fresh = [event for event in entry.events if event.seq > known]
    if not fresh:
        return [], known
    eventrows.acknowledge(db, entry.slot, fresh[-1].seq)
    return eventrows.insert(db, fresh), fresh[-1].seq
