"""What a slot must tell its box, kept on disk until the box has it in its own log."""

from __future__ import annotations

import sqlite3
import time

from backends.database import Database
from backends.model.state import Event

LIMIT = 100_000
"""Events kept while the box is away; beyond it the oldest go."""


class Outbox:
    """A durable queue of events; ids rise and are never given twice, not even after the file was lost.

    It shares `database` (SlotPaths.database) with whatever else the slot keeps there.
    """

    def __init__(self, database: Database, *, limit: int = LIMIT):
        self._database = database
        self._limit = limit
        database.add_schema(_create)

    async def add(self, event: Event) -> int:
        """Keep `event`; it is on disk when this returns its id. Raises HeroError (`no_space`, `failed`)."""
        text = event.model_dump_json(by_alias=True)
        return await self._database.run(lambda db: _add(db, text, self._limit))

    async def pending(self, limit: int = 200) -> list[Event]:
        """The oldest events that the box has not acknowledged; `seq` of each is its outbox id."""
        rows = await self._database.run(lambda db: _pending(db, limit))
        return [Event.model_validate_json(text).model_copy(update={"seq": number}) for number, text in rows]

    async def acknowledge(self, upto: int) -> None:
        """Forget the events with ids up to `upto`: the box has them."""
        await self._database.run(lambda db: _forget(db, upto))

    async def reconcile(self, acknowledged: int) -> None:
        """Agree with the highest id that the box ever acknowledged, at the start of a connection.

        An id that this outbox never gave means that its file was lost since: what waits is numbered anew
        above it, or the box would take it for a repetition.
        """
        await self._database.run(lambda db: _reconcile(db, acknowledged))


def _create(db: sqlite3.Connection, replaces: bool) -> None:
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchone():
        return
    db.execute("CREATE TABLE outbox(id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL)")
    # Starting at the clock keeps the ids of a lost file from being given again.
    db.execute("INSERT INTO sqlite_sequence(name, seq) VALUES('outbox', ?)", (time.time_ns() // 1000,))


def _add(db: sqlite3.Connection, text: str, limit: int) -> int:
    db.execute("PRAGMA synchronous=FULL")
    number = db.execute("INSERT INTO outbox(event) VALUES(?)", (text,)).lastrowid or 0
    db.execute("DELETE FROM outbox WHERE id <= ?", (number - limit,))
    return number


def _pending(db: sqlite3.Connection, limit: int) -> list[tuple[int, str]]:
    return db.execute("SELECT id, event FROM outbox ORDER BY id LIMIT ?", (limit,)).fetchall()


def _forget(db: sqlite3.Connection, upto: int) -> None:
    # An event that comes again after a power cut is recognised by the box, so this need not be synced.
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("DELETE FROM outbox WHERE id <= ?", (upto,))


def _reconcile(db: sqlite3.Connection, acknowledged: int) -> None:
    (highest,) = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchone()
    if acknowledged <= highest:
        _forget(db, acknowledged)
        return
    waiting = db.execute("SELECT event FROM outbox ORDER BY id").fetchall()
    db.execute("DELETE FROM outbox")
    db.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'outbox'", (acknowledged,))
    db.executemany("INSERT INTO outbox(event) VALUES(?)", waiting)
