"""Keeps the keys in this process's memory out of cores, swap and other processes' reach, as far as it may."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import resource
from pathlib import Path

log = logging.getLogger(__name__)

_PR_SET_DUMPABLE = 4
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_CAP_IPC_LOCK = 14


def harden() -> None:
    """No core dumps, no debugger, no reading of our memory by the same user, no swap; what cannot be is logged."""
    os.umask(0o077)
    with contextlib.suppress(OSError, ValueError):
        # Under systemd the unit says it, and this call is not allowed.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        log.warning("this process cannot be kept from debuggers: %s", os.strerror(ctypes.get_errno()))
    if not _may_lock():
        log.info("keys may be swapped out: this user may lock only a part of the memory")
    elif libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT):
        log.warning("keys may be swapped out: %s", os.strerror(ctypes.get_errno()))


def _may_lock() -> bool:
    """Whether all memory may be locked; with a limit, allocations would fail once it is reached."""
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY:
        return True
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> _CAP_IPC_LOCK & 1)
    return False
