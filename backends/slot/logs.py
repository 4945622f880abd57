"""Logs of services and builds: the last lines of several merged by time, and what comes next, as it comes."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any

from backends.archives.disk import in_thread
from backends.inotify import Inotify
from backends.model.state import LogLine
from backends.slot.journal_logs import FollowedJournal, tail_journal
from backends.slot.log_followed import FollowedFile, tail_file
from backends.slot.log_query import Query, query
from backends.supervisors.base import JournalUnit, LogSource

Sources = Sequence[tuple[str, LogSource]]
"""What lines are called by, and the file (older rotations are found beside it) or the journal's unit."""

BATCH_EVERY = 0.05
"""Seconds between two batches of a log that never rests; the first line after a rest comes at once."""


async def tail(
    sources: Sources, lines: int = 200, since: float | None = None, grep: str | None = None
) -> list[LogLine]:
    """The last `lines` lines of all `sources` together, by time, oldest first.

    `since` in seconds since the epoch; `grep` is a regular expression, or literal text where it is none. A line
    of a file that tells no time has that of the line before it, the first ones that of their file. What is
    missing is empty. Raises HeroError where the journal cannot be read.
    """
    asked = query(lines, since, grep)
    return _last(await _all(*(_tail(name, source, asked) for name, source in sources)), asked)


async def follow(
    sources: Sources, lines: int = 0, since: float | None = None, grep: str | None = None
) -> AsyncGenerator[list[LogLine], None]:
    """First what `tail` gives (where that is something), then each batch of new complete lines; never ends.

    Nothing is lost or told twice between the two. Rotation, truncation, removal and re-creation are followed;
    the folders are made where they are missing. A slow reader reads later, nothing piles up. Raises HeroError.
    """
    asked = query(lines, since, grep)
    news = asyncio.Event()
    journals = [FollowedJournal(n, s, asked, news) for n, s in sources if isinstance(s, JournalUnit)]
    files = [(name, source) for name, source in sources if isinstance(source, Path)]
    try:
        async with _followed(files, asked, news) as followed:
            before = await _all(
                *(asyncio.to_thread(tail_file, each.source, each.path, asked, each.offset) for each in followed),
                *(journal.start() for journal in journals),
            )
            if batch := _last(before, asked):
                yield batch
            while True:
                news.clear()
                results = await in_thread(lambda: [each.read() for each in followed]) if followed else []
                results += [journal.read() for journal in journals]
                if batch := merged(lines for lines, _ in results):
                    yield batch
                    await asyncio.sleep(BATCH_EVERY)
                if not any(more for _, more in results):
                    await news.wait()
    finally:
        for journal in journals:
            await journal.close()


def merged(parts: Iterable[list[LogLine]]) -> list[LogLine]:
    """All lines by time; the lines of one part stay in their order, whatever their clock did."""
    return [line for _, line in heapq.merge(*map(_keyed, parts), key=lambda pair: pair[0])]


def _keyed(lines: list[LogLine]) -> list[tuple[float, LogLine]]:
    latest, keyed = 0.0, []
    for line in lines:
        latest = max(latest, line.time or 0.0)
        keyed.append((latest, line))
    return keyed


def _last(parts: Iterable[list[LogLine]], asked: Query) -> list[LogLine]:
    return merged(parts)[-asked.lines :] if asked.lines else []


async def _all(*parts: Coroutine[Any, Any, list[LogLine]]) -> list[list[LogLine]]:
    """What all of `parts` give; one that fails is told of when none of the others runs any more."""
    results = await asyncio.gather(*parts, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, list)]


async def _tail(name: str, source: LogSource, asked: Query) -> list[LogLine]:
    if isinstance(source, JournalUnit):
        return (await tail_journal(name, source, asked)).lines
    return await asyncio.to_thread(tail_file, name, source, asked)


@contextlib.asynccontextmanager
async def _followed(
    files: Sequence[tuple[str, Path]], asked: Query, news: asyncio.Event
) -> AsyncGenerator[list[FollowedFile], None]:
    """The files at their present ends; `news` is set whenever any of them changes."""
    if not files:
        yield []
        return
    with Inotify() as notify:
        followed = [FollowedFile(name, path, notify, asked.search) for name, path in files]
        watching = asyncio.create_task(_tell(notify, news), name="log-files")
        try:
            for each in followed:
                each.start()
            yield followed
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            for each in followed:
                each.close()


async def _tell(notify: Inotify, news: asyncio.Event) -> None:
    while True:
        await notify.changed()
        news.set()
