"""A log as a view sees it, whatever it is kept in: lines in their order, each at a place that stays its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from backends.client.log_filter import Matcher


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a program's output. `time` is in seconds since the epoch, None where the line has none."""

    source: str
    time: float | None
    text: str


class Lines(Protocol):
    """Some lines of a log. A place is a number; what stands further down has a greater one.

    Where not all of the log has been looked at yet, a line that is not known is as one that is not there.
    """

    @property
    def first(self) -> int | None:
        """The place of the oldest line."""

    @property
    def last(self) -> int | None:
        """The place of the newest line."""

    def after(self, place: int) -> int | None:
        """The nearest line below `place`, which need not be one of these."""

    def before(self, place: int) -> int | None:
        """The nearest line above `place`, which need not be one of these."""

    def knows(self, place: int, step: int) -> bool:
        """Whether what `after` (`step` 1) or `before` (-1) gives for `place` stays the nearest."""

    @property
    def count(self) -> int:
        """How many lines these are, as far as is known."""

    def number(self, place: int) -> int | None:
        """How many of them there are down to `place`, that one included; None while it is not known."""

    @property
    def progress(self) -> float:
        """The share of the log that has been looked at; 1.0 once it is the whole."""

    def ticks(self, parts: int) -> frozenset[int]:
        """In which of `parts` equal parts of the log, from the top, there is one of these lines."""

    def close(self) -> None:
        """Look no further."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a log: how many lines came, and from which place on others may stand than before."""

    came: int
    place: int


class Log(Protocol):
    """A log that can be read at any place, and searched. `lines` are all of them."""

    @property
    def lines(self) -> Lines: ...

    @property
    def errors(self) -> Lines:
        """The lines that tell of an error."""

    @property
    def sources(self) -> Mapping[str, int]:
        """What the lines come from, each with its number."""

    @property
    def dropped(self) -> int:
        """How many of the oldest lines are no longer kept."""

    def line(self, place: int) -> LogLine:
        """The line at a place that `lines` gave."""

    def moved(self, place: int, line: LogLine) -> int:
        """Where the line that was at `place` is now that late ones have come."""

    def kept(self, matcher: Matcher) -> Lines:
        """The lines that `matcher` keeps; what was kept before it is no longer looked at."""

    def share(self, place: int) -> float:
        """How far down the log a place is, 0 to 1."""

    def at_share(self, share: float) -> int | None:
        """The line that is so far down."""

    def at_time(self, time: float) -> int | None:
        """The first line of that time (seconds since the epoch) or later; None where there is none."""

    def work(self) -> float | None:
        """Look at some more lines; seconds after which to go on, None once all have been looked at."""

    def when_found(self, tell: Callable[[], None]) -> None:
        """Have `tell` called, maybe by another thread, once something was found or all has been looked at."""

    def close(self) -> None:
        """Let go of it."""
