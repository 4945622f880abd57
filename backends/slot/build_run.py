"""Run one build command to its end, its time limit or its cancel, and leave no process of it behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from backends import children
from backends.model.errors import HeroError
from backends.slot import processes
from backends.slot.build_log import BuildLog, pump

T = TypeVar("T")

GRACE = 3.0
"""Seconds between SIGTERM to the command's process group and SIGKILL to all that is left."""


@dataclass(frozen=True)
class Command:
    """What to run, where, with which environment (all of it), for how many seconds at most.

    `mark` is a name and a value in `env` by which every process of the command is recognised.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    timeout: float
    mark: tuple[str, str]


def marked(name: str, value: str) -> processes.Matches:
    """Matches processes whose environment has `name` = `value`."""
    key, wanted = os.fsencode(name), os.fsencode(value)
    return lambda pid: processes.environment_of(pid).get(key) == wanted


async def run(
    command: Command, log: BuildLog, *, cancel: asyncio.Event, tell: Callable[[str, int], None]
) -> int | None:
    """The exit status (negative: the signal that ended it), or None if the time limit or `cancel` ended it.

    All output goes to `log`; `tell(last line, lines)` follows it, in the event loop. Raises HeroError
    build_failed where the command cannot be started.
    """
    process = None
    async with _output_to(log, tell) as output:
        try:
            process = await _start(command, output)
            return await _until_over(process, command.timeout, cancel)
        finally:
            await uninterrupted(_end(process, command))


async def uninterrupted(work: Awaitable[T]) -> T:
    """Await `work` to its end even if this task is cancelled meanwhile; the cancellation is raised then."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        task.exception()
        raise


@contextlib.asynccontextmanager
async def _output_to(log: BuildLog, tell: Callable[[str, int], None]) -> AsyncIterator[int]:
    """The descriptor that a command is to print to, for `_start` to close; all printed is in `log` at the end."""
    loop = asyncio.get_running_loop()
    source, output = os.pipe()
    over = os.eventfd(0, os.EFD_CLOEXEC)

    def told(line: str, lines: int) -> None:
        loop.call_soon_threadsafe(tell, line, lines)

    # A thread of its own: a build lasts for minutes and must not hold one of the loop's few.
    with ThreadPoolExecutor(1, thread_name_prefix="build-log") as pool:
        pumping = loop.run_in_executor(pool, pump, source, over, log, told)
        try:
            yield output
        finally:
            os.eventfd_write(over, 1)
            await uninterrupted(pumping)
            os.close(source)
            os.close(over)


async def _start(command: Command, output: int) -> asyncio.subprocess.Process:
    try:
        return await children.start(command.argv, cwd=command.cwd, env=command.env, stdout=output, stderr=output)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise HeroError(
            "build_failed",
            f"The build command could not be started in {command.cwd}: {reason}.",
            hint="Check that the worktree is there and that the machine is not out of processes or memory.",
        ) from error
    finally:
        os.close(output)


async def _until_over(process: asyncio.subprocess.Process, timeout: float, cancel: asyncio.Event) -> int | None:
    ended = asyncio.create_task(process.wait(), name="build-exit")
    cancelled = asyncio.create_task(cancel.wait(), name="build-cancel")
    try:
        await asyncio.wait((ended, cancelled), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        return process.returncode if ended.done() else None
    finally:
        for task in (ended, cancelled):
            task.cancel()
        await asyncio.gather(ended, cancelled, return_exceptions=True)


async def _end(process: asyncio.subprocess.Process | None, command: Command) -> None:
    """End the command's group politely, then everything of it for certain."""
    if process and process.returncode is None:
        children.end_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE)
    has_mark = marked(*command.mark)

    session = process.pid if process else -1

    def of_this_build(pid: int) -> bool:
        return processes.session_of(pid) == session or has_mark(pid)

    await asyncio.to_thread(processes.end, of_this_build)
    if process:
        await process.wait()
