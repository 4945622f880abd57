"""Find and end processes that a supervisor of the same home started and that nobody supervises any more."""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from backends.supervisors.supervisord_wire import HOME_MARK

GRACE = 3.0
"""Seconds between SIGTERM and SIGKILL."""
_DEATH_AFTER_KILL = 2.0


def find_strays(home: Path, supervisor: int | None) -> list[int]:
    """Pids of this user's processes that carry the mark of `home` and do not descend from `supervisor`.

    We and our own ancestors are never among them. Reads /proc: run it off the event loop.
    """
    me = os.getuid()
    marked = [
        process.pid
        for process in psutil.process_iter(["uids"])
        if process.info["uids"] and process.info["uids"].real == me and _is_marked(process.pid, home)
    ]
    if not marked:
        return []
    kin = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    if supervisor is not None:
        with suppress(psutil.Error):
            kin |= {child.pid for child in psutil.Process(supervisor).children(recursive=True)}
    return [pid for pid in marked if pid not in kin]


def end_processes(home: Path, pids: list[int]) -> list[int]:
    """End those of `pids` that still carry the mark of `home`; returns them when they are gone.

    Blocks up to `GRACE` seconds and a little more: run it off the event loop.
    """
    handles: dict[int, int] = {}
    try:
        for pid in pids:
            with suppress(ProcessLookupError):
                handles[os.pidfd_open(pid)] = pid
        # Asked again now that the handle pins the process: the number alone might be somebody else's.
        ours = {handle: pid for handle, pid in handles.items() if _is_marked(pid, home)}
        alive = _signal_and_wait(set(ours), signal.SIGTERM, GRACE)
        _signal_and_wait(alive, signal.SIGKILL, _DEATH_AFTER_KILL)
        return list(ours.values())
    finally:
        for handle in handles:
            os.close(handle)


def _signal_and_wait(handles: set[int], number: signal.Signals, seconds: float) -> set[int]:
    """Those of `handles` that live `seconds` after the signal."""
    alive = set(handles)
    poll = select.poll()
    for handle in alive:
        poll.register(handle, select.POLLIN)
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)
    deadline = time.monotonic() + seconds
    while alive and (left := deadline - time.monotonic()) > 0:
        for handle, _event in poll.poll(left * 1000):
            poll.unregister(handle)
            alive.discard(handle)
    return alive


def _is_marked(pid: int, home: Path) -> bool:
    mark = os.fsencode(f"{HOME_MARK}={home}")
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
