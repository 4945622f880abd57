"""The SQL of the build queue: its table, what is active, what went through it, what is forgotten when."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Sequence

from pydantic import ValidationError

from backends.model.build_calls import BuildListParams
from backends.model.state import Build

log = logging.getLogger(__name__)

KEPT_EACH = 100
"""Ended builds that stay, of each service of each slot."""
KEPT_SECONDS = 90 * 86_400.0
"""How long an ended build stays at most."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS builds(num INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, "
    "slot TEXT NOT NULL, service TEXT NOT NULL, branch TEXT NOT NULL, commit_hash TEXT NOT NULL, "
    "state TEXT NOT NULL, changed REAL NOT NULL, data TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS builds_by_binding ON builds(slot, service, branch, num)",
    "CREATE INDEX IF NOT EXISTS builds_by_state ON builds(state, num)",
    "CREATE INDEX IF NOT EXISTS builds_by_change ON builds(changed, num)",
)
_ACTIVE = "state IN ('queued', 'running')"


def create(db: sqlite3.Connection, replaces: bool) -> None:
    """Make the table where it is missing."""
    for statement in _TABLES:
        db.execute(statement)


def put(db: sqlite3.Connection, builds: Sequence[Build]) -> None:
    """Write `builds`, new or changed, and sync them to the disk: somebody is told that they are kept."""
    db.execute("PRAGMA synchronous=FULL")
    now = time.time()
    db.executemany(
        "INSERT INTO builds(id, slot, service, branch, commit_hash, state, changed, data) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET "
        "commit_hash=excluded.commit_hash, state=excluded.state, changed=excluded.changed, data=excluded.data",
        [
            (one.id, one.slot, one.service, one.branch, one.commit, one.state, now, one.model_dump_json())
            for one in builds
        ],
    )


def active(db: sqlite3.Connection) -> list[Build]:
    """What waits and what runs, in the order in which it was asked for."""
    return _builds(db, f"SELECT data FROM builds WHERE {_ACTIVE} ORDER BY num", ())  # noqa: S608


def find(db: sqlite3.Connection, build_id: str) -> Build | None:
    """One build by its id."""
    return next(iter(_builds(db, "SELECT data FROM builds WHERE id = ?", (build_id,))), None)


def of_commit(db: sqlite3.Connection, slot: str, service: str, branch: str, commit: str) -> list[Build]:
    """The builds of one commit for one binding, the newest first."""
    query = (
        "SELECT data FROM builds WHERE slot = ? AND service = ? AND branch = ? AND commit_hash = ? "
        "ORDER BY num DESC LIMIT 50"
    )
    return _builds(db, query, (slot, service, branch, commit))


def latest(db: sqlite3.Connection, slot: str, service: str, branch: str) -> Build | None:
    """The newest build of one binding."""
    query = "SELECT data FROM builds WHERE slot = ? AND service = ? AND branch = ? ORDER BY num DESC LIMIT 1"
    return next(iter(_builds(db, query, (slot, service, branch))), None)


def ended(db: sqlite3.Connection, params: BuildListParams, limit: int) -> list[Build]:
    """Up to `limit` ended builds that `params` ask for, what ended last first."""
    where, values = [f"NOT {_ACTIVE}"], []
    if params.user is not None:
        where.append("slot = ?")
        values.append(params.user)
    if params.service is not None:
        where.append("service = ?")
        values.append(params.service)
    if params.states:
        where.append(f"state IN ({', '.join('?' * len(params.states))})")
        values += params.states
    if params.before is not None:
        where.append("(changed, num) < (SELECT changed, num FROM builds WHERE id = ?)")
        values.append(params.before)
    query = f"SELECT data FROM builds WHERE {' AND '.join(where)} ORDER BY changed DESC, num DESC LIMIT ?"  # noqa: S608
    return _builds(db, query, (*values, limit))


def forget_old(db: sqlite3.Connection, now: float) -> int:
    """Remove ended builds that are too old or too many; how many went."""
    old = db.execute(f"DELETE FROM builds WHERE NOT {_ACTIVE} AND changed < ?", (now - KEPT_SECONDS,)).rowcount  # noqa: S608
    many = db.execute(
        "DELETE FROM builds WHERE num IN (SELECT num FROM (SELECT num, row_number() OVER "  # noqa: S608
        f"(PARTITION BY slot, service ORDER BY num DESC) AS place FROM builds WHERE NOT {_ACTIVE}) "
        "WHERE place > ?)",
        (KEPT_EACH,),
    ).rowcount
    return old + many


def _builds(db: sqlite3.Connection, query: str, values: Sequence[object]) -> list[Build]:
    found = (_read(row[0]) for row in db.execute(query, tuple(values)))
    return [build for build in found if build]


def _read(data: str) -> Build | None:
    """One row that cannot be read (of another version) must not take the others away."""
    try:
        return Build.model_validate_json(data)
    except ValidationError as error:
        log.error("a build in the queue's table cannot be read: %s", error)
        return None
