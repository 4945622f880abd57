"""The SQL of the hooks that this box made on the forge."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_TABLE = (
    "CREATE TABLE IF NOT EXISTS hooks_made(repo TEXT NOT NULL, hook_id TEXT NOT NULL, url TEXT NOT NULL, "
    "generation INTEGER NOT NULL, key_mark TEXT NOT NULL, made_at REAL NOT NULL, PRIMARY KEY(repo, hook_id)) "
    "WITHOUT ROWID"
)


@dataclass(frozen=True, slots=True)
class Made:
    """A hook that we made: with which generation of its repository's secret, and with which key (its mark)."""

    hook_id: str
    url: str
    generation: int
    key_mark: str
    made_at: float


def create(db: sqlite3.Connection, replaces: bool) -> None:
    """Make the table."""
    db.execute(_TABLE)


def select(db: sqlite3.Connection) -> dict[str, tuple[Made, ...]]:
    """What was made for each repository."""
    found: dict[str, tuple[Made, ...]] = {}
    for repo, *row in db.execute("SELECT repo, hook_id, url, generation, key_mark, made_at FROM hooks_made"):
        found[repo] = (*found.get(repo, ()), Made(*row))
    return found


def insert(db: sqlite3.Connection, repo: str, made: Made) -> None:
    db.execute("PRAGMA synchronous=FULL")
    db.execute(
        "INSERT OR REPLACE INTO hooks_made(repo, hook_id, url, generation, key_mark, made_at) "
        "VALUES(?, ?, ?, ?, ?, ?)",
        (repo, made.hook_id, made.url, made.generation, made.key_mark, made.made_at),
    )


def delete(db: sqlite3.Connection, repo: str, hook_id: str) -> None:
    db.execute("DELETE FROM hooks_made WHERE repo = ? AND hook_id = ?", (repo, hook_id))
