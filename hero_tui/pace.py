"""When something that may be wanted often is done: soon at first, then so many times a second, between keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hero_tui.hands import Hands

PATIENCE_SECONDS = 0.05
"""How long it may be put off for keys that wait."""
_STEP_SECONDS = 0.002
_EARLY = 0.7
"""After this share of the time it is done right after a key, rather than shortly before the next one."""


class Pace:
    """Has `deed` done `first` seconds after it is wanted, and not again before `again` seconds have gone by."""

    def __init__(self, deed: Callable[[], None], first: float, again: float, hands: Hands | None = None):
        self._deed = deed
        self._first = first
        self._again = again
        self._hands = hands or Hands()
        self._hands.when_answered(self._after_key)
        self._timer: asyncio.Handle | None = None
        self._due = 0.0
        self._at = 0.0

    @property
    def wanted(self) -> bool:
        """Whether it will be done before long."""
        return self._timer is not None

    def soon(self) -> None:
        """It is wanted; who wants it again meanwhile changes nothing."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._due = max(loop.time() + self._first, self._at + self._again)
            self._timer = loop.call_at(self._due, self._turn)

    def now(self) -> None:
        """Do it at once."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        self._at = asyncio.get_running_loop().time()
        self._deed()

    def _turn(self) -> None:
        """Do it, unless a key waits, which comes first."""
        loop = asyncio.get_running_loop()
        if self._hands.waiting and loop.time() < self._due + PATIENCE_SECONDS:
            self._timer = loop.call_later(_STEP_SECONDS, self._turn)
        else:
            self.now()

    def _after_key(self) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None and loop.time() >= self._at + self._again * _EARLY:
            self._timer.cancel()
            self._timer = loop.call_soon(self._turn)
