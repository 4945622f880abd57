"""One SQLite file on one thread of its own, so that no daemon's event loop ever waits for a disk."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from backends.model.errors import HeroError

T = TypeVar("T")
Schema = Callable[[sqlite3.Connection, bool], None]

_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Database:
    """A WAL database that survives kill -9 of its process, and replaces itself when its file is corrupt.

    Each part that keeps tables in it gives its `add_schema` before the first `run`. `problems` tells
    people what was moved aside.
    """

    def __init__(self, path: Path):
        self.path = path
        self.problems: list[str] = []
        self._closed = False
        self._schemas: list[Schema] = []
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=path.stem)

    def add_schema(self, schema: Schema) -> None:
        """Have `schema(connection, replaces)` make its tables, in the worker thread, whenever the file is
        opened; `replaces` says that a corrupt file was moved aside for this one."""
        self._schemas.append(schema)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """`work(connection)` as one transaction in the database's thread, first come first served.

        Raises HeroError `no_space` on a full disk and `failed` for what else SQLite cannot do.
        """
        if self._closed:
            raise HeroError("failed", f"{self.path} is closed: its daemon is ending.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    async def close(self) -> None:
        """Finish what is queued, then close the file; nothing can be run after that."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            try:
                return self._transact(work)
            except sqlite3.DatabaseError as error:
                if not _is_corrupt(error):
                    raise
                self._move_aside(error)
                return self._transact(work)
        except (sqlite3.Error, OSError) as error:
            raise _told(self.path, error) from error

    def _transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        connection = self._connection or self._open(replaces=False)
        with connection:
            return work(connection)

    def _open(self, replaces: bool) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, check_same_thread=False, timeout=5, cached_statements=32)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA cache_size=-1024")
            for schema in self._schemas:
                with connection:
                    schema(connection, replaces)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _move_aside(self, error: sqlite3.DatabaseError) -> None:
        self._close()
        aside = self.path.with_name(f"{self.path.name}.corrupt-{time.time_ns() // 1_000_000}")
        self.path.rename(aside)
        for suffix in ("-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(aside.with_name(aside.name + suffix))
        self.problems.append(f"{self.path} was corrupt ({error}); it was kept as {aside.name}, a new one begun.")
        self._open(replaces=True)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_corrupt(error: sqlite3.DatabaseError) -> bool:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _BROKEN


def _told(path: Path, error: Exception) -> HeroError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == 28:
        return HeroError("no_space", f"The disk of {path} is full.", hint="Free some space; nothing was changed.")
    return HeroError("failed", f"{path} cannot be used: {error}.", hint="See that its folder can be written.")
