"""The durable steps on disk of the folder forge: lock, write, copy, sync; OSErrors in a person's words."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from backends.durable import sync_folder
from backends.forge.base import Progress
from backends.model.errors import HeroError
from backends.model.text import safe_line

CHUNK = 1 << 20
"""Bytes moved in one step: a step is one hop to a thread, and the latest moment for a cancel."""

P = ParamSpec("P")
R = TypeVar("R")


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run `function` in a thread; when cancelled, wait for it, so that nothing writes behind our back."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


@contextlib.contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn an OSError of the block into a HeroError: `what` was being done ("write release …")."""
    try:
        yield
    except OSError as error:
        path = safe_line(str(error.filename)) if error.filename else "the forge folder"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HeroError(
                "no_space",
                f"No space left: cannot {what} ({path}).",
                hint="Free some space and try again; what was published is untouched.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise HeroError(
                "denied",
                f"Cannot {what}: no right to use {path} ({error.strerror}).",
                hint="Check the owner and mode of the forge folder.",
            ) from error
        raise HeroError(
            "failed", f"Cannot {what}: {error.strerror or error} ({path}).", hint="Check the forge folder."
        ) from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` alone among all processes and threads; released on death."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace the file at `path`, complete and durable, or leave it as it was. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        with temporary.open("xb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


async def copy_hashed(source: Path, writer: BinaryIO, progress: Progress | None) -> tuple[int, str]:
    """Copy the file `source` into `writer`, durably: its size in bytes and sha256. Raises OSError."""
    with await in_thread(open_file, source) as reader:
        total = os.fstat(reader.fileno()).st_size
        digest = hashlib.sha256()
        done = 0
        while step := await in_thread(_copy_step, reader, writer, digest.update):
            done += step
            if progress:
                progress(done, max(total, done))
        await in_thread(_flush, writer)
    return done, digest.hexdigest()


def open_file(path: Path) -> BinaryIO:
    """Open the regular file at `path` for reading; a pipe or device there neither blocks nor is read."""
    handle = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return handle


def _copy_step(reader: BinaryIO, writer: BinaryIO, update: Callable[[bytes], None]) -> int:
    chunk = reader.read(CHUNK)
    update(chunk)
    writer.write(chunk)
    return len(chunk)


def _flush(writer: BinaryIO) -> None:
    writer.flush()
    os.fsync(writer.fileno())
