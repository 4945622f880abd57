"""What is asked of logs: how many lines, from when on, found by which search."""

from __future__ import annotations

import time
from dataclasses import dataclass

from backends.model.log_text import Search

SCAN_SECONDS = 10.0
"""How long one `tail` may search; it then answers with what it has."""


@dataclass(frozen=True)
class Query:
    """Which lines are wanted: how many, from which time on (seconds since the epoch), found by which search."""

    lines: int
    since: float | None
    search: Search | None
    deadline: float
    """Monotonic time at which the search ends."""

    def finds(self, text: str) -> bool:
        """Whether the line `text` (as `shown` gave it) is wanted, whatever its time."""
        return self.search is None or self.search.finds(text)


def query(lines: int, since: float | None, grep: str | None) -> Query:
    """A query that begins now."""
    return Query(max(0, lines), since, Search(grep) if grep else None, time.monotonic() + SCAN_SECONDS)
