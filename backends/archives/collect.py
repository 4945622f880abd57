"""Keeps the cache within its limit: what was used longest ago goes, what is installed or being read stays."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path

from backends.archives.disk import try_lock

KEPT_SECONDS = 86400.0
"""How long a download that nobody goes on with, or a corrupt archive, is kept."""


@dataclass(frozen=True)
class Collected:
    """What a collection removed: bytes, and the sha256 of each archive."""

    freed_bytes: int
    removed: tuple[str, ...]


@dataclass(frozen=True)
class Usage:
    """What the cache holds, in bytes; `archives` and `corrupt` are counts."""

    archives: int
    archive_bytes: int
    partial_bytes: int
    corrupt: int
    corrupt_bytes: int
    limit_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.archive_bytes + self.partial_bytes + self.corrupt_bytes


@dataclass(frozen=True)
class _File:
    path: Path
    size: int
    time: float


def measure(root: Path, limit_bytes: int) -> Usage:
    """What the cache at `root` holds now. Blocking; raises OSError."""
    archives, parts, corrupt = (list(_files(root, what)) for what in ("sha256/??", "partial", "corrupt"))
    return Usage(
        archives=len(archives),
        archive_bytes=_sum(archives),
        partial_bytes=_sum(parts),
        corrupt=len(corrupt),
        corrupt_bytes=_sum(corrupt),
        limit_bytes=limit_bytes,
    )


def collect(root: Path, limit_bytes: int, keep: Set[str], now: float) -> Collected:
    """See `ArchiveCache.collect`; `now` in seconds since the epoch. Blocking; raises OSError."""
    leftovers = [*_files(root, "partial"), *_files(root, "corrupt")]
    old = [file for file in leftovers if now - file.time > KEPT_SECONDS]
    freed = sum(file.size for file in old if _remove(file.path))
    archives = sorted(_files(root, "sha256/??"), key=lambda file: _last_used(root, file))
    excess = _sum(leftovers) + _sum(archives) - freed - limit_bytes
    removed = []
    for file in archives:
        if excess <= 0:
            break
        if file.path.name not in keep and _remove(file.path):
            (root / "used" / file.path.name).unlink(missing_ok=True)
            removed.append(file.path.name)
            excess -= file.size
            freed += file.size
    return Collected(freed, tuple(removed))


def _files(root: Path, pattern: str) -> Iterator[_File]:
    for folder in root.glob(pattern):
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # its writer or another reader was faster
                info = path.lstat()
                yield _File(path, info.st_size, info.st_mtime)


def _last_used(root: Path, archive: _File) -> tuple[float, str]:
    """When the archive was asked for last, or came; the name makes equal times one order."""
    try:
        return (root / "used" / archive.path.name).stat().st_mtime, archive.path.name
    except FileNotFoundError:
        return archive.time, archive.path.name


def _sum(files: list[_File]) -> int:
    return sum(file.size for file in files)


def _remove(path: Path) -> bool:
    """Remove `path` unless somebody has a lock on it; whoever waits for one then finds it gone."""
    try:
        lock = try_lock(path)
    except FileNotFoundError:
        return False
    if lock is None:
        return False
    try:
        path.unlink()
    finally:
        os.close(lock)
    return True
