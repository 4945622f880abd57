"""Ends what runs under a uid: sessions and services first, then every process that is left, for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from backends.model.errors import HeroError
from backends.team.commands import Run

STOP_SECONDS = 20.0
"""What services get to end by themselves."""
KILL_SECONDS = 20.0

_PAUSE = 0.02
_PROC = Path("/proc")


async def end_all(run: Run, login: str, uid: int) -> None:
    """Stop what lingers and what is logged in, then kill what is left. Raises HeroError where something stays."""
    with contextlib.suppress(HeroError):
        await run("loginctl", "disable-linger", login)
    with contextlib.suppress(HeroError):
        await run("loginctl", "terminate-user", login, seconds=STOP_SECONDS)
    with contextlib.suppress(HeroError):
        await run("systemctl", "stop", f"user@{uid}.service", seconds=STOP_SECONDS)
    with contextlib.suppress(HeroError):
        # All at once, so that nothing that is killed is started again by something else.
        await run("systemctl", "kill", "--kill-whom=all", "--signal=KILL", f"user-{uid}.slice")
    await kill_all(login, uid)


async def kill_all(login: str, uid: int) -> None:
    """Kill every process of `uid` until there is none. Raises HeroError `failed` where one does not die."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + KILL_SECONDS
    while left := await asyncio.to_thread(_kill_each, uid):
        if loop.time() > deadline:
            pids = ", ".join(map(str, left[:10]))
            raise HeroError(
                "failed",
                f"These processes of {login} do not end: {pids}.",
                hint="Do they wait for a disk or a network file system? It is tried again at the next run.",
            )
        await asyncio.sleep(_PAUSE)


def _kill_each(uid: int) -> list[int]:
    """Kill what there is; the pids of what was there."""
    found = []
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and _kill(int(entry.name), uid):
            found.append(int(entry.name))
    return found


def _kill(pid: int, uid: int) -> bool:
    """Kill `pid` if it is the user's; by a handle, for the number may be another's by the time of the signal."""
    if not _belongs(pid, uid):
        return False
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not _belongs(pid, uid):
            return False
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    finally:
        os.close(handle)


def _belongs(pid: int, uid: int) -> bool:
    """Whether any of its four uids is `uid`, and it is not dead already."""
    try:
        lines = (_PROC / str(pid) / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return False
    fields = {line.split(":", 1)[0]: line.split()[1:] for line in lines if line.startswith(("Uid:", "State:"))}
    return str(uid) in fields.get("Uid", []) and fields.get("State", ["Z"])[0] not in "ZX"
