"""The log view's memory: a bounded run of lines, merged by time, each with a number that never changes hands."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import pairwise

from backends.client.log_lines import LogLine as LogLine

LIMIT = 100_000
LONGEST = 8_000
"""Characters of a line that are kept."""

_Kept = tuple[str, float | None, str]
"""Source, time and text. Python's collector does not look into tuples of these, but would into 100,000 objects."""


class LogBuffer:
    """The last `limit` lines. Line numbers count from the first line ever; `first` is the oldest kept."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.first = 0
        self.sources: dict[str, int] = {}
        self._lines: list[_Kept] = []
        self._times = array("d")
        self._last_of: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def end(self) -> int:
        """The number that the next line at the end will get."""
        return self.first + len(self._lines)

    def line(self, number: int) -> LogLine:
        """The line with this number, which must be kept."""
        return LogLine(*self._lines[number - self.first])

    def text(self, number: int) -> str:
        """What that line says."""
        return self._lines[number - self.first][2]

    def append(self, batch: Iterable[LogLine]) -> int:
        """Take lines in, in the order of their times; returns the lowest number that now means another line.

        A line without a time follows the last one of its source. That number is the old `end` unless
        lines came late.
        """
        lines = [_kept(line) for line in batch]
        if not lines:
            return self.end
        times = [self._time_of(source, time) for source, time, _ in lines]
        if any(late < early for early, late in pairwise(times)):
            lines, times = _merge(([], []), (lines, times))
        place = bisect_right(self._times, times[0])
        changed = self.first + place
        if place < len(self._lines):
            lines, times = _merge((self._lines[place:], self._times[place:].tolist()), (lines, times))
            del self._lines[place:], self._times[place:]
        self._lines += lines
        self._times.extend(times)
        excess = max(0, len(self._lines) - self.limit)
        del self._lines[:excess], self._times[:excess]
        self.first += excess
        return changed

    def find(self, line: LogLine, near: int) -> int:
        """The number of a kept `line` that was at `near` before late lines came; `near` if it is gone."""
        wanted = _kept(line)
        for number in range(max(near, self.first), self.end):
            if self._lines[number - self.first] == wanted:
                return number
        return max(near, self.first)

    def at_time(self, time: float) -> int | None:
        """The first line of that time or later; None where there is none."""
        number = self.first + bisect_left(self._times, time)
        return number if number < self.end else None

    def clear(self) -> None:
        """Forget all lines; numbers go on counting."""
        self.first = self.end
        self._lines, self._times = [], array("d")

    def _time_of(self, source: str, time: float | None) -> float:
        if source not in self.sources:
            self.sources[source] = len(self.sources)
        last = self._times[-1] if self._times else 0.0
        own = self._last_of.get(source, last) if time is None else time
        own = own if math.isfinite(own) else last
        self._last_of[source] = own
        return own


def _kept(line: LogLine) -> _Kept:
    text = line.text
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} … ({len(text) - LONGEST:,} more characters)"
    return line.source, line.time, text


def _merge(
    old: tuple[list[_Kept], list[float]], new: tuple[list[_Kept], list[float]]
) -> tuple[list[_Kept], list[float]]:
    """Two runs in the order of their times as one; at equal times the old lines stay first."""
    lines, times = old[0] + new[0], old[1] + new[1]
    order = sorted(range(len(lines)), key=times.__getitem__)
    return [lines[place] for place in order], [times[place] for place in order]
