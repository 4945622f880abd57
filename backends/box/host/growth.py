"""What grew: the size of every part as it was measured, kept for two weeks, a row only where it changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from backends.model.host import DiskPart, Growth, PartKind, SlotDisk

DAY = 86400.0
KEPT_SECONDS = 14 * DAY
_AGAIN_SECONDS = 7 * DAY
"""A part that does not change has a row this often, so that the newest one is never thrown away."""
LEAST = 1_000_000
"""Bytes below which a part, or a change, is not worth a row."""
TOLD_LEAST = 500_000_000
"""Bytes of a change that is worth a sentence."""
TOLD_MOST = 12
_WHOLE = ("", "")
_TABLE = (
    "CREATE TABLE IF NOT EXISTS host_disk(slot TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, "
    "at REAL NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY(slot, kind, name, at)) WITHOUT ROWID"
)

Key = tuple[str, str]
"""A part's kind and name; ("", "") is the slot as a whole, which has a row for each measurement."""


@dataclass(frozen=True, slots=True)
class Base:
    """What a slot's parts were at a moment about a day ago; one that is not named was not there, or tiny."""

    at: float
    sizes: Mapping[Key, int]


def create(db: sqlite3.Connection, _: bool) -> None:
    """Make the table."""
    db.execute(_TABLE)


def base(db: sqlite3.Connection, slot: str, now: float) -> Base | None:
    """What the slot held a day ago, or as long ago as is known; None where it was not measured before."""
    whole = "SELECT {} FROM host_disk WHERE slot = ? AND kind = '' AND name = '' AND at <= ?"
    found = db.execute(whole.format("max(at)"), (slot, now - DAY)).fetchone()[0]  # a day or more
    if found is None:
        found = db.execute(whole.format("min(at)"), (slot, now)).fetchone()[0]
    if found is None:
        return None
    rows = db.execute(
        "SELECT kind, name, bytes, max(at) FROM host_disk WHERE slot = ? AND at <= ? GROUP BY kind, name",
        (slot, found),
    )
    return Base(found, {(kind, name): size for kind, name, size, _ in rows})


def keep(db: sqlite3.Connection, slot: str, sizes: Mapping[Key, int], now: float) -> None:
    """Keep what was measured now."""
    db.execute("PRAGMA synchronous=NORMAL")
    # Rows of the future are of a clock that has been set back since.
    db.execute("DELETE FROM host_disk WHERE slot = ? AND (at < ? OR at > ?)", (slot, now - KEPT_SECONDS, now))
    rows = db.execute(
        "SELECT kind, name, bytes, max(at) FROM host_disk WHERE slot = ? GROUP BY kind, name", (slot,)
    )
    last = {(kind, name): (size, at) for kind, name, size, at in rows}
    changed = [(slot, *_WHOLE, now, sum(sizes.values()))]
    for key in {*sizes, *last} - {_WHOLE}:
        size, (before, at) = sizes.get(key, 0), last.get(key, (0, now))
        if abs(size - before) >= LEAST or (size >= LEAST and now - at > _AGAIN_SECONDS):
            changed.append((slot, *key, now, size))
    db.executemany("INSERT OR REPLACE INTO host_disk(slot, kind, name, at, bytes) VALUES(?, ?, ?, ?, ?)", changed)


def sizes_of(disk: SlotDisk) -> dict[Key, int]:
    """The parts by kind and name."""
    sizes: dict[Key, int] = {}
    for part in disk.parts:
        key = (part.kind, part.name)
        sizes[key] = sizes.get(key, 0) + part.size
    return sizes


def with_growth(disk: SlotDisk, before: Base | None) -> SlotDisk:
    """The parts with what each grew."""
    if before is None:
        return disk
    parts = (
        part.model_copy(update={"grew": _worth(part.size - before.sizes.get((part.kind, part.name), 0))})
        for part in disk.parts
    )
    return disk.model_copy(update={"parts": tuple(parts)})


def told(disk: SlotDisk, before: Base | None) -> list[Growth]:
    """What changed much since then, in sentences."""
    if before is None or disk.measured_at is None:
        return []
    since = datetime.fromtimestamp(before.at, UTC)
    span = _span(disk.measured_at.timestamp() - before.at)
    return [
        Growth(
            slot=disk.slot,
            kind=part.kind,
            name=part.name,
            bytes=part.grew,
            since=since,
            sentence=f"{_called(part, disk.slot)} {_changed(part.grew)} {span}.",
        )
        for part in disk.parts
        if part.grew is not None and abs(part.grew) >= TOLD_LEAST
    ]


def most(growths: Iterable[Growth]) -> tuple[Growth, ...]:
    """The greatest changes, what grew first."""
    return tuple(sorted(growths, key=lambda one: (one.bytes < 0, -abs(one.bytes)))[:TOLD_MOST])


def _worth(change: int) -> int:
    return change if abs(change) >= LEAST else 0


_NAMES: Mapping[PartKind, str] = {
    "version": "the installed version {}",
    "clone": "the clone of {}",
    "worktree": "the worktree of {}",
    "data": "the data of {}",
    "log": "the logs of {}",
    "build": "the build results",
    "agent": "what agents left",
    "cache": "the archive cache",
    "forge": "the forge",
}


def _called(part: DiskPart, slot: str) -> str:
    if part.kind == "target":
        service, _, rest = part.name.partition(" ")
        branch, _, folder = rest.rpartition(" ")
        name = f"{folder} of {service} {branch}".strip()
    else:
        name = _NAMES.get(part.kind, "{}").format(part.name)
    name = f"{name} ({slot})" if slot else name
    return name[:1].upper() + name[1:] if part.kind != "target" else name


def _changed(change: int) -> str:
    return f"{'grew' if change > 0 else 'shrank'} {_bytes(abs(change))}"


def _span(seconds: float) -> str:
    if 0.8 * DAY <= seconds <= 1.7 * DAY:
        return "today"
    if seconds > 1.7 * DAY:
        return f"in {seconds / DAY:.0f} days"
    return f"in {seconds / 3600:.0f} h" if seconds >= 5400 else f"in {max(1, seconds / 60):.0f} minutes"


def _bytes(count: float) -> str:
    """Decimal, as disks are sold and the cockpit shows them."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
