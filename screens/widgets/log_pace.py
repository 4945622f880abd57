"""When a log is looked at and shown: what comes at once is shown once, and keys get through in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

FLUSH_SECONDS = 0.06
_FLOOD, _FLOOD_SECONDS = 300, 0.12
"""So many lines at once nobody reads; painting them less often leaves the time to keys."""
_SLICES_A_FRAME = 20
_FRAME_SECONDS = 0.02


class Timers(Protocol):
    """What calls a function later; a widget does."""

    def set_timer(self, delay: float, callback: Callable[[], None]) -> object: ...


class LogPace:
    """Has `work` done in slices, which gives the seconds until the next one or None at its end, and `show` called.

    `looked` is called after each slice, so that who waits for something to be found may look for it.
    """

    def __init__(
        self,
        timers: Timers,
        work: Callable[[], float | None],
        show: Callable[[], None],
        looked: Callable[[], None],
    ) -> None:
        self._timers, self._work, self._show, self._looked = timers, work, show, looked
        self._slices = 0
        self._flush_wanted = self._working = False

    @property
    def busy(self) -> bool:
        """True while lines wait to be shown, or to be looked at."""
        return self._flush_wanted or self._working

    def soon(self, lines: int) -> None:
        """So many lines came: flush in a moment."""
        if not self._flush_wanted:
            self._flush_wanted = True
            self._timers.set_timer(FLUSH_SECONDS if lines < _FLOOD else _FLOOD_SECONDS, self.flush)

    def flush(self) -> None:
        """Show what has come now, and have it looked at."""
        self._flush_wanted = False
        self._show()
        if not self._working:
            self._working = True
            self._work_on()

    def _work_on(self) -> None:
        again = self._work()
        self._slices += 1
        self._working = again is not None
        if again is None or again >= _FRAME_SECONDS or self._slices % _SLICES_A_FRAME == 0:
            self._show()
        self._looked()
        if again is not None:
            self._timers.set_timer(again, self._work_on)
