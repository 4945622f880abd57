"""The SQL of the event log: its tables, what is synced to disk, what is trimmed when."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backends.model.errors import HeroError
from backends.model.state import Event

CHUNK = 500
"""Rows that one step of trimming deletes, so that an append waits for no more than that."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS events(seq INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, "
    "box TEXT NOT NULL, slot TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL, "
    "passing INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS events_by_class ON events(passing, seq)",
    "CREATE TABLE IF NOT EXISTS acknowledged(slot TEXT PRIMARY KEY, outbox_id INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS trimmed(one INTEGER PRIMARY KEY CHECK(one = 1), upto INTEGER NOT NULL)",
)


@dataclass(frozen=True)
class Keep:
    """How much of one class of events is kept: at most `rows`, and of those older than `age` only `least`.

    `least` saves the newest rows from a clock that jumped far ahead for a moment.
    """

    rows: int
    age: timedelta
    least: int


@dataclass(frozen=True)
class Retention:
    """Passing states (`service.*`, `slot.*`, `agent.*`) go soon, records of what was done (audit, builds) late."""

    passing: Keep = Keep(rows=100_000, age=timedelta(days=14), least=1_000)
    records: Keep = Keep(rows=1_000_000, age=timedelta(days=365), least=10_000)


@dataclass(frozen=True)
class Bounds:
    """`newest` is the last number given; everything after `trimmed` is still there."""

    newest: int
    trimmed: int


def is_passing(kind: str) -> bool:
    """Whether an event tells a state that the next one replaces, rather than something that was done."""
    return kind.startswith(("service.", "slot.", "agent."))


def create(db: sqlite3.Connection, replaces: bool) -> None:
    """Make the tables. A log that replaces a corrupt one numbers on from where no client ever was."""
    for statement in _TABLES:
        db.execute(statement)
    if db.execute("SELECT 1 FROM trimmed").fetchone():
        return
    start = time.time_ns() // 1_000_000 if replaces else 0
    db.execute("INSERT INTO trimmed(one, upto) VALUES(1, ?)", (start,))
    db.execute("INSERT INTO sqlite_sequence(name, seq) VALUES('events', ?)", (start,))


def bounds(db: sqlite3.Connection) -> Bounds:
    (newest,) = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    (trimmed,) = db.execute("SELECT upto FROM trimmed").fetchone()
    return Bounds(newest, trimmed)


def acknowledged(db: sqlite3.Connection, slot: str) -> int:
    """The highest outbox id of `slot` that is in the log; 0 where none is."""
    found = db.execute("SELECT outbox_id FROM acknowledged WHERE slot = ?", (slot,)).fetchone()
    return found[0] if found else 0


def acknowledge(db: sqlite3.Connection, slot: str, upto: int) -> None:
    db.execute(
        "INSERT INTO acknowledged(slot, outbox_id) VALUES(?, ?) "
        "ON CONFLICT(slot) DO UPDATE SET outbox_id = max(outbox_id, excluded.outbox_id)",
        (slot, upto),
    )


def insert(db: sqlite3.Connection, events: Sequence[Event]) -> list[Event]:
    """Add `events` in their order; the same with their numbers."""
    numbered = []
    for event in events:
        data = json.dumps(event.data, separators=(",", ":"))
        passing = is_passing(event.kind)
        row = (_stamp(event.time), event.box, event.slot, event.kind, _plain(event.subject), data, passing)
        cursor = db.execute(
            "INSERT INTO events(time, box, slot, kind, subject, data, passing) VALUES(?, ?, ?, ?, ?, ?, ?)", row
        )
        numbered.append(event.model_copy(update={"seq": cursor.lastrowid}))
    return numbered


def select_after(db: sqlite3.Connection, after: int, limit: int) -> list[Event]:
    """Events with numbers above `after`, in order. Raises HeroError `snapshot_needed` where some are gone."""
    kept = bounds(db)
    if after < kept.trimmed or after > kept.newest:
        raise HeroError(
            "snapshot_needed",
            f"The events after {after} are not all kept any more.",
            hint="Take a fresh `fleet.snapshot` and subscribe after its seq.",
            data={"oldest": kept.trimmed + 1, "newest": kept.newest},
        )
    found = db.execute(
        "SELECT seq, time, box, slot, kind, subject, data FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, limit),
    )
    return [_event(row) for row in found]


def select_audit(db: sqlite3.Connection, limit: int, slot: str | None) -> list[Event]:
    """The newest audit records (of one slot), newest first."""
    found = db.execute(
        "SELECT seq, time, box, slot, kind, subject, data FROM events WHERE passing = 0 "
        "AND kind >= 'audit.' AND kind < 'audit/' AND (?1 IS NULL OR slot = ?1) ORDER BY seq DESC LIMIT ?2",
        (slot, limit),
    )
    return [_event(row) for row in found]


def delete_expired(db: sqlite3.Connection, retention: Retention, now: datetime) -> bool:
    """Delete at most CHUNK rows of each class; whether there may be more to delete."""
    more = False
    for passing, keep in ((1, retention.passing), (0, retention.records)):
        doomed = _too_many(db, passing, keep.rows) or _too_old(db, passing, keep, now)
        if not doomed:
            continue
        db.executemany("DELETE FROM events WHERE seq = ?", [(seq,) for seq in doomed])
        db.execute("UPDATE trimmed SET upto = max(upto, ?)", (doomed[-1],))
        more = more or len(doomed) == CHUNK
    return more


def _too_many(db: sqlite3.Connection, passing: int, rows: int) -> list[int]:
    return [seq for seq, _ in _oldest(db, passing, but_newest=rows)]


def _too_old(db: sqlite3.Connection, passing: int, keep: Keep, now: datetime) -> list[int]:
    rows = _oldest(db, passing, but_newest=keep.least)
    return [seq for seq, time in rows if now - datetime.fromisoformat(time) > keep.age]


def _oldest(db: sqlite3.Connection, passing: int, but_newest: int) -> list[tuple[int, str]]:
    """Numbers and times of the CHUNK oldest rows of a class, without its `but_newest` newest ones."""
    found = db.execute(
        "SELECT seq, time FROM events WHERE passing = ?1 AND seq <= (SELECT seq FROM events "
        "WHERE passing = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2) ORDER BY seq LIMIT ?3",
        (passing, but_newest, CHUNK),
    )
    return found.fetchall()


def _stamp(time: datetime) -> str:
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat()


def _plain(text: str) -> str:
    """`text` as UTF-8 can say it: a lone surrogate from a file's name must not stop the log."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _event(row: tuple[int, str, str, str, str, str, str]) -> Event:
    seq, time, box, slot, kind, subject, data = row
    return Event(
        seq=seq,
        time=datetime.fromisoformat(time),
        box=box,
        slot=slot,
        kind=kind,
        subject=subject,
        data=json.loads(data),
    )
