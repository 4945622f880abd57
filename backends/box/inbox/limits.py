"""How much one sender may ask and say, so that an agent gone wild drowns nobody."""

from __future__ import annotations

import sqlite3
from collections import deque

from backends.box.inbox import rows
from backends.model.errors import HeroError

OPEN_EACH = 50
"""Questions and messages of one sender that wait at the same time."""
WAITING_EACH = 500
"""Items that wait for one addressee."""
RATE, RATE_SECONDS = 30, 60.0
"""Items of one sender in so many seconds."""


class Pace:
    """Counts what each sender sent in the last RATE_SECONDS; time is a parameter."""

    def __init__(self) -> None:
        self._sent: dict[str, deque[float]] = {}

    def count(self, sender: str, now: float) -> None:
        """One more of `sender`, at `now` (monotonic seconds). Raises HeroError `busy` where it is too many."""
        for name in [name for name, times in self._sent.items() if times[-1] <= now - RATE_SECONDS]:
            del self._sent[name]
        times = self._sent.setdefault(sender, deque())
        while times and times[0] <= now - RATE_SECONDS:
            times.popleft()
        if len(times) >= RATE:
            raise HeroError(
                "busy",
                f"{sender} has sent {RATE} questions and messages within {RATE_SECONDS:g} s; this was not taken.",
                hint="Say more in fewer messages, and wait a minute.",
            )
        times.append(now)


def refuse_many(db: sqlite3.Connection, sender: str, to: str) -> None:
    """Raises HeroError `conflict` where too much of `sender`, or for `to`, waits already."""
    if rows.open_of(db, sender) >= OPEN_EACH:
        raise HeroError(
            "conflict",
            f"{OPEN_EACH} questions and messages of {sender} wait already; this one was not taken.",
            hint="`hero_dev inbox --sent` lists them; a question can be taken back.",
        )
    if rows.waiting_for(db, to) >= WAITING_EACH:
        waits = f"{WAITING_EACH} questions and messages wait for {to} already"
        raise HeroError("conflict", f"{waits}; this one was not taken.")
