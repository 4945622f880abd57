"""When each line of a log's files was written, as times that never go back: what several logs are merged by.

A line that tells no time has that of the line above it, the first ones that of the first line that tells one.
Where a clock was set back, or lines are out of order, the line keeps its place in its file, and its time is bent.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator

from backends.client.log_files import LogFiles
from backends.client.log_finder import beginnings
from backends.client.log_lines import Change
from backends.client.log_segment import CHUNK
from backends.model.log_text import time_of

MICROSECONDS = 1_000_000
_HEAD = 160
"""Bytes of a line in which its time stands, colours before it included."""
_MAY_TELL = frozenset(b"0123456789[\x1b")
_CACHED = 16
_FEW = 16
"""Chunks of a small log: of one, places and times are told to the line, of a larger one to a part of a chunk."""
_NEWLINE = 10
_ARRIVAL_STEP = MICROSECONDS // 10

_Timed = tuple["array[int]", "array[int]"]
"""The places of the lines that begin in a chunk, and their times."""


class LogClock:
    """The times of the lines of `files`, in whole microseconds since the epoch.

    Only what is asked for is read. At the border of two chunks the time is what was told last above it, held
    between those of two borders further away (which of them is as in a Fenwick tree): so times never go back, and
    about log2 of all borders have to be looked at for one line of a file of any size.
    Files that tell no time at either end go by when their lines came: `now()` for those that come from now on.
    """

    def __init__(self, files: LogFiles, now: Callable[[], float] = time.time) -> None:
        self._files, self._now = files, now
        self._restart()

    def _restart(self) -> None:
        self._told: dict[int, int | None] = {}
        self._bent: dict[int, int] = {}
        self._timed: OrderedDict[int, _Timed] = OrderedDict()
        self._unread: dict[int, int] = {}
        """From which place on lines have come to a chunk whose others are in `_timed`."""
        self._origin, self._chunks = self._range()
        self._end = self._files.span[1]
        self.tells = self._told_in(0) is not None or self._told_in(self._chunks - 1) is not None
        """Whether the lines tell their times."""
        self._came = array("q"), array("q")
        if not self.tells:
            self._take_ages()

    def _range(self) -> tuple[int, int]:
        begin, end = self._files.span
        return begin // CHUNK, -(-end // CHUNK) - begin // CHUNK

    # -- what the lines tell ----------------------------------------------------------------------

    def _told_in(self, chunk: int) -> int | None:
        """The time that is told last in a chunk, None where none is."""
        if chunk not in self._told:
            self._told[chunk] = self._find_last(chunk) if 0 <= chunk < self._chunks else None
        return self._told[chunk]

    def _find_last(self, chunk: int) -> int | None:
        _, _, data = self._files.chunk(self._origin + chunk)
        end = len(data)
        while end > 0:
            begin = data.rfind(b"\n", 0, end - 1) + 1
            if (told := _told(data, begin)) is not None:
                return told
            end = begin
        return None

    def _above(self, chunk: int) -> int:
        """The time that was told last above a chunk, or first of all."""
        for before in range(chunk - 1, -1, -1):
            if (told := self._told_in(before)) is not None:
                return told
        for after in range(self._chunks):
            if self._told_in(after) is not None:
                return next(told for _, told in self._tellings(after) if told is not None)
        return 0

    def _tellings(self, chunk: int, begin: int = 0) -> Iterator[tuple[int, int | None]]:
        """The places of its lines from `begin` on, and what each tells; a piece of a long one tells nothing."""
        place, base, data = self._files.chunk(self._origin + chunk)
        known = max(0, begin - place)
        place, base, data = place + known, base + known, data[known:]
        for start in beginnings(data, base) if data else ():
            whole = not start or data[start - 1] == _NEWLINE
            yield place + start, _told(data, start) if whole else None

    # -- times that never go back -----------------------------------------------------------------

    def _begins(self, chunk: int) -> int:
        """The time at the upper border of a chunk; that of a later chunk is never less."""
        if chunk not in self._bent:
            number = chunk + 1
            step = number & -number
            time = self._above(chunk)
            if number > step:
                time = max(time, self._begins(chunk - step))
            if number + step <= self._chunks:
                time = min(time, self._begins(chunk + step))
            self._bent[chunk] = time
        return self._bent[chunk]

    def _times_in(self, chunk: int) -> _Timed:
        timed = self._timed.get(chunk)
        if timed is None:
            timed = self._timed[chunk] = array("q"), array("q")
            self._unread[chunk] = 0
            if len(self._timed) > _CACHED:
                self._timed.popitem(last=False)
        else:
            self._timed.move_to_end(chunk)
        if chunk in self._unread:
            self._read_times(chunk, self._unread.pop(chunk), *timed)
        return timed

    def _read_times(self, chunk: int, begin: int, places: array[int], times: array[int]) -> None:
        """Take in the lines of a chunk from `begin` on."""
        last = self._begins(chunk + 1) if chunk + 1 < self._chunks else None
        time = times[-1] if times else self._begins(chunk)
        for place, told in self._tellings(chunk, begin):
            if told is not None and told > time:
                time = told if last is None else min(told, last)
            places.append(place)
            times.append(time)

    def time(self, place: int) -> int:
        """The time of the line at `place`."""
        if not self.tells:
            places, times = self._came
        else:
            places, times = self._times_in(min(max(0, place // CHUNK - self._origin), max(0, self._chunks - 1)))
        found = bisect_right(places, place) - 1
        return times[max(0, found)] if times else 0

    def first_at(self, time: int) -> int:
        """The first line of that time or later; the place behind all lines where there is none."""
        if not self.tells:
            places, times = self._came
            found = bisect_left(times, time)
            return places[found] if found < len(times) else self._files.span[1]
        chunk = self._chunk_before(time)
        if chunk >= 0:
            places, times = self._times_in(chunk)
            if (found := bisect_left(times, time)) < len(times):
                return places[found]
        found_below = self._files.first_from((self._origin + chunk + 1) * CHUNK)
        return self._files.span[1] if found_below is None else found_below

    def _chunk_before(self, time: int) -> int:
        """The last chunk that begins before `time`, -1 where none does."""
        number, step = 0, 1 << max(0, self._chunks.bit_length() - 1)
        while step:
            if number + step <= self._chunks and self._begins(number + step - 1) < time:
                number += step
            step >>= 1
        return number - 1

    # -- the same, about --------------------------------------------------------------------------

    def about_at(self, time: int) -> int:
        """About where `first_at` is: for a scroll bar, without looking at the lines of a large log."""
        if not self.tells or self._chunks <= _FEW:
            return self.first_at(time)
        chunk = self._chunk_before(time)
        if chunk < 0:
            return self._files.span[0]
        begin, end = self._begins(chunk), self._end_of(chunk)
        part = CHUNK * min(1.0, (time - begin) / max(1, end - begin))
        return min(self._files.span[1], (self._origin + chunk) * CHUNK + int(part))

    def about_time(self, place: int) -> int:
        """About the time at `place`, in the same way."""
        if not self.tells or self._chunks <= _FEW:
            return self.time(place)
        chunk = min(max(0, place // CHUNK - self._origin), self._chunks - 1)
        begin, end = self._begins(chunk), self._end_of(chunk)
        return begin + (end - begin) * (place % CHUNK) // CHUNK

    def _end_of(self, chunk: int) -> int:
        return self._begins(chunk + 1) if chunk + 1 < self._chunks else max(self._begins(chunk), self.last)

    @property
    def first(self) -> int:
        """The time of the first line."""
        return self.time(self._files.span[0])

    @property
    def last(self) -> int:
        """The time of the last line."""
        last = self._files.before(self._files.span[1])
        return 0 if last is None else self.time(last)

    # -- what becomes of the files ----------------------------------------------------------------

    def follow(self, change: Change) -> bool:
        """Take in what `files` has become; True where times above `change.place` are others than before."""
        origin, chunks = self._range()
        first = change.place // CHUNK - self._origin
        before, end, self._end = self._chunks, self._end, self._files.span[1]
        if origin != self._origin or not before or (not self.tells and not first and self._begins_to_tell()):
            self._restart()
            return True
        if not self.tells:
            self._chunks = chunks
            self._arrived(end, round(self._now() * MICROSECONDS))
            return False
        above = self._files.before(change.place)
        top = self.time(above) if above is not None and chunks > before else 0
        self._chunks = chunks
        self._forget(first, change.place)
        if all(self._above(chunk) >= top for chunk in range(max(first + 1, before), chunks)):
            return False
        self._bent, self._timed = {}, OrderedDict()  # a clock went back: what is above it is bent, too
        return True

    def _forget(self, first: int, place: int) -> None:
        """Read anew what is there from `place` on, which is in chunk `first`."""
        for known in (self._told, self._timed):
            for chunk in [chunk for chunk in known if chunk > first]:
                del known[chunk]
        self._told.pop(first, None)
        if first in self._timed:
            places, times = self._timed[first]
            keep = bisect_left(places, place)
            del places[keep:], times[keep:]
            self._unread.setdefault(first, place)

    def _begins_to_tell(self) -> bool:
        return any(told is not None for _, told in self._tellings(0))

    def _take_ages(self) -> None:
        for place, age in self._files.ages():
            self._arrived(place, round(age * MICROSECONDS))

    def _arrived(self, place: int, time: int) -> None:
        """Lines from `place` on came at that time."""
        places, times = self._came
        if not times or time - times[-1] >= _ARRIVAL_STEP:
            places.append(place)
            times.append(time)


def _told(data: bytes, start: int) -> int | None:
    if start >= len(data) or data[start] not in _MAY_TELL:
        return None
    told = time_of(data[start : start + _HEAD].decode(errors="replace"))
    return None if told is None else round(told * MICROSECONDS)
