"""Watches the status files of all sessions with one inotify, and reads those that have changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from backends.claude.status_file import SessionStatus, read_status, sessions_folder
from backends.inotify import MODIFY, NAMES, Inotify

Heard = Callable[[str, SessionStatus], None]


@dataclass
class _Watched:
    file: Path
    watch: int
    stamp: tuple[int, int] | None = None


class StatusWatch:
    """Calls `heard` with a session's number and its status whenever that was written. First `open`, then `run`."""

    def __init__(self, heard: Heard):
        self._heard = heard
        self._opened = ExitStack()
        self._watched: dict[str, _Watched] = {}

    def open(self) -> None:
        """Begin to watch. Raises HeroError at the kernel's limit."""
        self._notify = self._opened.enter_context(Inotify())

    def close(self) -> None:
        self._opened.close()
        self._watched.clear()

    def add(self, id: str, config: Path, pid: int) -> None:
        """Watch the status file of the process `pid` with that config directory; it may not be there yet.

        Raises HeroError at the kernel's limit, OSError.
        """
        folder = sessions_folder(config)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.remove(id)
        self._watched[id] = _Watched(folder / f"{pid}.json", self._notify.add(folder, NAMES | MODIFY))
        self.look(id)

    def remove(self, id: str) -> None:
        """Watch it no more."""
        if known := self._watched.pop(id, None):
            self._notify.remove(known.watch)

    def look(self, id: str) -> None:
        """Read its file now if it was written since the last look."""
        known = self._watched.get(id)
        if known is None or (stamp := _stamp(known.file)) is None or stamp == known.stamp:
            return
        # Half-written, it is read again at its next change.
        if found := read_status(known.file):
            known.stamp = stamp
            self._heard(id, found)

    async def run(self) -> None:
        """Look whenever something has changed, for ever."""
        while True:
            await self._notify.changed()
            for id in tuple(self._watched):
                self.look(id)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
