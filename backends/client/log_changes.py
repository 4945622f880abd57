"""Tells when one of a log's files has changed, so that nothing has to look again and again."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path

from backends.inotify import MODIFY, NAMES, Inotify
from backends.model.errors import HeroError

REST_SECONDS = 0.05
"""How long to gather what is written before it is told."""
POLL_SECONDS = 0.5
"""How often to look where the kernel does not tell: no watches left, a folder that is gone."""
ANYWAY_SECONDS = 2.0
"""When to look although nothing was told: of what others write on a network's file system nothing ever is."""


async def changes(*paths: Path) -> AsyncGenerator[None, None]:
    """Once at first, then whenever one of `paths` may have been written to, or its name passed on; never ends."""
    while True:
        try:
            with Inotify() as notify:
                while True:
                    _watch(notify, paths)
                    yield
                    await asyncio.sleep(REST_SECONDS)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(notify.changed(), ANYWAY_SECONDS)
        except (HeroError, OSError):
            yield
            await asyncio.sleep(POLL_SECONDS)


def _watch(notify: Inotify, paths: Iterable[Path]) -> None:
    """Watch what is there now; the same again is the same watch. Raises OSError where a folder is gone."""
    for folder in {path.parent for path in paths}:
        notify.add(folder, NAMES)
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            notify.add(path, MODIFY)
        if path.is_symlink():  # what it leads to is rotated in a folder of its own
            with contextlib.suppress(FileNotFoundError):
                notify.add(os.path.dirname(os.path.realpath(path)), NAMES)  # noqa: PTH120 - never raises in a loop
