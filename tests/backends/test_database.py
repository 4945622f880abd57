"""The database file: one thread, transactions, damage."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.database import Database
from backends.model.errors import HeroError


def make_table(db: sqlite3.Connection, replaces: bool) -> None:
    db.execute("CREATE TABLE IF NOT EXISTS numbers(n INTEGER)")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(tmp_path / "deep" / "down" / "some.sqlite")
    made.add_schema(make_table)
    yield made
    await made.close()


def numbers(db: sqlite3.Connection) -> list[int]:
    return [n for (n,) in db.execute("SELECT n FROM numbers ORDER BY n")]


async def test_work_runs_in_the_order_in_which_it_was_asked(database: Database) -> None:
    seen: list[int] = []
    await asyncio.gather(*(database.run(lambda db, n=n: seen.append(n)) for n in range(100)))  # type: ignore[misc]
    assert seen == list(range(100))


async def test_work_that_fails_leaves_nothing_behind(database: Database) -> None:
    def half(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO numbers VALUES(1)")
        raise sqlite3.OperationalError("no")

    with pytest.raises(HeroError):
        await database.run(half)
    assert await database.run(numbers) == []


async def test_a_file_that_is_no_database_is_moved_aside_and_told(database: Database) -> None:
    database.path.parent.mkdir(parents=True)
    database.path.write_text("not a database " * 100)
    await database.run(lambda db: db.execute("INSERT INTO numbers VALUES(1)"))
    assert await database.run(numbers) == [1]
    (aside,) = database.path.parent.glob("*.corrupt-*")
    assert aside.read_text().startswith("not a database")
    assert aside.name in database.problems[0]


async def test_a_folder_that_cannot_be_made_is_an_error_for_people(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = Database(tmp_path / "file" / "some.sqlite")
    with pytest.raises(HeroError, match=r"some\.sqlite"):
        await database.run(numbers)
    await database.close()


async def test_a_closed_database_refuses_work(database: Database) -> None:
    await database.run(numbers)
    await database.close()
    await database.close()
    with pytest.raises(HeroError, match="closed"):
        await database.run(numbers)


async def test_a_full_disk_is_told_as_such(database: Database) -> None:
    def fill(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA max_page_count=4")
        db.executemany("INSERT INTO numbers VALUES(?)", [(n,) for n in range(100_000)])

    with pytest.raises(HeroError) as caught:
        await database.run(fill)
    assert caught.value.code == "no_space"
