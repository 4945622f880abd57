"""Which lines of the log's memory a filter keeps: found in slices, so that no key waits for it."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from backends.client.log_filter import Matcher
from backends.client.log_finder import LineTest
from screens.widgets.log_buffer import LogBuffer
from screens.widgets.sgr import plain

_COMPACT = 65_536


class LogIndex:
    """The numbers of the lines that `matcher` keeps, as `log_lines.Lines`. Without one it has all, at no cost."""

    def __init__(self, buffer: LogBuffer, matcher: Matcher | None = None) -> None:
        self._matcher = matcher
        self._test = LineTest(matcher) if matcher else None
        self._buffer = buffer
        self._numbers = array("Q")
        self._start = 0
        self._scanned = buffer.first
        self.closed = False

    # -- looking ----------------------------------------------------------------------------------

    @property
    def complete(self) -> bool:
        """True once every line has been looked at."""
        return self._matcher is None or self._scanned >= self._buffer.end

    @property
    def progress(self) -> float:
        """See `Lines`."""
        size = len(self._buffer)
        return 1.0 if self.complete or not size else max(0, self._scanned - self._buffer.first) / size

    def advance(self, lines: int) -> None:
        """Forget what the memory no longer keeps, and look at up to so many lines more."""
        test, matcher, buffer = self._test, self._matcher, self._buffer
        if test is None or matcher is None:
            return
        self._forget()
        self._scanned = max(self._scanned, buffer.first)
        stop = min(buffer.end, self._scanned + lines)
        matching = test.matching([plain(buffer.text(number)) for number in range(self._scanned, stop)])
        self._numbers.extend(
            number for number, match in enumerate(matching, self._scanned) if match is not matcher.inverse
        )
        self._scanned = stop

    def rewind(self, number: int) -> None:
        """Look again at the lines from `number` on: others stand there now."""
        self._scanned = min(self._scanned, number)
        del self._numbers[bisect_left(self._numbers, number, self._start) :]

    def _forget(self) -> None:
        self._start = bisect_left(self._numbers, self._buffer.first, self._start)
        if self._start > _COMPACT:
            del self._numbers[: self._start]
            self._start = 0

    def close(self) -> None:
        """See `Lines`."""
        self.closed = True

    # -- as Lines ---------------------------------------------------------------------------------

    @property
    def first(self) -> int | None:
        """See `Lines`."""
        return self.after(self._buffer.first - 1)

    @property
    def last(self) -> int | None:
        """See `Lines`."""
        return self.before(self._buffer.end)

    @property
    def count(self) -> int:
        """See `Lines`."""
        return len(self._buffer) if self._matcher is None else len(self._numbers) - self._start

    def after(self, place: int) -> int | None:
        """See `Lines`."""
        if self._matcher is None:
            wanted = max(place + 1, self._buffer.first)
            return wanted if wanted < self._buffer.end else None
        found = bisect_right(self._numbers, max(place, self._buffer.first - 1), self._start)
        return self._numbers[found] if found < len(self._numbers) else None

    def before(self, place: int) -> int | None:
        """See `Lines`."""
        if self._matcher is None:
            wanted = min(place, self._buffer.end) - 1
        else:
            found = bisect_left(self._numbers, place, self._start) - 1
            wanted = self._numbers[found] if found >= self._start else -1
        return wanted if wanted >= self._buffer.first else None

    def knows(self, place: int, step: int) -> bool:
        """See `Lines`."""
        return self.complete or (self.after(place) is not None if step > 0 else place <= self._scanned)

    def number(self, place: int) -> int | None:
        """See `Lines`."""
        if self._matcher is None:
            return max(0, min(place, self._buffer.end - 1) - self._buffer.first + 1)
        return bisect_right(self._numbers, place, self._start) - self._start

    def ticks(self, parts: int) -> frozenset[int]:
        """See `Lines`."""
        first, size = self._buffer.first, max(1, len(self._buffer))
        begins = [first - (-part * size // parts) for part in range(parts + 1)]
        found = ((part, self.after(begin - 1)) for part, begin in enumerate(begins[:-1]))
        return frozenset(part for part, place in found if place is not None and place < begins[part + 1])
