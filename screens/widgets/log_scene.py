"""What of a log is to be seen: its filter, its window of time, its marks, and the rows above and below any row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from backends.client.log_filter import Matcher
from backends.client.log_lines import Lines, Log

Anchor = tuple[int, int]
"""The place of a line and which of its rows."""


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a log, from the line at `begin` to the one above `end`; None is no bound."""

    begin: int | None = None
    end: int | None = None

    def has(self, place: int) -> bool:
        """Whether a line is in it."""
        return (self.begin is None or place >= self.begin) and (self.end is None or place < self.end)


class LogScene:
    """One log as one person looks at it. `height(place)` says how many rows a line takes.

    With `hide` only matching lines are to be seen, else all are and the matches only known.
    """

    def __init__(self, log: Log, height: Callable[[int], int]) -> None:
        self.log = log
        self.matcher: Matcher | None = None
        self.hide = True
        self.hits: Lines = log.lines
        self.window = Window()
        self.marks: dict[int, str] = {}
        self._height = height

    def set_matcher(self, matcher: Matcher | None) -> None:
        """Keep what `matcher` keeps; None keeps all."""
        if self.matcher is not None:
            self.hits.close()
        self.matcher = matcher
        self.hits = self.log.lines if matcher is None else self.log.kept(matcher)

    @property
    def shown(self) -> Lines:
        """The lines that are to be seen, those outside the window with them."""
        return self.hits if self.hide else self.log.lines

    # -- lines ------------------------------------------------------------------------------------

    @property
    def first(self) -> int | None:
        """The first line that is to be seen."""
        begin = self.window.begin
        return self._inside(self.shown.first if begin is None else self.shown.after(begin - 1))

    @property
    def last(self) -> int | None:
        """The last line that is to be seen."""
        end = self.window.end
        return self._inside(self.shown.last if end is None else self.shown.before(end))

    def below(self, place: int) -> int | None:
        """The next line that is to be seen."""
        return self._inside(self.shown.after(place))

    def above(self, place: int) -> int | None:
        """The line before that is to be seen."""
        return self._inside(self.shown.before(place))

    def _inside(self, place: int | None) -> int | None:
        return place if place is not None and self.window.has(place) else None

    def next_of(self, lines: Lines, place: int, step: int) -> int | None:
        """The nearest of `lines` in the window, below (`step` 1) or above (-1) `place`."""
        return self._inside(lines.after(place) if step > 0 else lines.before(place))

    def end_of(self, lines: Lines, step: int) -> int | None:
        """The first of `lines` in the window (`step` 1), or the last (-1)."""
        begin, end = self.window.begin, self.window.end
        if step > 0:
            return self._inside(lines.first if begin is None else lines.after(begin - 1))
        return self._inside(lines.last if end is None else lines.before(end))

    # -- rows -------------------------------------------------------------------------------------

    def rows_from(self, anchor: Anchor, count: int) -> list[Anchor]:
        """So many rows from `anchor` on, fewer where the log ends; from the next line where its own is hidden."""
        if count <= 0:
            return []
        place: int | None
        place, part = anchor
        if self.below(place - 1) != place:
            place, part = self.below(place), 0
        rows: list[Anchor] = []
        while place is not None and len(rows) < count:
            height = self._height(place)
            rows += [(place, number) for number in range(min(part, height - 1), height)]
            place, part = self.below(place), 0
        return rows[:count]

    def rows_above(self, anchor: Anchor, count: int) -> list[Anchor]:
        """So many rows that stand above `anchor`, the uppermost first."""
        place: int | None
        place, part = anchor
        rows = [(place, number) for number in range(part - 1, -1, -1)]
        while len(rows) < count and (place := self.above(place)) is not None:
            rows += [(place, number) for number in range(self._height(place) - 1, -1, -1)]
        return rows[count - 1 :: -1] if len(rows) >= count > 0 else rows[:count][::-1]

    def rows_at_end(self, count: int) -> list[Anchor]:
        """The last rows that are to be seen."""
        last = self.last
        return [] if last is None else self.rows_above((last, self._height(last)), count)
