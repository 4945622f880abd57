"""One log that is a file: its last lines through its rotations, then what is written, whatever becomes of it."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

from backends.inotify import MODIFY, NAMES, Inotify
from backends.model.log_text import LINE_LIMIT, Search, shown, time_of
from backends.model.state import LogLine
from backends.slot.files import disk_error
from backends.slot.log_files import CHUNK, end_of_lines, lines_backwards, open_log, opened, rotations
from backends.slot.log_query import Query

READ_AT_ONCE = 1024 * 1024
"""Bytes that one batch of a follower reads of a file at most."""
LOOK_BACK = 200
"""Lines that a line without a time looks back for one."""


def tail_file(source: str, path: Path, query: Query, end: int | None = None) -> list[LogLine]:
    """The last lines of a log and its rotations, oldest first; of `path` itself only what is before `end`."""
    found: list[LogLine] = []
    seen: set[int] = set()
    for file in rotations(path):
        with opened(file) as handle:
            if handle is None:
                continue
            status = os.fstat(handle)
            # A rotation while we read moves a file under the next name.
            if status.st_ino in seen:
                continue
            seen.add(status.st_ino)
            limit = end if end is not None and file == path else status.st_size
            whole = _tail_one(source, handle, limit, status.st_mtime, query, found)
            if not whole:
                break
    found.reverse()
    return found


def _tail_one(source: str, handle: int, end: int, written: float, query: Query, found: list[LogLine]) -> bool:
    """Add the wanted lines of one file to `found`, newest first; False if no older file need be read."""
    if query.since is not None and written < query.since:
        return False
    waiting: list[str] = []  # wanted lines whose time an older line will tell
    timeless = 0

    def settle(when: float) -> None:
        if query.since is None or when >= query.since:
            found.extend(LogLine(source=source, time=when, text=text) for text in waiting)
        waiting.clear()

    for raw in lines_backwards(handle, end, partial(_worth_reading, query, waiting)):
        text = shown(raw)
        if query.search is None or query.search.finds(text):
            waiting.append(text)
        when = time_of(text)
        timeless = 0 if when is not None else timeless + 1
        if when is not None:
            settle(when)
        elif timeless > LOOK_BACK:
            settle(written)
        if when is not None and query.since is not None and when < query.since:
            return False
        if len(found) >= query.lines or time.monotonic() > query.deadline:
            break
    settle(written)
    return len(found) < query.lines and time.monotonic() <= query.deadline


def _worth_reading(query: Query, waiting: list[str], chunk: bytes) -> bool:
    return query.search is None or bool(waiting) or query.search.may_find(chunk)


class FollowedFile:
    """One log that is being followed: the open file, how far it has been read, the unfinished last line."""

    def __init__(self, source: str, path: Path, notify: Inotify, search: Search | None):
        self.source, self.path = source, path
        self.offset = 0
        self._notify, self._search = notify, search
        self._handle: int | None = None
        self._watch = -1
        self._folder: tuple[int, int] | None = None
        self._rest = b""
        self._time: float | None = None

    def start(self) -> None:
        """Begin behind the last complete line that is there now."""
        self._watch_folder()
        self._open()
        if self._handle is not None:
            self.offset = end_of_lines(self._handle)

    def close(self) -> None:
        if self._handle is not None:
            self._notify.remove(self._watch)
            os.close(self._handle)
        self._handle = None

    def read(self) -> tuple[list[LogLine], bool]:
        """New complete lines, and whether there is more to read at once."""
        self._watch_folder()
        if self._handle is None:
            self._open()
        if self._handle is None:
            return [], False
        if os.fstat(self._handle).st_size < self.offset:
            self.offset, self._rest = 0, b""
        lines = self._lines()
        if lines or os.fstat(self._handle).st_size > self.offset:
            return lines, True
        return self._next_file()

    def _next_file(self) -> tuple[list[LogLine], bool]:
        """Once a file is read to its end: go on with the one that has taken its name."""
        if not self._is_replaced():
            return [], False
        last, self._rest = self._rest, b""
        lines = self._made([last]) if last else []
        self.close()
        self._open()
        return lines, self._handle is not None

    def _lines(self) -> list[LogLine]:
        assert self._handle is not None
        raw: list[bytes] = []
        stop = self.offset + READ_AT_ONCE
        while self.offset < stop and (chunk := os.pread(self._handle, CHUNK, self.offset)):
            self.offset += len(chunk)
            first, *others = chunk.split(b"\n")
            # Of a line that never ends only the beginning is kept.
            self._rest = (self._rest + first)[: LINE_LIMIT + 1]
            if others:
                raw += [self._rest, *others[:-1]]
                self._rest = others[-1][: LINE_LIMIT + 1]
        return self._made(raw)

    def _made(self, raw: list[bytes]) -> list[LogLine]:
        lines = []
        for text in map(shown, raw):
            self._time = time_of(text) or self._time or time.time()
            if self._search is None or self._search.finds(text):
                lines.append(LogLine(source=self.source, time=self._time, text=text))
        return lines

    def _open(self) -> None:
        self._handle = open_log(self.path)
        self.offset = 0
        if self._handle is not None:
            # By descriptor: the very file that we read, whatever the path names by now.
            self._watch = self._notify.add(f"/proc/self/fd/{self._handle}", MODIFY)

    def _is_replaced(self) -> bool:
        """Whether another file has our name; a file that only lost its name may still be written to."""
        assert self._handle is not None
        mine = os.fstat(self._handle)
        try:
            there = self.path.lstat()
        except OSError:
            return False
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    def _watch_folder(self) -> None:
        folder = self.path.parent
        while True:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                status = folder.stat()
                if self._folder != (status.st_dev, status.st_ino):
                    self._notify.add(folder, NAMES)
                    self._folder = (status.st_dev, status.st_ino)
                return
            except FileNotFoundError:  # removed in between
                continue
            except OSError as error:
                raise disk_error(folder, error) from error
