"""Find and end every process of a build, also one that left its process group or lost its parent.

A process is recognised by a variable in its environment, which children inherit through fork, setsid and exec,
or by its session. One that clears its environment *and* leaves the session is out of reach; it runs as the
slot's own user and could as well have been started by hand.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PROC = Path("/proc")
EXIT_WAIT = 5.0
"""Seconds that one round waits for killed processes to be gone (one in an uninterruptible read may not be)."""

Matches = Callable[[int], bool]


def environment_of(pid: int) -> dict[bytes, bytes]:
    """The environment that `pid` was started with; empty where it is gone or not ours to read."""
    try:
        raw = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    return dict(pair.split(b"=", 1) for pair in raw.split(b"\0") if b"=" in pair)


def session_of(pid: int) -> int:
    """The session of the living process `pid`; 0 where it is gone, or ended and nobody has looked yet."""
    state, *numbers = _stat(pid)
    return 0 if state in b"ZX" else int(numbers[2])


def find(matches: Matches) -> list[int]:
    """Every living process that `matches`, but this one and its ancestors."""
    spared = set(_lineage())
    return [pid for pid in _pids() if pid not in spared and matches(pid)]


def end(matches: Matches) -> int:
    """SIGKILL what `matches` until a look around finds nothing more; returns how many were killed.

    Blocks up to a few seconds: call it in a thread.
    """
    killed: set[int] = set()
    deadline = time.monotonic() + EXIT_WAIT
    while found := find(matches):
        handles = [handle for pid in found if (handle := _kill(pid, matches)) is not None]
        killed.update(found)
        _await_exit(handles, deadline)
        if time.monotonic() > deadline:
            break
    return len(killed)


def _kill(pid: int, matches: Matches) -> int | None:
    """Kill `pid` and return its pidfd; the handle is taken before the look, so a reused pid is never hit."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return None
    if matches(pid):
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            return handle
    os.close(handle)
    return None


def _await_exit(handles: list[int], deadline: float) -> None:
    poll = select.poll()
    for handle in handles:
        poll.register(handle, select.POLLIN)
    waiting = set(handles)
    while waiting and (left := deadline - time.monotonic()) > 0:
        for handle, _ in poll.poll(left * 1000):
            poll.unregister(handle)
            waiting.discard(handle)
    for handle in handles:
        os.close(handle)


def _pids() -> Iterator[int]:
    with os.scandir(PROC) as entries:
        for entry in entries:
            if entry.name.isdigit():
                yield int(entry.name)


def _lineage() -> Iterator[int]:
    pid = os.getpid()
    while pid > 1:
        yield pid
        pid = _parent(pid)


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[bytes]:
    """State, parent, process group and session of `pid`; those of a dead one where it is gone."""
    try:
        stat = (PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return [b"X", b"0", b"0", b"0"]
    return stat.rpartition(b")")[2].split()[:4]
