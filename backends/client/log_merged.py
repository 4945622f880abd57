"""Several logs' files as one log, merged by time, each of any size; nothing is kept but what is in sight."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

from backends.client.log_clock import MICROSECONDS, LogClock
from backends.client.log_file import LogFile
from backends.client.log_filter import Matcher
from backends.client.log_lines import Change, Lines, LogLine
from backends.client.log_merge import FINER, MergedLines, parts_of, place_of

_TICKS_KEPT = 4
"""Errors and matches, before and after a resize."""


class MergedLog:
    """A `log_lines.Log` of several files; a place is the time of a line, which file it is in, and where there."""

    def __init__(self, files: Sequence[LogFile]) -> None:
        self._files = tuple(files)
        self._clocks = tuple(LogClock(file.files) for file in files)
        self._names = {name: number for number, file in enumerate(files) for name in file.sources}
        self._version = 0
        self._ticked: dict[Hashable, frozenset[int]] = {}
        self._lines = self._merged([file.lines for file in files])
        self._errors = self._merged([file.errors for file in files])
        self._kept: MergedLines | None = None

    def _merged(self, parts: Sequence[Lines]) -> MergedLines:
        return MergedLines(parts, self._clocks, self._sizes, self._ticks, lambda: self._version)

    def _sizes(self) -> list[int]:
        return [end - begin for begin, end in (file.files.span for file in self._files)]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The newest file of each source."""
        return tuple(file.path for file in self._files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self._files)

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
        return self._names

    @property
    def dropped(self) -> int:
        """See `Log`."""
        return 0

    def line(self, place: int) -> LogLine:
        """See `Log`."""
        _, source, offset = parts_of(place)
        return self._files[source].line(offset)

    def moved(self, place: int, line: LogLine) -> int:
        """See `Log`: another place only where a clock went back, and the times around it are others now."""
        _, source, offset = parts_of(place)
        return place_of(self._clocks[source].time(offset), source, offset)

    def kept(self, matcher: Matcher) -> Lines:
        """See `Log`."""
        self._kept = self._merged([file.kept(matcher) for file in self._files])
        return self._kept

    def refresh(self) -> Change | None:
        """What has become of the files since the last look; None where that is nothing."""
        came, places = 0, list[int]()
        for source, (file, clock) in enumerate(zip(self._files, self._clocks, strict=True)):
            change = file.refresh()
            if change is not None:
                came += change.came
                bent = clock.follow(change)
                places.append(0 if bent else place_of(clock.time(change.place), source, change.place))
        if not places:
            return None
        self._version += 1
        return Change(came, min(places))

    # -- where ------------------------------------------------------------------------------------

    def share(self, place: int) -> float:
        """See `Log`."""
        time, own, offset = parts_of(place)
        above = 0
        for source, (file, clock) in enumerate(zip(self._files, self._clocks, strict=True)):
            begin, _ = file.files.span
            at = offset if source == own else clock.first_at(time + (source < own))
            above += max(0, at - begin)
        return min(1.0, above / max(1, sum(self._sizes())))

    def at_share(self, share: float) -> int | None:
        """See `Log`."""
        wanted = sum(self._sizes()) * share
        low = min(clock.first for clock in self._clocks)
        high = max(clock.last for clock in self._clocks) + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._above(middle) <= wanted else (low, middle)
        rest = int(max(0.0, wanted - self._above(low)))
        for source, (file, clock) in enumerate(zip(self._files, self._clocks, strict=True)):
            first, behind = clock.first_at(low), clock.first_at(low + 1)
            if rest < behind - first and (found := file.files.first_from(first + rest)) is not None:
                return place_of(clock.time(found), source, found)
            rest -= behind - first
        found_below = self._lines.after(place_of(low + 1, 0, 0) - 1)
        return self._lines.last if found_below is None else found_below

    def _above(self, time: int, but: int | None = None) -> int:
        """About how many bytes are older, of all sources `but` one."""
        return sum(
            max(0, clock.about_at(time) - file.files.span[0])
            for source, (file, clock) in enumerate(zip(self._files, self._clocks, strict=True))
            if source != but
        )

    def _ticks(self, parts: Sequence[frozenset[int]], count: int) -> frozenset[int]:
        """What stands where in each source, as where it stands in the whole."""
        key = (self._version, count, *parts)
        found = self._ticked.get(key)
        if found is None:
            if len(self._ticked) >= _TICKS_KEPT:
                self._ticked.clear()
            found = self._ticked[key] = self._find_ticks(parts, count)
        return found

    def _find_ticks(self, parts: Sequence[frozenset[int]], count: int) -> frozenset[int]:
        size, found = max(1, sum(self._sizes())), set()
        for source, ticks in enumerate(parts):
            begin, end = self._files[source].files.span
            for tick in ticks:
                place = begin + (end - begin) * (2 * tick + 1) // (2 * FINER * count)
                above = self._above(self._clocks[source].about_time(place), source) + place - begin
                found.add(min(count - 1, above * count // size))
        return frozenset(found)

    def at_time(self, time: float) -> int | None:
        """See `Log`; None also where no line tells a time."""
        if not any(clock.tells for clock in self._clocks):
            return None
        return self._lines.after(place_of(round(time * MICROSECONDS), 0, 0) - 1)

    # -- the threads of the files -----------------------------------------------------------------

    def work(self) -> float | None:
        """See `Log`; the work itself is that of threads."""
        waits = [wait for file in self._files if (wait := file.work()) is not None]
        return min(waits, default=None)

    def when_found(self, tell: Callable[[], None]) -> None:
        """See `Log`."""
        for file in self._files:
            file.when_found(tell)

    def close(self) -> None:
        """See `Log`."""
        for file in self._files:
            file.close()


def open_logs(paths: Mapping[str, Path]) -> LogFile | MergedLog:
    """The log of one file, or of several, by the names of their sources."""
    files = [LogFile(path, name) for name, path in paths.items()]
    return files[0] if len(files) == 1 else MergedLog(files)
