"""What the broker remembers over a restart: leases, cooling keys, refused keys, use, its relay's port."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from backends.broker.usage import Tokens
from backends.database import Database
from backends.model.broker_calls import KeyUse

T = TypeVar("T")


@dataclass(frozen=True)
class Lease:
    """What a session was given. Times are seconds since the epoch.

    A `pass` lease is known by `digest`, the SHA-256 of the pass; `pinned` is the key that was asked for by name.
    A `key` lease is of the key `pinned` as it was then, by its `fingerprint`. `ended` tells why it is good
    no more.
    """

    id: str
    kind: str
    digest: str
    uid: int
    user: str
    session: str
    pinned: str
    fingerprint: str
    created: float
    used: float
    ended: str = ""


@dataclass(frozen=True)
class Kept:
    """All that was remembered: `cooling` until when by key; `refused` fingerprint and time by key."""

    leases: tuple[Lease, ...]
    cooling: dict[str, float]
    refused: dict[str, tuple[str, float]]
    port: int


_COLUMNS = tuple(one.name for one in fields(Lease))


class Ledger:
    """One SQLite file. Each change is on disk when its method returns. Methods raise HeroError."""

    def __init__(self, path: Path):
        self._database = Database(path)
        self._database.add_schema(_make_tables)

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(self._database.problems)

    async def load(self) -> Kept:
        """What is remembered."""
        return await self._database.run(_load)

    async def close(self) -> None:
        await self._database.close()

    async def keep_lease(self, lease: Lease) -> None:
        """A lease as it is now."""
        marks = ",".join("?" * len(_COLUMNS))
        await self._do(f"INSERT OR REPLACE INTO leases ({','.join(_COLUMNS)}) VALUES ({marks})", astuple(lease))  # noqa: S608

    async def forget_leases(self, ids: list[str]) -> None:
        """Leases that are of no more interest."""
        rows = [(one,) for one in ids]
        await self._database.run(lambda db: _many(db, "DELETE FROM leases WHERE id = ?", rows))

    async def keep_cooling(self, slot: str, until: float) -> None:
        await self._do("INSERT OR REPLACE INTO cooling (slot, until) VALUES (?, ?)", (slot, until))

    async def keep_refused(self, slot: str, fingerprint: str, at: float) -> None:
        await self._do("INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", (slot, fingerprint, at))

    async def forget_health(self, slot: str) -> None:
        """A key is another one now: what was known of the old one does not hold."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM cooling WHERE slot = ?", (slot,))
            db.execute("DELETE FROM refused WHERE slot = ?", (slot,))

        await self._database.run(work)

    async def keep_port(self, port: int) -> None:
        await self._do("INSERT OR REPLACE INTO facts VALUES ('port', ?)", (port,))

    async def count(self, slot: str, user: str, tokens: Tokens, *, refused: bool, at: float) -> None:
        """Add one request of `user` on the key `slot`."""
        await self._do(
            "INSERT INTO use VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (slot, user) DO UPDATE SET"
            " requests = requests + 1, refused = refused + excluded.refused, input = input + excluded.input,"
            " output = output + excluded.output, last = max(last, excluded.last)",
            (slot, user, int(refused), tokens.input, tokens.output, at),
        )

    async def use(self) -> tuple[KeyUse, ...]:
        """All that was used, by key and user."""
        rows = await self._database.run(
            lambda db: db.execute("SELECT * FROM use ORDER BY slot, user").fetchall(),
        )
        return tuple(_use(*row) for row in rows)

    async def _do(self, statement: str, values: tuple[Any, ...]) -> None:
        def work(db: sqlite3.Connection) -> None:
            db.execute(statement, values)

        await self._database.run(work)


def _make_tables(db: sqlite3.Connection, _: bool) -> None:
    db.executescript(
        """
        CREATE TABLE IF NOT EXISTS leases (
            id TEXT PRIMARY KEY, kind TEXT NOT NULL, digest TEXT NOT NULL, uid INTEGER NOT NULL,
            user TEXT NOT NULL, session TEXT NOT NULL, pinned TEXT NOT NULL,
            fingerprint TEXT NOT NULL, created REAL NOT NULL, used REAL NOT NULL, ended TEXT NOT NULL
        );
        CREATE TABLE IF NOT EXISTS cooling (slot TEXT PRIMARY KEY, until REAL NOT NULL);
        CREATE TABLE IF NOT EXISTS refused (slot TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, at REAL NOT NULL);
        CREATE TABLE IF NOT EXISTS use (
            slot TEXT NOT NULL, user TEXT NOT NULL, requests INTEGER NOT NULL, refused INTEGER NOT NULL,
            input INTEGER NOT NULL, output INTEGER NOT NULL, last REAL NOT NULL, PRIMARY KEY (slot, user)
        );
        CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
        """
    )


def _load(db: sqlite3.Connection) -> Kept:
    leases = db.execute(f"SELECT {','.join(_COLUMNS)} FROM leases").fetchall()  # noqa: S608
    port = db.execute("SELECT value FROM facts WHERE name = 'port'").fetchone()
    return Kept(
        leases=tuple(Lease(*row) for row in leases),
        cooling=dict(db.execute("SELECT slot, until FROM cooling").fetchall()),
        refused={slot: (mark, at) for slot, mark, at in db.execute("SELECT * FROM refused").fetchall()},
        port=port[0] if port else 0,
    )


def _many(db: sqlite3.Connection, statement: str, rows: list[tuple[str]]) -> None:
    db.executemany(statement, rows)


def _use(slot: str, user: str, requests: int, refused: int, input_: int, output: int, last: float) -> KeyUse:
    return KeyUse(
        slot=slot,
        user=user,
        requests=requests,
        refused=refused,
        input_tokens=input_,
        output_tokens=output,
        last_used=datetime.fromtimestamp(last, UTC),
    )


Clock = Callable[[], float]
"""Seconds since the epoch."""
