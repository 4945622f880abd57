"""When a person pressed a key last, and whether one waits: what happens elsewhere is painted between the keys."""

from __future__ import annotations

import time
from collections.abc import Callable


class Hands:
    """Told of each key as it comes, and again once its answer is on the screen."""

    def __init__(self, waiting: Callable[[], bool] = lambda: False) -> None:
        self._waiting = waiting
        self._pressed = time.monotonic()
        self._after: list[Callable[[], None]] = []

    def pressed(self) -> None:
        """A key has come."""
        self._pressed = time.monotonic()

    def answered(self) -> None:
        """What it does is seen. The next key is as far away as it ever is: now is the time for everything else."""
        for callback in self._after:
            callback()

    def when_answered(self, callback: Callable[[], None]) -> None:
        """Have `callback` called each time; it must return at once."""
        self._after.append(callback)

    @property
    def waiting(self) -> bool:
        """Whether a key has been pressed and was not read yet."""
        return self._waiting()

    @property
    def rested(self) -> float:
        """Seconds since the last key."""
        return time.monotonic() - self._pressed
