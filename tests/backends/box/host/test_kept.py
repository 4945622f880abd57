"""What the box keeps of its machine: the trend, what was warned of, what grew; over restarts, and kept small."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backends.box.host import growth, trend
from backends.box.host.trend import Trend, together
from backends.box.host.warnings import Warnings
from backends.database import Database
from backends.model.boxfile import Host
from backends.model.host import DiskPart, DiskSpace, HostPoint, HostWarning, Machine, SlotDisk

GB = 1_000_000_000
DAY = 86400.0
BEGIN = 1_800_000_000.0


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(tmp_path / "box.sqlite")
    yield opened
    await opened.close()


async def test_ten_minutes_become_one_kept_point_that_the_next_process_finds(tmp_path: Path) -> None:
    first = Database(tmp_path / "box.sqlite")
    known = Trend(first)
    await known.open()
    for minute in range(25):
        await known.add(HostPoint(at=minute * 60.0, cpu=minute, disk=50 + minute))
    assert len(known.minutes) == 25
    assert [(one.at, one.cpu, one.disk) for one in known.days] == [(540.0, 4.5, 59.0), (1140.0, 14.5, 69.0)]
    await first.close()
    second = Database(tmp_path / "box.sqlite")
    again = Trend(second)
    await again.open()
    assert again.days == known.days
    assert again.minutes == ()
    await second.close()


async def test_the_trend_stays_small(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trend, "KEPT_SECONDS", 5 * 60.0 * trend.TOGETHER)
    known = Trend(database)
    await known.open()
    for minute in range(200):
        await known.add(HostPoint(at=-minute * 60.0))  # a clock that runs backwards changes nothing
    assert len(known.minutes) == trend.MINUTES
    assert await database.run(lambda db: db.execute("SELECT count(*) FROM host_points").fetchone()[0]) == 5


def test_points_together_are_their_mean() -> None:
    assert together([HostPoint(at=1, load=1), HostPoint(at=2, load=2)]).load == 1.5


async def test_a_restart_does_not_tell_a_warning_again(tmp_path: Path) -> None:
    told: list[HostWarning] = []

    async def tell(warning: HostWarning) -> None:
        told.append(warning)

    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    full = Machine(cpus=1, disks=(DiskSpace(mount="/", total=100, used=90, free=10),))
    for hour in range(3):
        database = Database(tmp_path / "box.sqlite")
        warnings = Warnings(database, Host(), tell)
        await warnings.open()
        await warnings.look(full, now + timedelta(hours=hour))
        assert warnings.now[0].since == now
        await database.close()
    assert [one.level for one in told] == ["warn"]


def measured(at: float, **sizes: int) -> SlotDisk:
    parts = tuple(
        DiskPart(kind="target", name=f"{name} development target/", size=size) for name, size in sizes.items()
    )
    return SlotDisk(slot="mik", parts=parts, measured_at=datetime.fromtimestamp(at, UTC))


def take(db: sqlite3.Connection, disk: SlotDisk) -> tuple[SlotDisk, list[str]]:
    """A measurement as the box takes it; what is told of it."""
    assert disk.measured_at
    at = disk.measured_at.timestamp()
    base = growth.base(db, "mik", at)
    growth.keep(db, "mik", growth.sizes_of(disk), at)
    grown = growth.with_growth(disk, base)
    return grown, [one.sentence for one in growth.told(grown, base)]


@pytest.fixture
def db() -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", isolation_level=None)
    growth.create(made, False)
    return made


def test_a_target_that_grew_9_gb_today_is_told(db: sqlite3.Connection) -> None:
    first, nothing = take(db, measured(BEGIN, hero_db=2 * GB))
    assert first.parts[0].grew is None
    assert nothing == []
    grown, sentences = take(db, measured(BEGIN + DAY, hero_db=11 * GB))
    assert grown.parts[0].grew == 9 * GB
    assert sentences == ["target/ of hero_db development (mik) grew 9.0 GB today."]


def test_it_is_compared_with_a_day_ago_not_with_the_last_look(db: sqlite3.Connection) -> None:
    for hour in range(0, 49, 6):
        grown, sentences = take(db, measured(BEGIN + hour * 3600, hero_db=hour * GB))
    assert grown.parts[0].grew == 24 * GB
    assert "grew 24.0 GB today" in sentences[0]


def test_what_is_new_grew_from_nothing_and_what_is_gone_is_forgotten(db: sqlite3.Connection) -> None:
    take(db, measured(BEGIN, hero_db=GB))
    _, sentences = take(db, measured(BEGIN + 2 * 3600, hero_mail=GB))
    assert sentences == ["target/ of hero_mail development (mik) grew 1.0 GB in 2 h."]
    take(db, measured(BEGIN + 4 * 3600))
    _, sentences = take(db, measured(BEGIN + 30 * 3600, hero_db=GB))
    assert sentences == ["target/ of hero_db development (mik) grew 1.0 GB today."]


def test_what_never_changes_is_not_new_after_weeks_and_the_table_stays_small(db: sqlite3.Connection) -> None:
    for day in range(0, 60):
        grown, sentences = take(db, measured(BEGIN + day * DAY, hero_db=5 * GB, tiny=10))
        assert sentences == []
    assert [part.grew for part in grown.parts] == [0, 0]
    rows = db.execute("SELECT count(*) FROM host_disk WHERE name != ''").fetchone()[0]
    assert rows <= 3


def test_rows_of_a_clock_that_was_ahead_are_dropped(db: sqlite3.Connection) -> None:
    take(db, measured(BEGIN, hero_db=GB))
    take(db, measured(BEGIN + 400 * DAY, hero_db=50 * GB))
    _, sentences = take(db, measured(BEGIN + DAY, hero_db=GB))
    assert sentences == []
    assert db.execute("SELECT max(at) FROM host_disk").fetchone()[0] == BEGIN + DAY
