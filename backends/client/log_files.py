"""A log's file with its older rotations above it, as one run of places; follows whatever becomes of the file."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

from backends.client.log_lines import Change
from backends.client.log_segment import CHUNK, FOLD, Segment, open_segment

ROTATIONS = 100
"""Old files `<name>.1`, `<name>.2`, … that belong to a log at most."""
_UTF8_TAIL = 3


class LogFiles:
    """The files of one log, oldest first. `refresh` looks what has become of them; a thread may read meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._segments: tuple[Segment, ...] = ()
        self._open()

    def _open(self) -> None:
        for path in reversed(list(rotations(self.path))):
            self._add(path)

    def _add(self, path: Path) -> bool:
        segment = open_segment(path, self._next_base)
        if segment is not None:
            self._segments = (*self._segments, segment)
        return segment is not None

    @property
    def _next_base(self) -> int:
        return -(-self._segments[-1].end // CHUNK) * CHUNK if self._segments else 0

    @property
    def span(self) -> tuple[int, int]:
        """The first place, and the one behind the last byte."""
        return (self._segments[0].base, self._segments[-1].end) if self._segments else (0, 0)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(segment.size for segment in self._segments)

    def ages(self) -> list[tuple[int, float]]:
        """Of each file its first place, and when it was written to last, in seconds since the epoch."""
        return [(segment.base, os.fstat(segment.handle).st_mtime) for segment in self._segments]

    def close(self) -> None:
        """Close the files; nobody may read any more."""
        segments, self._segments = self._segments, ()
        for segment in segments:
            os.close(segment.handle)

    # -- what becomes of the files ----------------------------------------------------------------

    def refresh(self) -> Change | None:
        """What has been written since the last look, at the file and at another one that has taken its name.

        None where nothing has changed. Old places go where a file was cut off and written anew.
        """
        if not self._segments:
            self._open()
            return Change(self._newlines(0), 0) if self._segments else None
        if self._segments[-1].is_rewritten():
            gone = self._segments[-1]
            anew = Segment(self._next_base, gone.handle, 0, b"")
            self._segments = (*self._segments[:-1], anew)
            self._grow()
            return Change(self._newlines(anew.base), gone.base)
        before = self.span[1]
        place = self._grow()
        while self._is_replaced() and self._add(self.path):
            pass
        return Change(self._newlines(before), place) if self.span[1] > before else None

    def _grow(self) -> int:
        """Take in what was written to the newest file; the place of the first line that it changed."""
        before = self._segments[-1]
        self._segments = (*self._segments[:-1], before.grown())
        return before.base + (before.before(before.size) or 0)

    def _newlines(self, place: int) -> int:
        """How many lines have been ended from `place` on."""
        count = 0
        for segment in self._segments:
            for start in range(max(0, place - segment.base), segment.size, CHUNK):
                count += segment.read(start, start + CHUNK).count(b"\n")
        return count

    def _is_replaced(self) -> bool:
        """Whether another file has our name; one that only lost its name may still be written to."""
        try:
            there = self.path.stat()
        except OSError:
            return False
        mine = os.fstat(self._segments[-1].handle)
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)

    # -- places -----------------------------------------------------------------------------------

    def _at(self, place: int) -> int:
        """The number of the file that has `place`, or of the one above it."""
        return max(0, bisect_right(self._segments, place, key=lambda segment: segment.base) - 1)

    def first_from(self, place: int) -> int | None:
        """The first line that begins at `place` or below it."""
        segments = self._segments
        for segment in segments[self._at(place) :]:
            found = segment.first_from(max(0, place - segment.base))
            if found is not None:
                return segment.base + found
        return None

    def after(self, place: int) -> int | None:
        """The line below the one at `place`."""
        segments = self._segments
        if not segments:
            return None
        number = self._at(place)
        segment = segments[number]
        if place >= segment.base and (found := segment.after(place - segment.base)) is not None:
            return segment.base + found
        return next((each.base for each in segments[number + (place >= segment.base) :] if each.size), None)

    def before(self, place: int) -> int | None:
        """The line above the one at `place`, or above the end."""
        segments = self._segments
        for segment in reversed(segments[: self._at(place - 1) + 1] if segments else ()):
            found = segment.before(min(segment.size, place - segment.base))
            if found is not None:
                return segment.base + found
        return None

    def raw(self, place: int) -> bytes:
        """The line at `place`, without its end."""
        segments = self._segments
        if not segments:
            return b""
        segment = segments[self._at(place)]
        start = place - segment.base
        stop = segment.after(start) or segment.size
        data = segment.read(start, stop + _UTF8_TAIL)
        line, rest = data[: stop - start], data[stop - start :]
        if start and start % FOLD == 0:  # a long line is broken between two bytes, a character goes with its first
            line = line[:_UTF8_TAIL].lstrip(_CONTINUING) + line[_UTF8_TAIL:]
        if line.endswith(b"\n"):
            return line[:-1].removesuffix(b"\r")
        return line + rest[: len(rest) - len(rest.lstrip(_CONTINUING))]

    def around(self, first: int, stop: int) -> bytes | None:
        """Bytes with every line that begins in chunks `first` to `stop`; None where these are in two files."""
        place, end = first * CHUNK, stop * CHUNK
        segments = self._segments
        if not segments or self._at(place) != self._at(end - 1):
            return None
        segment = segments[self._at(place)]
        start = place - segment.base
        return segment.read(max(0, start - FOLD), end - segment.base + 2 * FOLD)

    def chunk(self, number: int) -> tuple[int, int, bytes]:
        """The lines that begin in chunk `number`: the first one's place, its offset in its file, their bytes."""
        place = number * CHUNK
        segments = self._segments
        if not segments:
            return place, 0, b""
        segment = segments[self._at(place)]
        start = place - segment.base
        first = segment.first_from(start)
        if first is None or first >= start + CHUNK:
            return place, 0, b""
        stop = segment.first_from(start + CHUNK)
        return segment.base + first, first, segment.read(first, segment.size if stop is None else stop)


_CONTINUING = bytes(range(0x80, 0xC0))


def rotations(path: Path) -> Iterator[Path]:
    """The file itself, whether it is there or not, then its older ones, as far as they are numbered."""
    yield path
    for number in range(1, ROTATIONS + 1):
        older = path.with_name(f"{path.name}.{number}")
        if not os.path.exists(older):  # noqa: PTH110 - of a name that is too long, pathlib's raises OSError
            return
        yield older
