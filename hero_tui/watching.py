"""Tells when files of a person's configuration change, are made or go, even before their folder is there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

SETTLE_SECONDS = 0.05
"""An editor writes in several steps; what it leaves is looked at once it has paused for so long."""


async def changes(folders: Iterable[Path]) -> AsyncIterator[None]:
    """One item each time something changed in `folders`, in what would become them, or where files in them lead.

    Raises HeroError.
    """
    from backends import inotify  # ctypes: not before the first frame

    wanted = tuple(folders)
    with inotify.Inotify() as kernel:
        watches: dict[Path, int] = {}
        while True:
            there = {_there(folder) for folder in wanted}.union(*map(_led_to, wanted))
            _watch(kernel, watches, there, inotify.NAMES | inotify.MODIFY)
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
    return next(path for path in (folder, *folder.parents) if os.path.isdir(path))  # noqa: PTH112  # never raises


def _led_to(folder: Path) -> set[Path]:
    """The folders of files of which `folder` has links only, as it is with settings that are kept in git."""
    try:
        return {path.resolve().parent for path in folder.iterdir() if path.is_symlink()}
    except (OSError, RuntimeError):
        return set()
