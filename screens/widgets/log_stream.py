"""A log that comes as a stream, from another slot, the journal or several sources: its last lines, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from backends.client.log_filter import ERRORS, Matcher
from backends.client.log_lines import Change, Lines
from screens.widgets.log_buffer import LIMIT, LogBuffer, LogLine
from screens.widgets.log_index import LogIndex

SLICE = 1_500
"""Lines that are looked at between two keys: a few milliseconds."""
_AT_ONCE = 0.001


class LogStream:
    """A `log_lines.Log` into which lines go by `append`; a place is a line's number since the beginning."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.buffer = LogBuffer(limit)
        self._lines = LogIndex(self.buffer)
        self._errors = LogIndex(self.buffer, ERRORS)
        self._kept: LogIndex | None = None

    def append(self, lines: Sequence[LogLine]) -> Change:
        """Take lines in, in the order of their times."""
        place = self.buffer.append(lines)
        for index in self._indexes():
            index.rewind(place)
        return Change(len(lines), place)

    def clear(self) -> None:
        """Forget all lines."""
        self.buffer.clear()
        for index in self._indexes():
            index.advance(0)

    @property
    def lines(self) -> Lines:
        """See `Log`."""
        return self._lines

    @property
    def errors(self) -> Lines:
        """See `Log`."""
        return self._errors

    @property
    def sources(self) -> Mapping[str, int]:
        """See `Log`."""
        return self.buffer.sources

    @property
    def dropped(self) -> int:
        """See `Log`."""
        return self.buffer.first

    def line(self, place: int) -> LogLine:
        """See `Log`."""
        return self.buffer.line(min(max(place, self.buffer.first), self.buffer.end - 1))

    def moved(self, place: int, line: LogLine) -> int:
        """See `Log`."""
        return self.buffer.find(line, place)

    def kept(self, matcher: Matcher) -> Lines:
        """See `Log`."""
        self._kept = LogIndex(self.buffer, matcher)
        return self._kept

    def share(self, place: int) -> float:
        """See `Log`."""
        return min(1.0, max(0.0, (place - self.buffer.first) / max(1, len(self.buffer))))

    def at_share(self, share: float) -> int | None:
        """See `Log`."""
        wanted = self.buffer.first + int(share * len(self.buffer))
        return min(wanted, self.buffer.end - 1) if len(self.buffer) else None

    def at_time(self, time: float) -> int | None:
        """See `Log`."""
        return self.buffer.at_time(time)

    def work(self) -> float | None:
        """See `Log`; what a person has asked for goes first."""
        for index in self._indexes():
            if not index.complete:
                index.advance(SLICE)
                return _AT_ONCE
        return None

    def when_found(self, tell: Callable[[], None]) -> None:
        """See `Log`; whoever has it look knows when it has."""

    def _indexes(self) -> list[LogIndex]:
        wanted = self._kept if self._kept is not None and not self._kept.closed else None
        return [index for index in (wanted, self._errors) if index is not None]

    def close(self) -> None:
        """See `Log`."""
