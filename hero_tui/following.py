"""A log that goes on through restarts of the daemon that tells it: no line lost, none told twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable

from backends.model.errors import HeroError
from backends.model.slot_calls import LogsParams
from backends.model.state import LogLine
from screens.log_source import LogBatch

Opener = Callable[[LogsParams], AsyncGenerator[tuple[LogLine, ...], None]]
"""Opens a stream of lines; it raises HeroError when it breaks."""

AGAIN_SECONDS = (0.1, 0.3, 1.0, 2.0)
AT_MOST = 10_000
"""Lines that are asked for of the time without a stream."""
_FINAL = frozenset({"denied", "not_found", "usage"})
"""Codes of refusals that asking again does not change."""


class Place:
    """How far a log has been told: its newest time, and how often what was told of exactly that time."""

    def __init__(self) -> None:
        self.time: float | None = None
        self._there: Counter[tuple[str, str]] = Counter()

    def tell(self, lines: Iterable[LogLine]) -> None:
        """These have been told."""
        timed = [one for one in lines if one.time is not None]
        newest = max((one.time for one in timed if one.time is not None), default=None)
        if newest is None or (self.time is not None and newest < self.time):
            return
        if newest != self.time:
            self.time, self._there = newest, Counter()
        self._there.update((one.source, one.text) for one in timed if one.time == newest)

    def repeated(self) -> Counter[LogLine]:
        """What a stream that begins at `time` will tell again."""
        return Counter(
            {LogLine(source=source, time=self.time, text=text): n for (source, text), n in self._there.items()}
        )


def _fresh(batch: Iterable[LogLine], repeated: Counter[LogLine]) -> tuple[LogLine, ...]:
    """`batch` without what is `repeated`, which is used up."""
    fresh = []
    for one in batch:
        if repeated[one] > 0:
            repeated[one] -= 1
        else:
            fresh.append(one)
    return tuple(fresh)


async def follow(opened: Opener, params: LogsParams) -> AsyncGenerator[LogBatch, None]:
    """Batches until the iterator is closed. Raises HeroError if the log is refused for good."""
    place = Place()
    failures = 0
    while True:
        repeated = place.repeated()
        try:
            async with contextlib.aclosing(opened(params)) as stream:
                async for batch in stream:
                    failures = 0
                    lines = _fresh(batch, repeated) if repeated else batch
                    place.tell(lines)
                    yield LogBatch(lines=lines)
                raise HeroError("unreachable", "The log's stream ended.")
        except HeroError as error:
            if error.code in _FINAL:
                raise
            yield LogBatch(lost=error.message)
        await asyncio.sleep(AGAIN_SECONDS[min(failures, len(AGAIN_SECONDS) - 1)])
        failures += 1
        if place.time is not None:
            params = params.model_copy(update={"since": place.time, "lines": AT_MOST})
