"""How the machine has been: a point a minute in memory, one for ten in the box's database for two weeks."""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Sequence
from functools import partial

from backends.database import Database
from backends.model.errors import HeroError
from backends.model.host import HostPoint

log = logging.getLogger(__name__)

MINUTES = 60
"""Points of the last hour, a minute apart."""
TOGETHER = 10
"""Minutes that become one kept point."""
KEPT_SECONDS = 14 * 86400.0
SHOWN = 288
"""Kept points that are told: two days of them."""
_TABLE = (
    "CREATE TABLE IF NOT EXISTS host_points(id INTEGER PRIMARY KEY, at REAL NOT NULL, cpu REAL NOT NULL, "
    "memory REAL NOT NULL, swap REAL NOT NULL, load REAL NOT NULL, disk REAL NOT NULL)"
)
_FIELDS = ("at", "cpu", "memory", "swap", "load", "disk")


class Trend:
    """The points of one machine. To be made before the database's first use."""

    def __init__(self, database: Database):
        self._database = database
        database.add_schema(_create)
        self._minutes: deque[HostPoint] = deque(maxlen=MINUTES)
        self._days: deque[HostPoint] = deque(maxlen=SHOWN)
        self._waiting: list[HostPoint] = []

    @property
    def minutes(self) -> tuple[HostPoint, ...]:
        """The last hour, the oldest first."""
        return tuple(self._minutes)

    @property
    def days(self) -> tuple[HostPoint, ...]:
        """The last days, ten minutes a point, the oldest first."""
        return tuple(self._days)

    async def open(self) -> None:
        """Take up what an earlier process kept. Raises HeroError."""
        self._days.extend(await self._database.run(_newest))

    async def add(self, point: HostPoint) -> None:
        """The machine a minute later; a disk that refuses costs the point's place in the days, nothing else."""
        self._minutes.append(point)
        self._waiting.append(point)
        if len(self._waiting) < TOGETHER:
            return
        kept, self._waiting = together(self._waiting), []
        self._days.append(kept)
        try:
            await self._database.run(partial(_insert, point=kept))
        except HeroError as error:
            log.warning("a point of the machine's trend is lost: %s", error.message)


def together(points: Sequence[HostPoint]) -> HostPoint:
    """One point for all of them: their mean, and of the disk the last."""
    count = len(points)
    means = {name: round(sum(getattr(one, name) for one in points) / count, 2) for name in _FIELDS[1:-1]}
    return HostPoint(at=points[-1].at, disk=points[-1].disk, **means)


def _create(db: sqlite3.Connection, _: bool) -> None:
    db.execute(_TABLE)


def _newest(db: sqlite3.Connection) -> list[HostPoint]:
    rows = db.execute(f"SELECT {', '.join(_FIELDS)} FROM host_points ORDER BY id DESC LIMIT {SHOWN}")  # noqa: S608
    return [HostPoint(**dict(zip(_FIELDS, row, strict=True))) for row in rows][::-1]


def _insert(db: sqlite3.Connection, point: HostPoint) -> None:
    db.execute("PRAGMA synchronous=NORMAL")
    names = ", ".join(_FIELDS)
    values = tuple(getattr(point, name) for name in _FIELDS)
    db.execute(f"INSERT INTO host_points({names}) VALUES(?, ?, ?, ?, ?, ?)", values)
    # By their number, not by the clock: one that was set back for a while must not keep points for ever.
    most = int(KEPT_SECONDS / 60 / TOGETHER)
    db.execute("DELETE FROM host_points WHERE id <= (SELECT max(id) FROM host_points) - ?", (most,))
