"""One log that journald keeps: its last lines, then what is written to it, read by `journalctl`.

It reads the export format and not JSON: bytes come as they were written, of whatever length, and cost one copy.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass

from backends import children
from backends.model.errors import HeroError
from backends.model.log_text import shown
from backends.model.state import LogLine
from backends.model.text import safe_line
from backends.slot.journal_export import Entry, ExportParser
from backends.slot.log_query import Query
from backends.supervisors.base import JournalUnit

CHUNK = 64 * 1024
BATCHES = 4
"""Batches of lines that wait for a slow reader; then journalctl waits, and nothing is lost."""
AGAIN = (0.1, 0.5, 2.0)
"""Seconds before a `journalctl --follow` that ended is started again; reading anything begins anew."""


@dataclass(frozen=True)
class JournalTail:
    """The last lines, oldest first, and the place of the newest entry (None where there was none)."""

    lines: list[LogLine]
    cursor: str | None


async def tail_journal(source: str, log: JournalUnit, query: Query) -> JournalTail:
    """The last lines of `log` that `query` wants. HeroError where journalctl is missing or refuses."""
    options = ["--reverse"]
    if query.since is not None:
        options.append(f"--since=@{query.since:.6f}")
    if query.search is None:
        options.append(f"--lines={max(1, query.lines)}")
    found: list[LogLine] = []
    cursor: str | None = None
    async with contextlib.aclosing(_entries(log, options)) as batches:
        try:
            async with asyncio.timeout(query.deadline - time.monotonic()):
                async for entries in batches:
                    cursor = cursor or entries[0].cursor
                    if len(found) < query.lines:
                        found += await asyncio.to_thread(_lines, source, entries, query, newest_first=True)
                    if len(found) >= query.lines:
                        break
        except TimeoutError:
            pass  # it answers with what it has
    return JournalTail(found[: query.lines][::-1], cursor)


class FollowedJournal:
    """A log of journald that is being followed; `news` is set whenever `read` has something."""

    def __init__(self, source: str, log: JournalUnit, query: Query, news: asyncio.Event):
        self._source, self._log, self._query, self._news = source, log, query, news
        self._batches: asyncio.Queue[list[LogLine]] = asyncio.Queue(BATCHES)
        self._pumping: asyncio.Task[None] | None = None
        self._cursor: str | None = None

    async def start(self) -> list[LogLine]:
        """The lines before, as `tail_journal` gives them; following begins right behind the newest entry."""
        found = await tail_journal(self._source, self._log, self._query)
        self._cursor = found.cursor
        self._pumping = asyncio.create_task(self._pump(), name=f"journal-{self._source}")
        self._pumping.add_done_callback(lambda _: self._news.set())
        return found.lines

    def read(self) -> tuple[list[LogLine], bool]:
        """New lines, and whether there is more to read at once. Raises HeroError."""
        lines: list[LogLine] = []
        while not self._batches.empty():
            lines += self._batches.get_nowait()
        if not lines and self._pumping is not None and self._pumping.done():
            self._pumping.result()
        return lines, bool(lines)

    async def close(self) -> None:
        """End the following and its process."""
        if self._pumping is not None:
            self._pumping.cancel()
            await asyncio.gather(self._pumping, return_exceptions=True)

    async def _pump(self) -> None:
        failures = 0
        while True:
            before, problem = self._cursor, ""
            try:
                await self._follow_once()
            except HeroError as error:
                problem = error.message
            failures = failures + 1 if self._cursor == before else 0
            if failures > len(AGAIN):
                raise HeroError("failed", problem or f"journalctl cannot follow the log of {self._source}.")
            await asyncio.sleep(AGAIN[max(0, failures - 1)])

    async def _follow_once(self) -> None:
        """Until journalctl ends, which it does when somebody kills it."""
        options = ["--follow", "--no-tail"]
        if self._cursor is not None:
            options.append(f"--after-cursor={self._cursor}")
        elif self._query.since is not None:
            options.append(f"--since=@{self._query.since:.6f}")
        async with contextlib.aclosing(_entries(self._log, options)) as batches:
            async for entries in batches:
                lines = await asyncio.to_thread(_lines, self._source, entries, self._query)
                if lines:
                    await self._batches.put(lines)
                    self._news.set()
                self._cursor = entries[-1].cursor


def _lines(source: str, entries: Iterable[Entry], query: Query, *, newest_first: bool = False) -> list[LogLine]:
    """The wanted lines of `entries`, in the order of these."""
    lines = []
    for entry in entries:
        if query.since is not None and entry.time < query.since:
            continue
        raw = entry.message.removesuffix(b"\n").split(b"\n")
        for text in map(shown, reversed(raw) if newest_first else raw):
            if query.finds(text):
                lines.append(LogLine(source=source, time=entry.time, text=text))
    return lines


async def _entries(log: JournalUnit, options: list[str]) -> AsyncGenerator[list[Entry], None]:
    """The entries of a unit as one `journalctl` gives them; the process ends with the generator."""
    parser = ExportParser()
    process = await _started(_argv(log, options))
    assert process.stdout is not None
    try:
        while chunk := await process.stdout.read(CHUNK):
            if entries := parser.feed(chunk):
                yield entries
        await _must_have_worked(process)
    finally:
        children.end_group(process.pid, signal.SIGKILL)
        await process.wait()


async def _started(argv: list[str]) -> Process:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    try:
        return await children.start(argv, cwd=None, env={**kept, "LC_ALL": "C.UTF-8"}, stdout=PIPE, stderr=PIPE)
    except OSError as error:
        raise HeroError(
            "failed", f"The journal cannot be read: journalctl: {error.strerror}.", hint="It is part of systemd."
        ) from error


async def _must_have_worked(process: Process) -> None:
    assert process.stderr is not None
    said = safe_line((await process.stderr.read(CHUNK)).decode(errors="replace").strip(), 300)
    if await process.wait() > 0 and said:
        raise HeroError("failed", f"The journal cannot be read: {said}.")


def _argv(log: JournalUnit, options: list[str]) -> list[str]:
    """What the unit's processes wrote, not what systemd wrote of the unit, as `--user-unit` would have it.

    By unit *or* by identifier: of a process that has ended before journald looks at it, only the identifier that
    came with its output is known.
    """
    own = f"_UID={os.getuid()}"
    by_unit = [f"_SYSTEMD_USER_UNIT={log.unit}", own]
    by_identifier = [f"SYSLOG_IDENTIFIER={log.unit.removesuffix('.service')}", "_TRANSPORT=stdout", own]
    wanted = ["--output=export", "--output-fields=MESSAGE", "--quiet", "--no-pager"]
    return ["journalctl", *wanted, *options, *by_unit, "+", *by_identifier]
