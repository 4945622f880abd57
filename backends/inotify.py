"""Changes in folders and files told by the kernel, so that nothing has to look again and again."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
from pathlib import Path
from types import TracebackType

from backends.model.errors import HeroError

MODIFY = 0x002
MOVED_FROM = 0x040
MOVED_TO = 0x080
CREATE = 0x100
DELETE = 0x200
DELETE_SELF = 0x400
MOVE_SELF = 0x800
NAMES = MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
"""Everything that changes which names a folder has."""

_libc = ctypes.CDLL(None, use_errno=True)


class Inotify:
    """One inotify instance of the kernel, to be used with `with`."""

    def __init__(self) -> None:
        self._handle = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._handle < 0:
            raise _limit_error("instances")

    def __enter__(self) -> Inotify:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)

    def add(self, path: Path | str, mask: int) -> int:
        """Watch `path` for `mask`; the number of the watch.

        Raises FileNotFoundError where it is gone, HeroError at the kernel's limit.
        """
        watch: int = _libc.inotify_add_watch(self._handle, os.fsencode(path), mask)
        if watch >= 0:
            return watch
        code = ctypes.get_errno()
        if code == errno.ENOSPC:  # the kernel's word for "no watch left"
            raise _limit_error("watches")
        raise OSError(code, os.strerror(code), str(path))

    def remove(self, watch: int) -> None:
        """Drop a watch; one that the kernel dropped already is fine."""
        _libc.inotify_rm_watch(self._handle, watch)

    async def changed(self) -> None:
        """Return once anything that is watched has changed since the last return. One waiter at a time."""
        loop = asyncio.get_running_loop()
        while not self._drained():
            readable = asyncio.Event()
            loop.add_reader(self._handle, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(self._handle)

    def _drained(self) -> bool:
        any_read = False
        while True:
            try:
                os.read(self._handle, 64 * 1024)
            except BlockingIOError:
                return any_read
            any_read = True


def _limit_error(what: str) -> HeroError:
    return HeroError(
        "failed",
        f"The kernel gives this user no more inotify {what}.",
        hint=f"Raise it: `sudo sysctl fs.inotify.max_user_{what}=1024`.",
    )
