"""Whether the box can do its work, as a load balancer or a person with curl asks it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backends.database import Database
from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.version import VERSION

DATABASE_SECONDS = 2.0
"""A database that has not answered by then refuses."""


@dataclass(frozen=True, slots=True)
class Health:
    """`ok` says whether the box is open and its database can be written; `problems` are sentences for people."""

    box: str
    ok: bool
    problems: tuple[str, ...]

    @property
    def document(self) -> dict[str, object]:
        """What `/healthz` answers."""
        status = "ok" if self.ok else "unavailable"
        return {"status": status, "box": self.box, "version": VERSION, "problems": list(self.problems)}


async def look(
    box: str, database: Database, is_open: Callable[[], bool], problems: Callable[[], Sequence[str]]
) -> Health:
    """How the box stands now; never raises, and answers within DATABASE_SECONDS."""
    told = tuple(safe_line(problem) for problem in problems())
    if not is_open():
        return Health(box, False, (*told, "The box is not open yet, or is closing."))
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await database.run(_can_write)
    except HeroError as error:
        return Health(box, False, (*told, safe_line(error.message)))
    except TimeoutError:
        return Health(box, False, (*told, f"The database has not answered within {DATABASE_SECONDS:g} seconds."))
    return Health(box, True, told)


def _can_write(db: sqlite3.Connection) -> None:
    """Taking the write lock asks for all that a write needs but room on the disk; nothing is written."""
    db.execute("BEGIN IMMEDIATE")
