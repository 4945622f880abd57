"""What a box counts for Prometheus, as plain numbers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field

BUCKETS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0)
"""Seconds up to which builds are counted together."""


@dataclass(frozen=True, slots=True)
class Durations:
    """How long things took: `counts` has one number for each of BUCKETS and one for the longer ones; `total` is
    their sum in seconds."""

    counts: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    total: float = 0.0

    def with_one(self, seconds: float) -> Durations:
        """The same and one more."""
        counts = list(self.counts)
        counts[bisect_left(BUCKETS, seconds)] += 1
        return Durations(tuple(counts), self.total + max(0.0, seconds))


@dataclass(frozen=True, slots=True)
class Numbers:
    """A box at one moment. `queue` and `builds_ended` are by a build's state, the latter and `builds` since the
    start; `health` and `drift`: services of all slots by their word; `events` is the number of the newest event.
    """

    queue: Mapping[str, int] = field(default_factory=dict)
    builds_ended: Mapping[str, int] = field(default_factory=dict)
    builds: Durations = Durations()
    slots: int = 0
    slots_online: int = 0
    health: Mapping[str, int] = field(default_factory=dict)
    drift: Mapping[str, int] = field(default_factory=dict)
    subscribers: int = 0
    events: int = 0
