"""The SQL of the inbox: what waits to be handled, what was seen before, who spoke when last."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from backends.box.edge.delivery import Delivery

SEEN_SECONDS = 7 * 24 * 3600.0
"""How long a delivery that comes again is known."""

_TRIM_ROWS = 100
"""Digests forgotten with each write: more than come with it, few enough to cost it nothing."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS inbox(seq INTEGER PRIMARY KEY AUTOINCREMENT, digest TEXT NOT NULL UNIQUE, "
    "repo TEXT NOT NULL, branch TEXT NOT NULL, event TEXT NOT NULL, received REAL NOT NULL)",
    "CREATE TABLE IF NOT EXISTS hook_digests(digest TEXT PRIMARY KEY, received REAL NOT NULL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS hook_digests_by_age ON hook_digests(received)",
    "CREATE TABLE IF NOT EXISTS hook_seen(repo TEXT PRIMARY KEY, received REAL NOT NULL) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery that waits; `branch` is empty where only the repository is worth a look."""

    seq: int
    repo: str
    branch: str
    event: str


def create(db: sqlite3.Connection, replaces: bool) -> None:
    """Make the tables."""
    for statement in _TABLES:
        db.execute(statement)


def pending(db: sqlite3.Connection) -> list[Row]:
    """All that waits, oldest first."""
    return [Row(*row) for row in db.execute("SELECT seq, repo, branch, event FROM inbox ORDER BY seq")]


def accept(db: sqlite3.Connection, deliveries: Sequence[tuple[Delivery, float]]) -> list[Row | None]:
    """Keep deliveries with their times, synced in one transaction; None for each that was seen before."""
    db.execute("PRAGMA synchronous=FULL")
    kept = [_accept(db, delivery, received) for delivery, received in deliveries]
    _forget_old(db, max(received for _, received in deliveries) - SEEN_SECONDS)
    return kept


def delete(db: sqlite3.Connection, repo: str, branch: str, upto: int) -> None:
    """Take away what waits for (`repo`, `branch`) up to the number `upto`."""
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("DELETE FROM inbox WHERE repo = ? AND branch = ? AND seq <= ?", (repo, branch, upto))


def last_seen(db: sqlite3.Connection) -> dict[str, float]:
    """When each repository's last delivery was taken, in seconds since the epoch."""
    return dict(db.execute("SELECT repo, received FROM hook_seen").fetchall())


def _accept(db: sqlite3.Connection, delivery: Delivery, received: float) -> Row | None:
    row = (delivery.digest, received)
    if not db.execute("INSERT OR IGNORE INTO hook_digests(digest, received) VALUES(?, ?)", row).rowcount:
        return None
    branch = delivery.branch or ""
    # One that has waited for longer than its digest is known is still the same.
    added = db.execute(
        "INSERT OR IGNORE INTO inbox(digest, repo, branch, event, received) VALUES(?, ?, ?, ?, ?)",
        (delivery.digest, delivery.repo, branch, delivery.event, received),
    )
    if not added.rowcount or added.lastrowid is None:
        return None
    db.execute("INSERT OR REPLACE INTO hook_seen(repo, received) VALUES(?, ?)", (delivery.repo, received))
    return Row(added.lastrowid, delivery.repo, branch, delivery.event)


def _forget_old(db: sqlite3.Connection, before: float) -> None:
    db.execute(
        "DELETE FROM hook_digests WHERE digest IN "
        "(SELECT digest FROM hook_digests WHERE received < ? ORDER BY received LIMIT ?)",
        (before, _TRIM_ROWS),
    )
