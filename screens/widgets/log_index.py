"""Which lines of the log are shown and on which rows: built in slices, so that no key waits for it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from screens.widgets.log_buffer import LogBuffer
from screens.widgets.log_filter import Matcher
from screens.widgets.sgr import plain, wrap_points

_COMPACT = 65_536


class LogIndex:
    """The numbers of the lines that `matcher` keeps and, at a wrap `width` in cells, the rows they take.

    Without matcher and width it costs nothing: every line is one row.
    """

    def __init__(self, buffer: LogBuffer, matcher: Matcher | None = None, width: int | None = None) -> None:
        self.matcher = matcher
        self.width = width
        self._buffer = buffer
        self._numbers = array("Q")
        self._row_ends = array("Q")
        self._start = 0
        self._scanned = buffer.first

    @property
    def _whole(self) -> bool:
        return self.matcher is None and self.width is None

    @property
    def complete(self) -> bool:
        """True once every line has been looked at."""
        return self._whole or self._scanned >= self._buffer.end

    def knows(self, number: int) -> bool:
        """True if the line has been looked at."""
        return self._whole or number < self._scanned

    @property
    def progress(self) -> float:
        """The share of the lines that has been looked at, 0 to 1."""
        size = len(self._buffer.lines)
        return 1.0 if self.complete or not size else max(0, self._scanned - self._buffer.first) / size

    def advance(self, lines: int) -> None:
        """Look at up to so many lines more."""
        if self._whole:
            return
        buffer, matcher, width = self._buffer, self.matcher, self.width
        self._scanned = max(self._scanned, buffer.first)
        stop = min(buffer.end, self._scanned + lines)
        row = self._row_ends[-1] if self._row_ends else 0
        for number in range(self._scanned, stop):
            text = plain(buffer.line(number).text)
            if matcher is not None and not matcher.keeps(text):
                continue
            self._numbers.append(number)
            if width is not None:
                row += len(wrap_points(text, width))
                self._row_ends.append(row)
        self._scanned = stop

    def rewind(self, number: int) -> None:
        """Look again at the lines from `number` on: others stand there now."""
        self._scanned = min(self._scanned, number)
        place = bisect_left(self._numbers, number, self._start)
        del self._numbers[place:], self._row_ends[place:]

    def forget(self) -> None:
        """Drop the lines that the buffer no longer keeps."""
        self._start = bisect_left(self._numbers, self._buffer.first, self._start)
        if self._start > _COMPACT:
            before = self._row_ends[self._start - 1] if self.width is not None else 0
            del self._numbers[: self._start]
            self._row_ends = array("Q", [end - before for end in self._row_ends[self._start :]])
            self._start = 0

    @property
    def lines(self) -> int:
        """How many lines are shown."""
        return len(self._buffer.lines) if self._whole else len(self._numbers) - self._start

    @property
    def rows(self) -> int:
        """How many rows they take."""
        if self.width is None:
            return self.lines
        return self._row_ends[-1] - self._base if self.lines else 0

    @property
    def _base(self) -> int:
        return self._row_ends[self._start - 1] if self._start else 0

    def locate(self, row: int) -> tuple[int, int] | None:
        """The line number that `row` shows and which of the line's rows that is; None below the end."""
        if not 0 <= row < self.rows:
            return None
        if self._whole:
            return self._buffer.first + row, 0
        if self.width is None:
            return self._numbers[self._start + row], 0
        place = bisect_right(self._row_ends, row + self._base, self._start)
        before = self._row_ends[place - 1] if place else 0
        return self._numbers[place], row + self._base - before

    def row_of(self, number: int) -> int:
        """The first row of the line `number`, or of the next one that is shown."""
        if self._whole:
            return max(0, number - self._buffer.first)
        place = bisect_left(self._numbers, number, self._start)
        if self.width is None:
            return place - self._start
        return (self._row_ends[place - 1] if place else 0) - self._base

    def next_line(self, number: int, step: int) -> int | None:
        """The nearest shown line after (`step` 1) or before (-1) `number`, None if there is none."""
        if self._whole:
            wanted = number + step
            return wanted if self._buffer.first <= wanted < self._buffer.end else None
        if step > 0:
            place = bisect_right(self._numbers, number, self._start)
        else:
            place = bisect_left(self._numbers, number, self._start) - 1
        return self._numbers[place] if self._start <= place < len(self._numbers) else None
