"""A log that is a file, of any size: its end is there at once, what is to be found in it comes from a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from backends.client.log_clock import MICROSECONDS, LogClock
from backends.client.log_files import LogFiles
from backends.client.log_filter import ERRORS, Matcher
from backends.client.log_finder import EveryLine, MatchingLines
from backends.client.log_lines import Change, Lines, LogLine
from backends.client.log_scan import Scan
from backends.model.log_text import time_of

_LOOK_AGAIN = 0.1


def _nobody() -> None:
    """Nobody wants to be told."""


class FileLines:
    """All lines of the files, as `Lines`: their places are read from the files, their number is counted."""

    def __init__(self, files: LogFiles, counted: Scan) -> None:
        self._files, self._counted = files, counted

    @property
    def first(self) -> int | None:
        """See `Lines`."""
        return self._files.first_from(self._files.span[0])

    @property
    def last(self) -> int | None:
        """See `Lines`."""
        return self._files.before(self._files.span[1])

    def after(self, place: int) -> int | None:
        """See `Lines`."""
        return self._files.first_from(place + 1)

    def before(self, place: int) -> int | None:
        """See `Lines`."""
        return self._files.before(place)

    def knows(self, place: int, step: int) -> bool:
        """See `Lines`: every line is one of these."""
        return True

    @property
    def count(self) -> int:
        """See `Lines`."""
        return self._counted.count

    @property
    def progress(self) -> float:
        """See `Lines`."""
        return self._counted.progress

    def number(self, place: int) -> int | None:
        """See `Lines`."""
        return self._counted.number(place)

    def ticks(self, parts: int) -> frozenset[int]:
        """See `Lines`."""
        return self._counted.ticks(parts)

    def close(self) -> None:
        """See `Lines`."""


class LogFile:
    """A `log_lines.Log` of one source. What a person has asked for is looked for first."""

    def __init__(self, path: Path, source: str) -> None:
        self._files = LogFiles(path)
        self._source = source
        self._counted = Scan(self._files, EveryLine())
        self._errors = Scan(self._files, MatchingLines(ERRORS))
        self._kept: Scan | None = None
        self._lines = FileLines(self._files, self._counted)
        self._tell: Callable[[], None] = _nobody
        self._wanted = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"log {path.name}", daemon=True)
        self._thread.start()
        self._wanted.set()

    @property
    def files(self) -> LogFiles:
        """The file with its rotations."""
        return self._files

    @property
    def path(self) -> Path:
        """The newest file."""
        return self._files.path

    @property
    def paths(self) -> tuple[Path, ...]:
        """The same, as of a log that has several."""
        return (self.path,)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return self._files.size

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
        return {self._source: 0}

    def line(self, place: int) -> LogLine:
        """See `Log`."""
        text = self._files.raw(place).decode(errors="replace")
        return LogLine(self._source, time_of(text), text)

    @property
    def dropped(self) -> int:
        """See `Log`."""
        return 0

    def moved(self, place: int, line: LogLine) -> int:
        """See `Log`; what is in a file stays where it is."""
        return place

    def kept(self, matcher: Matcher) -> Lines:
        """See `Log`."""
        if self._kept is not None:
            self._kept.close()
        self._kept = Scan(self._files, MatchingLines(matcher))
        self._wanted.set()
        return self._kept

    def refresh(self) -> Change | None:
        """What has become of the file since the last look; None where that is nothing."""
        first = self._files.span[0]
        change = self._files.refresh()
        if change is not None:
            for scan in self._scans():
                scan.rewind(change.place) if self._files.span[0] == first else scan.restart()
            self._wanted.set()
        return change

    # -- where ------------------------------------------------------------------------------------

    def share(self, place: int) -> float:
        """See `Log`."""
        begin, end = self._files.span
        return min(1.0, max(0.0, (place - begin) / max(1, end - begin)))

    def at_share(self, share: float) -> int | None:
        """See `Log`."""
        begin, end = self._files.span
        found = self._files.first_from(begin + int((end - begin) * share))
        return self._lines.last if found is None else found

    def at_time(self, time: float) -> int | None:
        """See `Log`; None also where no line tells a time. One that tells none has that of the line above it."""
        clock = LogClock(self._files)
        place = clock.first_at(round(time * MICROSECONDS)) if clock.tells else self._files.span[1]
        return place if place < self._files.span[1] else None

    # -- the thread -------------------------------------------------------------------------------

    def work(self) -> float | None:
        """See `Log`; the work itself is the thread's."""
        return None if all(scan.progress >= 1.0 for scan in self._scans()) else _LOOK_AGAIN

    def when_found(self, tell: Callable[[], None]) -> None:
        """See `Log`; it is the thread that calls it."""
        self._tell = tell

    def _scans(self) -> list[Scan]:
        """Those that are wanted still: who looked at one that is closed would never come to its end."""
        scans = (self._kept, self._counted, self._errors)
        return [scan for scan in scans if scan is not None and not scan.closed]

    def _run(self) -> None:
        while not self._closed:
            self._wanted.clear()
            scan = next((scan for scan in self._scans() if scan.progress < 1.0), None)
            if scan is None:
                self._wanted.wait()
                continue
            before = scan.count
            scan.step()
            if (scan.count and not before) or scan.progress >= 1.0:
                self._tell()
        self._files.close()

    def close(self) -> None:
        """See `Log`."""
        self._closed = True
        self._wanted.set()
