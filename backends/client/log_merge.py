"""Lines of several logs as one run, by their times: where each stands is worked out for it alone."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

from backends.client.log_clock import LogClock
from backends.client.log_lines import Lines

_OFFSET_BITS, _SOURCE_BITS = 64, 16
_BIAS = 1 << 58
"""Times before 1970 are negative, but no place may be."""
FINER = 2
"""Parts of a source that are told apart for each part of the whole: it is found again at another place there."""
_SHIFT = _OFFSET_BITS + _SOURCE_BITS


def place_of(time: int, source: int, offset: int) -> int:
    """The place of a source's line among all lines: by time, then by source, then as in the source."""
    return (time + _BIAS) << _SHIFT | source << _OFFSET_BITS | offset


def parts_of(place: int) -> tuple[int, int, int]:
    """Time, source and place in the source; of the number beside a place, those of a neighbour."""
    source = place >> _OFFSET_BITS & (1 << _SOURCE_BITS) - 1
    return (place >> _SHIFT) - _BIAS, source, place & (1 << _OFFSET_BITS) - 1


class MergedLines:
    """Some lines of each source, as `log_lines.Lines`. `parts` are those of one source each, `clocks` tell times.

    `sizes` weigh the progress; `ticks` turns those of the sources, in FINER parts, into those of the whole. What
    was found last is kept while `version` is the same, so that a walk along the lines asks one source a step.
    """

    def __init__(
        self,
        parts: Sequence[Lines],
        clocks: Sequence[LogClock],
        sizes: Callable[[], Sequence[int]],
        ticks: Callable[[Sequence[frozenset[int]], int], frozenset[int]],
        version: Callable[[], Hashable],
    ) -> None:
        self._parts, self._clocks = tuple(parts), tuple(clocks)
        self._sizes, self._ticks, self._version = sizes, ticks, version
        self._walks: dict[int, tuple[int, list[int | None]]] = {}
        self._walked: Hashable = None

    def _key(self, source: int, place: int | None) -> int | None:
        return None if place is None else place_of(self._clocks[source].time(place), source, place)

    def _reach(self, source: int, place: int) -> int:
        """The last place of a source that is not below `place`."""
        time, own, offset = parts_of(place)
        clock = self._clocks[source]
        if source < own:
            return clock.first_at(time + 1) - 1
        least = clock.first_at(time) - 1
        return least if source > own else max(least, min(offset, clock.first_at(time + 1) - 1))

    def _step(self, source: int, offset: int, down: int) -> int | None:
        part = self._parts[source]
        return self._key(source, part.after(offset) if down > 0 else part.before(offset))

    def _nearest(self, place: int, down: int) -> int | None:
        """The nearest line below (`down` 1) or above (-1) `place`."""
        version = (self._version(), *(part.count for part in self._parts))
        if version != self._walked:
            self._walks, self._walked = {}, version
        last, heads = self._walks.get(down, (None, []))
        if place == last:
            _, source, offset = parts_of(place)
            heads[source] = self._step(source, offset, down)
        elif down > 0:
            heads = [self._step(each, self._reach(each, place), 1) for each in range(len(self._parts))]
        else:
            heads = [self._step(each, self._reach(each, place - 1) + 1, -1) for each in range(len(self._parts))]
        known = [head for head in heads if head is not None]
        if not known:
            return None
        found = min(known) if down > 0 else max(known)
        self._walks[down] = found, heads
        return found

    @property
    def first(self) -> int | None:
        """See `Lines`."""
        keys = (self._key(source, part.first) for source, part in enumerate(self._parts))
        return min((key for key in keys if key is not None), default=None)

    @property
    def last(self) -> int | None:
        """See `Lines`."""
        keys = (self._key(source, part.last) for source, part in enumerate(self._parts))
        return max((key for key in keys if key is not None), default=None)

    def after(self, place: int) -> int | None:
        """See `Lines`."""
        return self._nearest(place, 1)

    def before(self, place: int) -> int | None:
        """See `Lines`."""
        return self._nearest(place, -1)

    def knows(self, place: int, step: int) -> bool:
        """See `Lines`."""
        parts = enumerate(self._parts)
        if step > 0:
            return all(part.knows(self._reach(each, place), 1) for each, part in parts)
        return all(part.knows(self._reach(each, place - 1) + 1, -1) for each, part in parts)

    @property
    def count(self) -> int:
        """See `Lines`."""
        return sum(part.count for part in self._parts)

    @property
    def progress(self) -> float:
        """See `Lines`."""
        shares = [part.progress for part in self._parts]
        if all(share >= 1.0 for share in shares):
            return 1.0
        sizes = [max(1, size) for size in self._sizes()]
        known = sum(share * size for share, size in zip(shares, sizes, strict=True))
        return min(0.999, known / sum(sizes))

    def number(self, place: int) -> int | None:
        """See `Lines`."""
        count = 0
        for source, part in enumerate(self._parts):
            number = part.number(self._reach(source, place))
            if number is None:
                return None
            count += number
        return count

    def ticks(self, parts: int) -> frozenset[int]:
        """See `Lines`."""
        return self._ticks([part.ticks(FINER * parts) for part in self._parts], parts)

    def close(self) -> None:
        """See `Lines`."""
        for part in self._parts:
            part.close()
