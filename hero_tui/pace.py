"""When something that may be wanted often is done: soon the first time, then so many times a second at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pace:
    """Has `deed` done `first` seconds after it is wanted, and not again before `again` seconds have gone by."""

    def __init__(self, deed: Callable[[], None], first: float, again: float):
        self._deed = deed
        self._first = first
        self._again = again
        self._wanted = False
        self._at = 0.0

    def soon(self) -> None:
        """It is wanted; who wants it again meanwhile changes nothing."""
        if not self._wanted:
            self._wanted = True
            loop = asyncio.get_running_loop()
            loop.call_later(max(self._first, self._at + self._again - loop.time()), self.now)

    def now(self) -> None:
        """Do it at once."""
        self._wanted = False
        self._at = asyncio.get_running_loop().time()
        self._deed()
