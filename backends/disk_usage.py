"""How much room folders take: measured by a child at the lowest priority, told one by one, cancellable."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends import children
from backends.model.errors import HeroError

_SCRIPT = Path(__file__).with_name("disk_walk.py")
_ARGUMENT = 100_000
"""Bytes of one child's jobs; Linux takes an argument of 128 KiB."""
_LINE = 4096


@dataclass(frozen=True)
class Job:
    """A folder (or file), and the folders in it that are measured for themselves."""

    folder: Path
    apart: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Measured:
    """Bytes as allocated, and files; not `complete` where there was more than could be looked at."""

    size: int = 0
    files: int = 0
    complete: bool = True


async def measure(jobs: Sequence[Job]) -> AsyncGenerator[tuple[Job, Measured], None]:
    """Each job with its sum, as they are done; closing the iterator ends the child. Raises HeroError."""
    for batch in _batches(jobs):
        async with contextlib.aclosing(_measured(batch)) as results:
            async for result in results:
                yield result


async def _measured(jobs: Sequence[Job]) -> AsyncGenerator[tuple[Job, Measured], None]:
    asked = json.dumps([_asked(job) for job in jobs])
    try:
        process = await children.start(
            (sys.executable, "-I", str(_SCRIPT), asked),
            cwd=Path("/"),
            env={name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise HeroError("failed", f"The disk cannot be measured: {error.strerror}.") from error
    try:
        assert process.stdout
        told = 0
        while line := await process.stdout.readline():
            yield _result(jobs, line)
            told += 1
        if await process.wait() or told < len(jobs):
            raise HeroError("failed", "Measuring the disk ended before its time.", hint="Measure again.")
    finally:
        if process.returncode is None:
            children.end_group(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())


def _asked(job: Job) -> list[object]:
    return [os.fspath(job.folder), [os.fspath(path) for path in job.apart]]


def _result(jobs: Sequence[Job], line: bytes) -> tuple[Job, Measured]:
    fields = json.loads(line[:_LINE])
    return jobs[fields["job"]], Measured(fields["size"], fields["files"], fields["complete"])


def _batches(jobs: Sequence[Job]) -> list[list[Job]]:
    """The jobs in groups that each fit into one argument."""
    batches: list[list[Job]] = []
    room = 0
    for job in jobs:
        length = len(json.dumps(_asked(job))) + 2
        if not batches or length > room:
            batches.append([])
            room = _ARGUMENT
        batches[-1].append(job)
        room -= length
    return batches
