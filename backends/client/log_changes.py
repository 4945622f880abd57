"""Tells when one of a log's files has changed, so that nothing has to look again and again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from backends.inotify import MODIFY, NAMES, Inotify
from backends.model.errors import HeroError

REST_SECONDS = 0.05
"""How long to gather what is written before it is told."""
POLL_SECONDS = 0.5
"""How often to look where the kernel does not tell: no watches left, a network's file system's folder gone."""


async def changes(*paths: Path) -> AsyncGenerator[None, None]:
    """Once at first, then whenever one of `paths` may have been written to, or its name passed on; never ends."""
    try:
        with Inotify() as notify:
            for folder in {path.parent for path in paths}:
                notify.add(folder, NAMES)
            while True:
                for path in paths:
                    with contextlib.suppress(FileNotFoundError):
                        notify.add(path, MODIFY)  # the same file again is the same watch
                yield
                await asyncio.sleep(REST_SECONDS)
                await notify.changed()
    except (HeroError, OSError):
        while True:
            yield
            await asyncio.sleep(POLL_SECONDS)
