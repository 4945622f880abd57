"""Tells when files of a person's configuration change, are made or go, even before their folder is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

SETTLE_SECONDS = 0.05
"""An editor writes in several steps; what it leaves is looked at once it has paused for so long."""


async def changes(folders: Iterable[Path]) -> AsyncIterator[None]:
    """One item each time something changed in `folders` or in what would become them. Raises HeroError."""
    from backends import inotify  # ctypes: not before the first frame

    wanted = tuple(folders)
    with inotify.Inotify() as kernel:
        watches: dict[Path, int] = {}
        while True:
            _watch(kernel, watches, {_there(folder) for folder in wanted}, inotify.NAMES | inotify.MODIFY)
            await kernel.changed()
            await asyncio.sleep(SETTLE_SECONDS)
            yield


def _watch(kernel: object, watches: dict[Path, int], wanted: set[Path], mask: int) -> None:
    """Watch what is wanted now, and nothing else."""
    from backends.inotify import Inotify

    assert isinstance(kernel, Inotify)
    for path in watches.keys() - wanted:
        kernel.remove(watches.pop(path))
    for path in wanted:
        try:
            watches[path] = kernel.add(path, mask)  # again: a folder may have been replaced by another of its name
        except OSError:
            watches.pop(path, None)


def _there(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.is_dir())
