"""Steps along lines of a log that are still being found: each is taken once it is known where it leads."""

from __future__ import annotations

from backends.client.log_lines import Lines
from screens.widgets.log_sight import LogSight

_MOST = 100
"""Steps that may wait: a key that is held down is not to jump for seconds afterwards."""


class LogSeek:
    """What has been asked for and not been taken yet; steps along other lines, and `stop`, give it up."""

    def __init__(self) -> None:
        self._lines: Lines | None = None
        self._steps = 0

    def ask(self, lines: Lines, step: int) -> None:
        """One more step, down (1) or up (-1)."""
        if self._lines is not lines:
            self.stop()
        self._lines = lines
        self._steps = max(-_MOST, min(_MOST, self._steps + step))

    def stop(self) -> None:
        """Go nowhere any more."""
        self._lines, self._steps = None, 0

    def go_on(self, sight: LogSight) -> bool | None:
        """Take the steps that can be taken: None if there were none, False if one led nowhere."""
        went = None
        while self._lines is not None and self._steps:
            step = 1 if self._steps > 0 else -1
            if not sight.port.knows_next_of(self._lines, step):
                break
            place = sight.port.next_of(self._lines, step)
            if place is None:
                self.stop()
                return False
            self._steps -= step
            sight.go_to(place)
            went = True
        return went
