"""The SQL of the inbox: one row an item, what waits for whom, what is still to be told, what is forgotten when."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from backends.model.inbox import InboxItem

log = logging.getLogger(__name__)

KEPT = timedelta(days=90)
"""How long an item stays that is over."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS inbox_items(num INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, "
    "kind TEXT NOT NULL, sender TEXT NOT NULL, recipient TEXT NOT NULL, waiting TEXT NOT NULL, "
    "state TEXT NOT NULL, expires REAL, changed REAL NOT NULL, told INTEGER NOT NULL, "
    "handed INTEGER NOT NULL DEFAULT 0, data TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS inbox_by_recipient ON inbox_items(recipient, state, num)",
    "CREATE INDEX IF NOT EXISTS inbox_by_sender ON inbox_items(sender, state, num)",
    "CREATE INDEX IF NOT EXISTS inbox_by_end ON inbox_items(state, expires)",
    "CREATE INDEX IF NOT EXISTS inbox_by_change ON inbox_items(changed)",
    "CREATE INDEX IF NOT EXISTS inbox_untold ON inbox_items(num) WHERE told = 0",
)
_WAITS = "state IN ('open', 'submitted')"
_HANDED = "kind IN ('permission', 'approval')"
_AGENTS = "recipient >= ? AND recipient < ?"


def create(db: sqlite3.Connection, replaces: bool) -> None:
    """Make the table where it is missing."""
    for statement in _TABLES:
        db.execute(statement)


def synced(db: sqlite3.Connection) -> None:
    """What this transaction writes is on the disk after it; to be called before its first write."""
    db.execute("PRAGMA synchronous=FULL")


def put(db: sqlite3.Connection, item: InboxItem, now: datetime) -> None:
    """Write `item`, new or changed; nobody was told of it yet."""
    expires = item.expires_at.timestamp() if item.expires_at else None
    row = (item.id, item.kind, item.sender, item.to, item.waiting, item.state, expires, now.timestamp())
    db.execute(
        "INSERT INTO inbox_items(id, kind, sender, recipient, waiting, state, expires, changed, told, data) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT(id) DO UPDATE SET "
        "state=excluded.state, expires=excluded.expires, changed=excluded.changed, told=0, "
        "handed=handed * (excluded.state <> 'open'), data=excluded.data",
        (*row, item.model_dump_json()),
    )


def find(db: sqlite3.Connection, item_id: str) -> InboxItem | None:
    """One item by its id."""
    return _first(_items(db, "id = ?", (item_id,)))


def dialog(db: sqlite3.Connection, sender: str, waiting: str) -> InboxItem | None:
    """The newest item about one dialog or proposal of an agent."""
    where = f"{_HANDED} AND sender = ? AND waiting = ? ORDER BY num DESC LIMIT 1"
    return _first(_items(db, where, (sender, waiting)))


def due(db: sqlite3.Connection, now: datetime) -> list[InboxItem]:
    """Open items whose time is over."""
    return _items(db, "state = 'open' AND expires <= ? ORDER BY expires, num", (now.timestamp(),))


def next_end(db: sqlite3.Connection) -> float | None:
    """When the next open item's time is over, in seconds since the epoch."""
    found: tuple[float | None] = db.execute("SELECT min(expires) FROM inbox_items WHERE state = 'open'").fetchone()
    return found[0]


def open_of(db: sqlite3.Connection, sender: str) -> int:
    """How many items of `sender` wait."""
    return _count(db, f"sender = ? AND {_WAITS}", sender)


def waiting_for(db: sqlite3.Connection, recipient: str) -> int:
    """How many items wait for `recipient`."""
    return _count(db, f"recipient = ? AND {_WAITS}", recipient)


def unread(db: sqlite3.Connection, recipients: Sequence[str]) -> int:
    """How many items wait for `recipients` that nobody has looked at."""
    found = _items(db, f"recipient IN ({_marks(recipients)}) AND state = 'open'", recipients)
    return sum(item.read_at is None for item in found)


def received(db: sqlite3.Connection, recipients: Sequence[str], *, ended: bool, limit: int) -> list[InboxItem]:
    """Items to `recipients`, newest first; with `ended` those that are over, too."""
    return _listed(db, f"recipient IN ({_marks(recipients)})", recipients, ended=ended, limit=limit)


def sent(db: sqlite3.Connection, sender: str, *, ended: bool, limit: int) -> list[InboxItem]:
    """Items from `sender`, newest first; with `ended` those that are over, too."""
    return _listed(db, "sender = ?", (sender,), ended=ended, limit=limit)


def for_agents(db: sqlite3.Connection, slot: str, limit: int) -> list[InboxItem]:
    """Messages that wait for the agents of `slot`, oldest first."""
    where = f"kind = 'message' AND state = 'open' AND {_AGENTS} ORDER BY num LIMIT ?"
    return _items(db, where, (f"{slot}/", f"{slot}0", limit))


def to_hand_over(db: sqlite3.Connection, slot: str) -> list[tuple[InboxItem, bool]]:
    """Answers to dialogs and proposals of the agents of `slot` that its daemon has not taken yet, oldest first,
    and whether it was asked to take one before."""
    rows = db.execute(
        f"SELECT data, handed FROM inbox_items WHERE {_HANDED} AND state = 'submitted' AND handed < 2 "  # noqa: S608
        "AND sender >= ? AND sender < ? ORDER BY num",
        (f"{slot}/", f"{slot}0"),
    )
    found = [(_read(data), bool(handed)) for data, handed in rows]
    return [(item, begun) for item, begun in found if item]


def stands_for(db: sqlite3.Connection, slot: str) -> list[InboxItem]:
    """Dialogs and proposals of the agents of `slot` that are not over, oldest first."""
    where = f"{_HANDED} AND {_WAITS} AND sender >= ? AND sender < ? ORDER BY num"
    return _items(db, where, (f"{slot}/", f"{slot}0"))


def hand_again(db: sqlite3.Connection, item_id: str) -> None:
    """The slot's daemon has taken this answer, and has lost it."""
    db.execute("UPDATE inbox_items SET handed = 1 WHERE id = ?", (item_id,))


def mark_handed(db: sqlite3.Connection, item_id: str, *, taken: bool) -> None:
    """The slot's daemon is asked to take this answer, or has `taken` it."""
    synced(db)
    db.execute("UPDATE inbox_items SET handed = ? WHERE id = ?", (2 if taken else 1, item_id))


def untold(db: sqlite3.Connection) -> list[InboxItem]:
    """Items whose last change is in no event yet, because this process was killed."""
    return _items(db, "told = 0 ORDER BY num", ())


def mark_told(db: sqlite3.Connection, items: Sequence[InboxItem]) -> None:
    """The events have these items in these states."""
    db.execute("PRAGMA synchronous=NORMAL")
    rows = [(item.id, item.state) for item in items]
    db.executemany("UPDATE inbox_items SET told = 1 WHERE id = ? AND state = ?", rows)


def forget_old(db: sqlite3.Connection, now: datetime) -> None:
    """Remove what has been over for long."""
    db.execute(f"DELETE FROM inbox_items WHERE NOT {_WAITS} AND changed < ?", ((now - KEPT).timestamp(),))  # noqa: S608


def _listed(
    db: sqlite3.Connection, where: str, values: Sequence[str], *, ended: bool, limit: int
) -> list[InboxItem]:
    which = "" if ended else f"AND {_WAITS}"
    return _items(db, f"{where} {which} ORDER BY num DESC LIMIT ?", (*values, limit))


def _items(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[InboxItem]:
    rows = db.execute(f"SELECT data FROM inbox_items WHERE {where}", tuple(values))  # noqa: S608
    found = (_read(row[0]) for row in rows)
    return [item for item in found if item]


def _count(db: sqlite3.Connection, where: str, value: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM inbox_items WHERE {where}", (value,)).fetchone()[0])  # noqa: S608


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def _first(items: list[InboxItem]) -> InboxItem | None:
    return items[0] if items else None


def _read(data: str) -> InboxItem | None:
    """One row that cannot be read (of another version) must not take the others away."""
    try:
        return InboxItem.model_validate_json(data)
    except ValidationError as error:
        log.error("an item of the inbox cannot be read: %s", error)
        return None
