"""A session's process as the kernel knows it: which one it is, when it ends, and how all of it is ended."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from backends.slot import processes
from backends.slot.agents.record import Process

MARK = "HERO_AGENT_SESSION"
"""A variable of the session's environment, inherited by everything that it starts: the record's `mark`."""

_PROC = Path("/proc")


def boot_id() -> str:
    """Which boot of the machine this is."""
    return (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()


def identify(pid: int, boot: str) -> Process | None:
    """The living process `pid`; None where there is none."""
    try:
        fields = (_PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in b"ZX":
        return None
    return Process(pid=pid, started=int(fields[19]), boot=boot)


def is_alive(process: Process, boot: str) -> bool:
    """Whether it is still that very process."""
    return process.boot == boot and identify(process.pid, boot) == process


def watch_end(process: Process, ended: Callable[[], None]) -> Callable[[], None] | None:
    """Have `ended` called once `process` is gone; the answer stops watching. None where it is gone already."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return None
    # Taken before this look, so the handle is never one of a later process with the same number.
    if not is_alive(process, process.boot):
        os.close(handle)
        return None
    loop = asyncio.get_running_loop()

    def stop() -> None:
        nonlocal handle
        if handle >= 0:
            loop.remove_reader(handle)
            os.close(handle)
            handle = -1

    def gone() -> None:
        stop()
        ended()

    loop.add_reader(handle, gone)
    return stop


def signal_process(process: Process, number: int) -> None:
    """Signal `process` if it is still that one."""
    try:
        handle = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        if is_alive(process, process.boot):
            signal.pidfd_send_signal(handle, number)
    except OSError:
        return
    finally:
        os.close(handle)


def end_marked(mark: str) -> int:
    """SIGKILL everything that the session started and that is still there; how many. Blocks."""
    wanted = mark.encode()
    return processes.end(lambda pid: processes.environment_of(pid).get(MARK.encode()) == wanted)
