"""What the queue counts since the daemon's start, for whoever watches it."""

from __future__ import annotations

from collections import Counter

from backends.box.edge.numbers import Durations
from backends.model.state import Build


class Counts:
    """Ended builds by state, and how long those ran that began."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.durations = Durations()

    def add(self, build: Build) -> None:
        """A build has ended."""
        self.ended[build.state] += 1
        if build.started_at and build.finished_at:
            self.durations = self.durations.with_one((build.finished_at - build.started_at).total_seconds())
