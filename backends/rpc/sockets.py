"""UNIX sockets as both clients and servers need them: long paths, who is at the other end, is anybody there."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from backends.model.errors import HeroError

PATH_LIMIT = 107
"""Longest address of a UNIX socket that Linux takes, in bytes."""

PathLike = str | os.PathLike[str]


class Peer(NamedTuple):
    """The process at the other end, as the kernel tells it; `pid` is 0 for one in another pid namespace."""

    pid: int
    uid: int
    gid: int


def peer_of(connected: socket.socket) -> Peer:
    """Who connected (for a server), or who listens (for a client)."""
    found = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("=iII"))
    return Peer(*struct.unpack("=iII", found))


def refuse_long_path(path: PathLike) -> None:
    """Raises HeroError("usage") where a socket at `path` could not be reached by every program."""
    length = len(os.fsencode(path))
    if length > PATH_LIMIT:
        raise HeroError(
            "usage",
            f"The socket's path {os.fspath(path)} is {length} bytes long; Linux takes {PATH_LIMIT}.",
            hint="Move the folder to a shorter path, or make one of its folders a link to a short path.",
            data={"length": length, "limit": PATH_LIMIT},
        )


@contextmanager
def reachable(path: PathLike) -> Iterator[str]:
    """An address of the socket at `path` that is short enough, through /proc where the path itself is not."""
    plain = os.fspath(path)
    if len(os.fsencode(plain)) <= PATH_LIMIT:
        yield plain
        return
    folder, name = os.path.split(plain)
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        short = f"/proc/self/fd/{fd}/{name}"
        refuse_long_path(short)
        yield short
    finally:
        os.close(fd)


def try_connect(path: PathLike) -> socket.socket | None:
    """A connected, non-blocking socket; None where the server has no room at the moment (ask again).

    Raises HeroError: "unreachable" where nobody listens, "denied" where this user may not.
    """
    attempt = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    attempt.setblocking(False)
    try:
        with reachable(path) as address:
            attempt.connect(address)
    except BlockingIOError:
        attempt.close()
        return None
    except OSError as error:
        attempt.close()
        raise _unreachable(path, error) from None
    except BaseException:
        attempt.close()
        raise
    return attempt


def listening(path: PathLike) -> bool:
    """Whether a server listens at `path`; one that this user may not reach counts."""
    try:
        attempt = try_connect(path)
    except HeroError as error:
        return error.code == "denied"
    if attempt is not None:
        attempt.close()
    return True


def _unreachable(path: PathLike, error: OSError) -> HeroError:
    where = os.fspath(path)
    if error.errno in (errno.EACCES, errno.EPERM):
        return HeroError(
            "denied", f"You may not use the socket {where}.", hint="It belongs to another user or group."
        )
    if error.errno == errno.ENOENT:
        return HeroError("unreachable", f"No daemon answers at {where}: there is no socket.")
    if error.errno == errno.ECONNREFUSED:
        return HeroError("unreachable", f"No daemon answers at {where}: nobody listens there any more.")
    return HeroError("unreachable", f"The socket {where} cannot be reached: {error.strerror or error}.")
