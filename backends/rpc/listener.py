"""Take a socket's path for one process: a lock, an atomic bind, and only what is ours taken away again."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from backends.model.errors import HeroError
from backends.rpc.sockets import reachable, refuse_long_path

_BACKLOG = 512


class AlreadyRunning(HeroError):
    """Another process serves this socket; `data["pid"]` is its pid, 0 where it is not known."""

    def __init__(self, path: Path, pid: int) -> None:
        who = f" (pid {pid})" if pid else ""
        super().__init__(
            "busy",
            f"Another daemon{who} serves {path} already.",
            hint="Use that one, or stop it first.",
            data={"pid": pid},
        )


@dataclass(frozen=True)
class Bound:
    """A listening socket and what identifies its name on disk."""

    socket: socket.socket
    device: int
    inode: int


def lock_path(path: Path) -> Path:
    """The lock of the socket `path`; it stays on disk, for a lock that is removed guards nothing."""
    return path.with_name(path.name + ".lock")


def try_lock(path: Path) -> int | None:
    """The descriptor that holds the lock of `path` until it is closed; None where another process has it.

    Raises HeroError where the lock cannot be made.
    """
    name = lock_path(path)
    while True:
        fd = _open_lock(name)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        if _is_at(fd, name):
            os.ftruncate(fd, 0)
            os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
            return fd
        os.close(fd)


def lock_holder(path: Path) -> int:
    """The pid that the lock of `path` names; 0 where it cannot be read."""
    try:
        return int(lock_path(path).read_text("ascii").strip() or 0)
    except (OSError, ValueError):
        return 0


def bind(path: Path, *, mode: int, group: int | None) -> Bound:
    """A socket that listens at `path` with its rights set before anybody can connect; a stale one is replaced.

    To be called under the lock. Raises HeroError where the path is too long or holds something that is no socket.
    """
    refuse_long_path(path)
    _refuse_other_file(path)
    # A name of its own in this folder, and short, so that it can be bound wherever `path` could.
    fresh = path.with_name(f".{crc32(os.fsencode(path.name)):08x}.new")
    fresh.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        with reachable(fresh) as address:
            listener.bind(address)
        if group is not None:
            os.chown(fresh, -1, group)
        fresh.chmod(mode)
        listener.listen(_BACKLOG)
        found = fresh.stat()
        fresh.rename(path)
    except OSError as error:
        listener.close()
        fresh.unlink(missing_ok=True)
        raise HeroError("failed", f"The socket {path} cannot be made: {error.strerror or error}.") from error
    return Bound(listener, found.st_dev, found.st_ino)


def unlink_if_ours(path: Path, bound: Bound) -> None:
    """Remove `path`, unless something else has taken its place."""
    try:
        found = path.lstat()
        if (found.st_dev, found.st_ino) == (bound.device, bound.inode):
            path.unlink()
    except FileNotFoundError:
        return


def _open_lock(name: Path) -> int:
    try:
        name.parent.mkdir(parents=True, exist_ok=True)
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise HeroError("failed", f"The lock {name} cannot be made: {error.strerror or error}.") from error


def _is_at(fd: int, name: Path) -> bool:
    held = os.fstat(fd)
    try:
        found = name.lstat()
    except FileNotFoundError:
        return False
    return (held.st_dev, held.st_ino) == (found.st_dev, found.st_ino)


def _refuse_other_file(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise HeroError(
            "conflict",
            f"{path} is no socket, so no daemon can listen there.",
            hint="Look at what it is, and move it away.",
        )
