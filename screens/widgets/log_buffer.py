"""The log view's memory: a bounded run of lines, merged by time, each with a number that never changes hands."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

LIMIT = 100_000
LONGEST = 8_000
"""Characters of a line that are kept."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a program's output. `time` is in seconds since the epoch, None where the line has none."""

    source: str
    time: float | None
    text: str


class LogBuffer:
    """The last `limit` lines. Line numbers count from the first line ever; `first` is the oldest kept."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self.first = 0
        self.lines: list[LogLine] = []
        self.sources: dict[str, int] = {}
        self._times: list[float] = []
        self._last_of: dict[str, float] = {}

    @property
    def end(self) -> int:
        """The number that the next line at the end will get."""
        return self.first + len(self.lines)

    def line(self, number: int) -> LogLine:
        """The line with this number, which must be kept."""
        return self.lines[number - self.first]

    def append(self, batch: Iterable[LogLine]) -> int:
        """Take lines in, in the order of their times; returns the lowest number that now means another line.

        A line without a time follows the last one of its source. That number is the old `end` unless
        lines came late.
        """
        lines = [_bounded(line) for line in batch]
        if not lines:
            return self.end
        times = [self._time_of(line) for line in lines]
        if any(late < early for early, late in pairwise(times)):
            lines, times = _merge(([], []), (lines, times))
        place = bisect_right(self._times, times[0])
        changed = self.first + place
        if place < len(self.lines):
            lines, times = _merge((self.lines[place:], self._times[place:]), (lines, times))
            del self.lines[place:], self._times[place:]
        self.lines += lines
        self._times += times
        excess = max(0, len(self.lines) - self.limit)
        del self.lines[:excess], self._times[:excess]
        self.first += excess
        return changed

    def find(self, line: LogLine, near: int) -> int:
        """The number of a kept `line` that was at `near` before late lines came; `near` if it is gone."""
        for number in range(max(near, self.first), self.end):
            if self.line(number) is line:
                return number
        return max(near, self.first)

    def clear(self) -> None:
        """Forget all lines; numbers go on counting."""
        self.first = self.end
        self.lines, self._times = [], []

    def _time_of(self, line: LogLine) -> float:
        if line.source not in self.sources:
            self.sources[line.source] = len(self.sources)
        last = self._times[-1] if self._times else 0.0
        time = self._last_of.get(line.source, last) if line.time is None else line.time
        time = time if math.isfinite(time) else last
        self._last_of[line.source] = time
        return time


def _bounded(line: LogLine) -> LogLine:
    if len(line.text) <= LONGEST:
        return line
    return replace(line, text=f"{line.text[:LONGEST]} … ({len(line.text) - LONGEST:,} more characters)")


def _merge(
    old: tuple[list[LogLine], list[float]], new: tuple[list[LogLine], list[float]]
) -> tuple[list[LogLine], list[float]]:
    """Two runs in the order of their times as one; at equal times the old lines stay first."""
    lines, times = old[0] + new[0], old[1] + new[1]
    order = sorted(range(len(lines)), key=times.__getitem__)
    return [lines[place] for place in order], [times[place] for place in order]
