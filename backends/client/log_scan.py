"""Which lines of a log's files a finder wants, counted by chunks, the newest first, in little memory."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from typing import Protocol

from backends.client.log_finder import Finder
from backends.client.log_segment import CHUNK

PARTS = 64
"""Parts of a chunk that are told apart in what `ticks` gives."""
_PART = CHUNK // PARTS
_BORDER = 64
_FEW = 4
AT_ONCE = 4
"""Chunks looked at together first, as mostly there is nothing in them; more would not fit a core's own cache."""
_CACHED = 64


class Chunked(Protocol):
    """Files whose places are counted in chunks."""

    def around(self, first: int, stop: int) -> bytes | None:
        """Bytes that have every line which begins in these chunks; None where they are not in one file."""

    @property
    def span(self) -> tuple[int, int]:
        """The first place, and the one behind the last byte."""

    def chunk(self, number: int) -> tuple[int, int, bytes]:
        """The lines that begin in chunk `number`: the first one's place, its offset in its file, their bytes."""


class Scan:
    """The wanted lines of `files`, as `log_lines.Lines`. `step` is called by a thread, all else by the loop's.

    Chunks `low` to `high` have been looked at: first what has been appended, then further and further up.
    """

    def __init__(self, files: Chunked, finder: Finder) -> None:
        self._files, self._finder = files, finder
        self._lock = threading.Lock()
        self._cached: OrderedDict[int, list[int]] = OrderedDict()
        self._ticked: tuple[tuple[int, int, int], frozenset[int]] | None = None
        self._version = self._one_by_one = 0
        self.closed = False
        self.restart()

    def restart(self) -> None:
        """Look at everything anew."""
        begin, end = self._files.span
        with self._lock:
            self._origin = begin // CHUNK
            self._chunks = self._chunks_up_to(end)
            self._counts = array("I", bytes(4 * self._chunks))
            self._masks = array("Q", bytes(8 * self._chunks))
            self._low = self._high = max(begin, end - 1) // CHUNK
            self._count = 0
            self._version += 1
            self._cached.clear()

    def rewind(self, place: int) -> None:
        """Look anew at what is there from `place` on."""
        with self._lock:
            chunk = place // CHUNK
            for number in range(max(chunk, self._low), self._high):
                self._count -= self._counts[number - self._origin]
            self._high = min(self._high, max(chunk, self._origin))
            self._low = min(self._low, self._high)
            self._chunks = self._chunks_up_to(self._files.span[1])
            missing = self._chunks - len(self._counts)
            if missing > 0:
                self._counts.extend([0] * missing)
                self._masks.extend([0] * missing)
            for known in [number for number in self._cached if number >= chunk]:
                del self._cached[known]
            self._version += 1

    def _chunks_up_to(self, end: int) -> int:
        """Kept, not asked for: the thread goes on while a file has grown that nobody has looked at yet."""
        return max(0, -(-end // CHUNK) - self._origin)

    # -- the thread -------------------------------------------------------------------------------

    def step(self) -> bool:
        """Look at one more chunk; False where none is left."""
        with self._lock:
            number, version = self._next(), self._version
        if number is None or self.closed:
            return False
        if self._finder.picks and self._pass_over(number, version):
            return True
        _, base, data = self._files.chunk(number)
        count = self._finder.count(data, base) if data else 0
        mask = self._mask(data, base, count) if count else 0
        with self._lock:
            if version == self._version and number == self._next():
                self._take(number, count, mask)
        return True

    def _pass_over(self, number: int, version: int) -> bool:
        """Look at several chunks at once; True if there is nothing in them, and they are done with."""
        if self._one_by_one:
            self._one_by_one -= 1
            return False
        downwards = number == self._high
        first = number if downwards else max(self._origin, number + 1 - AT_ONCE)
        stop = min(number + AT_ONCE, self._origin + self._chunks) if downwards else number + 1
        data = self._files.around(first, stop) if stop - first > 1 else None
        if data is None or self._finder.may_hit(data):
            self._one_by_one = AT_ONCE - 1
            return False
        with self._lock:
            if version == self._version and number == self._next():
                for each in range(first, stop) if downwards else range(stop - 1, first - 1, -1):
                    self._take(each, 0, 0)
        return True

    def _next(self) -> int | None:
        if self._high < self._origin + self._chunks:
            return self._high
        return self._low - 1 if self._low > self._origin else None

    def _take(self, number: int, count: int, mask: int) -> None:
        place = number - self._origin
        self._counts[place], self._masks[place] = count, mask
        self._count += count
        if number == self._high:
            self._high += 1
        else:
            self._low -= 1

    def _mask(self, data: bytes, base: int, count: int) -> int:
        """In which parts of the chunk there is one, a bit each."""
        mask = 0
        if count < _FEW:
            for hit in self._finder.hits(data, base):
                mask |= 1 << min(PARTS - 1, (base + hit) % CHUNK // _PART)
            return mask
        begin = -(base % CHUNK)
        for part in range(PARTS):
            # What stands on the border of two parts is found in both.
            if self._finder.may_hit(data[max(0, begin) : max(0, begin + _PART + _BORDER)]):
                mask |= 1 << part
            begin += _PART
        return mask

    # -- as Lines ---------------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """See `Lines`."""
        return self._count

    @property
    def progress(self) -> float:
        """See `Lines`."""
        with self._lock:
            return 1.0 if self._next() is None else (self._high - self._low) / max(1, self._chunks)

    @property
    def first(self) -> int | None:
        """See `Lines`."""
        return self.after(self._files.span[0] - 1)

    @property
    def last(self) -> int | None:
        """See `Lines`."""
        return self.before(self._files.span[1])

    def after(self, place: int) -> int | None:
        """See `Lines`."""
        number = max(self._low, place // CHUNK)
        while number < self._high:
            if self._counts[number - self._origin]:
                hits = self._hits(number)
                found = bisect_right(hits, place)
                if found < len(hits):
                    return hits[found]
            number += 1
        return None

    def before(self, place: int) -> int | None:
        """See `Lines`."""
        number = min(self._high - 1, place // CHUNK)
        while number >= self._low:
            if self._counts[number - self._origin]:
                hits = self._hits(number)
                found = bisect_left(hits, place)
                if found:
                    return hits[found - 1]
            number -= 1
        return None

    def knows(self, place: int, step: int) -> bool:
        """See `Lines`."""
        chunk, stop = place // CHUNK, self._origin + self._chunks
        all_above, all_below = self._low <= self._origin, self._high >= stop
        if step > 0:
            return (all_above or chunk >= self._low) and (all_below or self.after(place) is not None)
        return (all_below or chunk < self._high) and (all_above or self.before(place) is not None)

    def number(self, place: int) -> int | None:
        """How many of these lines stand above `place`, and itself; None while not all above are known."""
        chunk = place // CHUNK
        if self._low > self._origin:
            return None
        if chunk < self._origin:
            return 0
        if chunk >= self._high:
            return self._count if self._high >= self._origin + self._chunks else None
        return sum(self._counts[: chunk - self._origin]) + bisect_right(self._hits(chunk), place)

    def _hits(self, number: int) -> list[int]:
        hits = self._cached.get(number)
        if hits is None:
            place, base, data = self._files.chunk(number)
            hits = [place + hit for hit in self._finder.hits(data, base)]
            self._cached[number] = hits
            if len(self._cached) > _CACHED:
                self._cached.popitem(last=False)
        return hits

    def ticks(self, parts: int) -> frozenset[int]:
        """See `Lines`."""
        key = (parts, self._count, self._version)
        if self._ticked is None or self._ticked[0] != key:
            self._ticked = key, self._find_ticks(parts)
        return self._ticked[1]

    def _find_ticks(self, parts: int) -> frozenset[int]:
        begin, end = self._files.span
        size = max(1, end - begin)
        coarse = self._chunks > 2 * parts
        found = set()
        for number in range(self._low, self._high):
            mask = self._masks[number - self._origin]
            if not mask:
                continue
            first = number * CHUNK - begin
            bits = (0,) if coarse else [bit for bit in range(PARTS) if mask >> bit & 1]
            found |= {min(parts - 1, max(0, first + bit * _PART) * parts // size) for bit in bits}
        return frozenset(found)

    def close(self) -> None:
        """See `Lines`."""
        self.closed = True
