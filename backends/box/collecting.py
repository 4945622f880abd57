"""The box's clean-up of archives that no slot has installed any more, now and then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from backends.archives.cache import ArchiveCache
from backends.box.fleet import Fleet
from backends.model.errors import HeroError

log = logging.getLogger(__name__)

COLLECT_FIRST, COLLECT_EVERY = 600.0, 6 * 3600.0
"""Seconds to the first clean-up, and between two."""


async def collect_now_and_then(cache: ArchiveCache, fleet: Fleet, on_disk: Callable[[], Iterable[str]]) -> None:
    """Until this is cancelled; `on_disk` names the slots that there are, reported or not."""
    pause = COLLECT_FIRST
    while True:
        await asyncio.sleep(pause)
        pause = COLLECT_EVERY
        if not fleet.complete(on_disk()):
            # A slot that has not reported may have installed what nobody else has.
            continue
        try:
            done = await cache.collect(set(fleet.installed()))
            log.info("the archive cache: %d archives removed, %d bytes freed", len(done.removed), done.freed_bytes)
        except HeroError as error:
            log.warning("the archive cache was not cleaned up: %s", error)
