"""The lines of a log view together with what its filter and wrapping leave of them; no painting."""

from __future__ import annotations

from collections.abc import Sequence

from screens.widgets.log_buffer import LogBuffer, LogLine
from screens.widgets.log_filter import Matcher
from screens.widgets.log_index import LogIndex


class LogScene:
    """Buffer, filter, and the index of shown rows and of matching lines, kept in step.

    `hide` leaves only matching lines; otherwise all are shown and the matches only known. `top` is the
    line that stays on top of the screen while lines come and go, None while the end is followed.
    """

    def __init__(self, limit: int) -> None:
        self.buffer = LogBuffer(limit)
        self.matcher: Matcher | None = None
        self.hide = True
        self.shown = LogIndex(self.buffer)
        self.hits = self.shown
        self.top: tuple[int, LogLine] | None = None

    def append(self, lines: Sequence[LogLine]) -> bool:
        """Take lines in; True if some came late, so that numbers from there on mean other lines."""
        changed = self.buffer.append(lines)
        if changed >= self.buffer.end - len(lines):
            return False
        for index in {self.shown, self.hits}:
            index.rewind(changed)
        if self.top is not None and self.top[0] >= changed:
            self.top = self.buffer.find(self.top[1], self.top[0]), self.top[1]
        return True

    def restart(self, width: int | None) -> None:
        """Begin to look at all lines again, for another filter or another wrap width in cells."""
        self.shown = LogIndex(self.buffer, self.matcher if self.hide else None, width)
        separate = self.matcher is not None and not self.hide
        self.hits = LogIndex(self.buffer, self.matcher) if separate else self.shown

    def advance(self, lines: int) -> None:
        """Look at a slice of the lines that have not been looked at."""
        for index in {self.shown, self.hits}:
            index.forget()
            index.advance(lines)

    @property
    def complete(self) -> bool:
        """True once every line has been looked at."""
        return self.shown.complete and self.hits.complete

    def keep_top(self, row: int | None) -> None:
        """Hold the line on `row` at the top from now on; None lets go."""
        place = None if row is None else self.shown.locate(row)
        self.top = None if place is None else (place[0], self.buffer.line(max(place[0], self.buffer.first)))

    def top_row(self) -> int | None:
        """The row of the line that is held; None while there is none or it has not been looked at again."""
        if self.top is None or not self.shown.knows(self.top[0]):
            return None
        return self.shown.row_of(self.top[0])

    def next_hit(self, current: int | None, row: int, step: int) -> int | None:
        """The matching line after or before `current`, or after the one on `row`; None if there is none."""
        if current is None:
            place = self.shown.locate(row)
            current = place[0] - step if place else self.buffer.first
        return self.hits.next_line(current, step)
