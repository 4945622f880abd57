"""What archives need of a file system: whole writes, plain errors, locks that die with their owner."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import TypeVar

from backends.model.errors import HeroError

T = TypeVar("T")

CHUNK = 1 << 20
"""Bytes that are read, hashed or written at once."""


@contextlib.contextmanager
def disk_errors(doing: str, path: Path) -> Iterator[None]:
    """Turn an OSError while `doing` something at `path` into HeroError, "no_space" where the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HeroError(
                "no_space",
                f"No space left while {doing} {path}.",
                hint=f"Free some on the file system of {path.parent}: `hero_dev doctor` lists what can go. "
                "Nothing half-written was kept.",
                data={"path": str(path)},
            ) from error
        raise HeroError(
            "not_found" if isinstance(error, FileNotFoundError) else "failed",
            f"Failed while {doing} {path}: {error.strerror or error}.",
            hint="Check that the path exists and who owns it, then run it again.",
            data={"path": str(error.filename or path)},
        ) from error


def open_regular(path: Path) -> FileIO:
    """`path` opened for reading, itself no link. Raises OSError, and HeroError if it is not a regular file."""
    # O_NONBLOCK: a named pipe in a file's place must not hang us.
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise HeroError("verification", f"{path} is not a regular file.", hint="Remove it and run this again.")
    return FileIO(fd, "rb")


def link_text(link: Path) -> str:
    """The target of the symlink `link`, letter for letter."""
    return os.readlink(link)  # noqa: PTH115 — Path would tidy it up


def write_all(fd: int, content: bytes) -> None:
    """Write all of `content`; a nearly full disk takes only a part at first."""
    written = os.write(fd, content)
    while written < len(content):
        written += os.write(fd, content[written:])


def sync_file_system(folder: Path) -> None:
    """Make everything on the file system of `folder` durable: one flush instead of one a file."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(handle) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(folder))
    finally:
        os.close(handle)


def try_lock(path: Path, *, create: bool = False, shared: bool = False) -> int | None:
    """A read-only descriptor of `path` that holds its flock until it is closed; None if somebody else has it.

    The file is still the one at `path` when this returns. Raises OSError (FileNotFoundError where it
    is absent and not to be created).
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | (os.O_CREAT if create else 0)
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        fd = os.open(path, flags, 0o644)
        try:
            fcntl.flock(fd, operation | fcntl.LOCK_NB)
            if is_at(fd, path):
                return fd
        except BlockingIOError:
            os.close(fd)
            return None
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)  # its last owner renamed or removed it before we had the lock: look again


def is_at(fd: int, path: Path) -> bool:
    """Whether `fd` is what `path` names now."""
    try:
        named, opened = os.lstat(path), os.fstat(fd)
    except FileNotFoundError:
        return False
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)


async def wait_lock(
    path: Path, *, create: bool = False, shared: bool = False, waiting: Callable[[], None] | None = None
) -> int:
    """As `try_lock`, waiting for the owner to finish or die; `waiting` is called at each look.

    It looks again and again because a thread that blocks in flock(2) cannot be cancelled.
    """
    pause = 0.005
    while (fd := try_lock(path, create=create, shared=shared)) is None:
        if waiting is not None:
            waiting()
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.2)
    return fd


async def in_thread(work: Callable[[], T]) -> T:
    """`asyncio.to_thread` that, cancelled, waits for the thread first: it may still use our descriptors."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        task.exception()  # read, so that the loop does not report it: the cancellation stands
        raise
