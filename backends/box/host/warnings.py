"""The machine's warnings as the box knows them: kept over restarts, so that none is told twice."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from backends.box.host.limits import Watch, looked, readings
from backends.database import Database
from backends.model.boxfile import Host
from backends.model.errors import HeroError
from backends.model.host import HostWarning, Machine, WarningLevel

log = logging.getLogger(__name__)

_TABLE = (
    "CREATE TABLE IF NOT EXISTS host_warnings(subject TEXT PRIMARY KEY, level TEXT NOT NULL, since REAL NOT NULL) "
    "WITHOUT ROWID"
)
_LEVELS: Mapping[str, WarningLevel] = {"warn": "warn", "bad": "bad"}

Tell = Callable[[HostWarning], Awaitable[None]]


class Warnings:
    """What exceeds `limits` now; `tell` gets each change of it. To be made before the database's first use."""

    def __init__(self, database: Database, limits: Host, tell: Tell):
        self._database = database
        database.add_schema(_create)
        self._limits = limits
        self._tell = tell
        self._watches: dict[str, Watch] = {}
        self.now: tuple[HostWarning, ...] = ()

    async def open(self) -> None:
        """Take up what an earlier process had told. Raises HeroError."""
        self._watches = await self._database.run(_kept)

    async def look(self, machine: Machine, now: datetime) -> None:
        """Compare the machine with its limits; meant for once a minute."""
        self._watches, self.now, told = looked(self._watches, readings(machine, self._limits), now)
        if not told:
            return
        try:
            await self._database.run(partial(_keep, watches=self._watches))
        except HeroError as error:
            log.warning("a warning may be told again after a restart: %s", error.message)
        for warning in told:
            await self._tell(warning)


def _create(db: sqlite3.Connection, _: bool) -> None:
    db.execute(_TABLE)


def _kept(db: sqlite3.Connection) -> dict[str, Watch]:
    found = {}
    for subject, word, since in db.execute("SELECT subject, level, since FROM host_warnings"):
        if level := _LEVELS.get(word):
            found[str(subject)] = Watch(level, datetime.fromtimestamp(since, UTC), level)
    return found


def _keep(db: sqlite3.Connection, watches: Mapping[str, Watch]) -> None:
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute("DELETE FROM host_warnings")
    rows = [
        (name, one.level, one.since.timestamp())
        for name, one in watches.items()
        if one.level != "ok" and one.since
    ]
    db.executemany("INSERT INTO host_warnings(subject, level, since) VALUES(?, ?, ?)", rows)
