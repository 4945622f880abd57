"""A session's log on disk: appended to at once, its end read back, followed without looking again and again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from backends.model.agents import AgentLine
from backends.slot.agents.lines import Entry
from backends.slot.files import write_atomically

NAME = "log.jsonl"
SIZE_LIMIT = 8 * 1024 * 1024
"""Bytes after which the older half of a log goes."""

Watcher = Callable[[list[AgentLine]], None]


class AgentLog:
    """The log of one session, in `folder`. The file may be written by one process at a time."""

    def __init__(self, folder: Path):
        self._path = folder / NAME
        self._watchers: list[Watcher] = []
        self._last = _last_number(self._path)

    def add(self, entries: Iterable[Entry], time: datetime) -> list[AgentLine]:
        """Append `entries`, into the page cache. What cannot be written is still told to watchers."""
        lines = []
        for entry in entries:
            self._last += 1
            fields = {"number": self._last, "time": time, **entry._asdict()}
            lines.append(AgentLine.model_validate(fields))
        if not lines:
            return lines
        with suppress(OSError):
            self._append(b"".join(line.model_dump_json().encode() + b"\n" for line in lines))
        for watcher in tuple(self._watchers):
            watcher(lines)
        return lines

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have `watcher` called with what is added; the answer ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def _append(self, data: bytes) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, data)
            size = os.fstat(handle).st_size
        finally:
            os.close(handle)
        if size > SIZE_LIMIT:
            kept = self._path.read_bytes()[-SIZE_LIMIT // 2 :]
            write_atomically(self._path, kept[kept.find(b"\n") + 1 :], durable=False)


def read_log(folder: Path, after: int, limit: int) -> list[AgentLine]:
    """The newest `limit` entries with a number above `after`, oldest first. Blocks."""
    found: list[AgentLine] = []
    for text in reversed(_tail(folder / NAME, 2 * SIZE_LIMIT).splitlines()):
        line = _line(text)
        if line is None:
            continue
        if line.number <= after or len(found) == limit:
            break
        found.append(line)
    return found[::-1]


def _last_number(path: Path) -> int:
    for text in reversed(_tail(path, 256 * 1024).splitlines()):
        if line := _line(text):
            return line.number
    return 0


def _line(text: bytes) -> AgentLine | None:
    """One entry; None for half of one, which a full disk or a kill may leave."""
    try:
        return AgentLine.model_validate_json(text)
    except (ValidationError, ValueError):
        return None


def _tail(path: Path, size: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size)
    except OSError:
        return b""
