"""Start a child process at the head of a session of its own, so that all of it can be ended, whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""


async def start(
    argv: Sequence[str], *, cwd: Path | None, env: Mapping[str, str], stdout: int, stderr: int
) -> asyncio.subprocess.Process:
    """The started process, its standard input empty. Raises OSError, ValueError where it cannot be started.

    Cancelled half-way, asyncio would kill the process alone and leave what it has started by then; here its
    whole group is ended.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *argv,
            cwd=cwd,
            env=env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting])
        if not starting.exception():
            await _end(starting.result())
        raise


async def _end(process: asyncio.subprocess.Process) -> None:
    """End its group: politely, so that it removes its lock files, then for certain."""
    end_group(process.pid, signal.SIGTERM)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE)
    finally:
        end_group(process.pid, signal.SIGKILL)


def end_group(leader: int, number: signal.Signals) -> None:
    """Signal the process group that `leader` began; one that is gone is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)
