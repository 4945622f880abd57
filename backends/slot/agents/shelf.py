"""The folder of a slot's sessions: their records read and written, numbers given, what is old forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from backends.model.errors import HeroError
from backends.slot.agents.record import Record, is_number, make_folder, read_record
from backends.slot.agents.session import Session, now

log = logging.getLogger(__name__)

KEPT, KEPT_DAYS = 200, 30
"""Ended sessions whose records and logs stay, and for how long."""

SAVE_PAUSE = 0.2
"""Seconds between two writings of records that change all the time."""


class Shelf:
    """Sessions on disk, in `folder`. `find` gives the session of a number, None where there is none any more."""

    def __init__(self, folder: Path, find: Callable[[str], Session | None]):
        self._folder = folder
        self._find = find
        self._dirty: set[str] = set()
        self._saving: asyncio.Task[None] | None = None

    def records(self) -> list[tuple[Path, Record]]:
        """All that is kept, oldest first, after what is too old was removed. Blocks."""
        self._forget_old()
        found = [(folder, read_record(folder)) for folder in self._folders()]
        return [(folder, record) for folder, record in found if record]

    def make(self) -> tuple[str, Path]:
        """A new number and its folder. Blocks; raises HeroError."""
        return make_folder(self._folder)

    def remove(self, id: str) -> None:
        """Forget a session that never began. Blocks."""
        self._dirty.discard(id)
        shutil.rmtree(self._folder / id, ignore_errors=True)

    def soon(self, id: str) -> None:
        """Have its record on disk before long."""
        self._dirty.add(id)
        if self._saving is None:
            self._saving = asyncio.create_task(self._save_all(), name="agents-save")

    async def close(self) -> None:
        """Write what is not written yet."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)
        await asyncio.to_thread(self._save)

    async def _save_all(self) -> None:
        while self._dirty:
            await asyncio.to_thread(self._save)
            await asyncio.sleep(SAVE_PAUSE)
        self._saving = None

    def _save(self) -> None:
        while self._dirty:
            session = self._find(self._dirty.pop())
            if session is None:
                continue
            try:
                session.write_down(durable=False)
            except HeroError as error:
                log.error("agent %s: %s", session.id, error.message)

    def _folders(self) -> list[Path]:
        found: list[Path] = []
        with contextlib.suppress(OSError):
            found = [one for one in self._folder.iterdir() if is_number(one.name) and one.is_dir()]
        return sorted(found, key=lambda one: int(one.name))

    def _forget_old(self) -> None:
        """Remove what ended long ago, but never the highest number: it would be given again."""
        folders = self._folders()
        oldest = now() - timedelta(days=KEPT_DAYS)
        for place, folder in enumerate(folders[:-1]):
            record = read_record(folder)
            if record is None or record.wanted or (ended := record.agent.ended_at) is None:
                continue
            if place < len(folders) - KEPT or ended < oldest:
                shutil.rmtree(folder, ignore_errors=True)
