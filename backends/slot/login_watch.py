"""Tells when the user logged in or out, or the program renewed the login: the kernel says so, nobody looks."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType

from backends.claude.login import credentials_file
from backends.inotify import MODIFY, NAMES, Inotify
from backends.model.errors import HeroError


class LoginWatch:
    """Watches the login's file in `home`, whether it is there yet or not; to be used with `with`.

    Raises HeroError where the kernel watches no more for this user.
    """

    def __init__(self, home: Path):
        self._file = credentials_file(home)
        self._notify = Inotify()
        self._home_watch: int | None = None
        self._seen = self._stamp()

    def __enter__(self) -> LoginWatch:
        self._notify.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._notify.__exit__(kind, error, trace)

    async def changed(self) -> None:
        """Return once the file is another than at the last return."""
        while True:
            self._look()
            if (stamp := self._stamp()) != self._seen:
                self._seen = stamp
                return
            await self._notify.changed()

    def _look(self) -> None:
        """Watch what is there now: the file for its content, its folder for its name, else where that comes."""
        folder = self._file.parent
        is_there = self._added(folder, NAMES) is not None
        self._added(self._file, MODIFY)
        if not is_there:
            self._home_watch = self._added(folder.parent, NAMES)
        elif self._home_watch is not None:
            # A home has many changes that are none of ours.
            self._notify.remove(self._home_watch)
            self._home_watch = None

    def _added(self, path: Path, mask: int) -> int | None:
        with contextlib.suppress(OSError, HeroError):
            return self._notify.add(path, mask)
        return None

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self._file.lstat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
