"""When Python looks for garbage in cycles: while nobody types. In a large fleet that takes as long as ten keys."""

from __future__ import annotations

import gc
import time

REST_SECONDS = 1.0
"""How long nobody must have pressed a key."""
SHARE = 0.01
"""Of a core, for looking at everything."""
_NEVER = 1_000_000_000
_SOME, _MUCH = 10, 60
"""So often young objects are looked through until all are: if nobody types, and in any case."""


class Collecting:
    """The collector of this process, from `begin` to `end`; `tick` is its chance to look at all objects."""

    def __init__(self) -> None:
        self._usual = gc.get_threshold()
        self._not_before = 0.0

    def begin(self) -> None:
        """Start it, for young objects only; what has been made so far stays."""
        self.keep()
        gc.set_threshold(*self._usual[:2], _NEVER)
        gc.enable()

    def keep(self) -> None:
        """What there is stays: a fleet that has just been told, say. It is never looked at again."""
        gc.freeze()

    def tick(self, rested: float) -> None:
        """Look at all that has grown old, if that is worth it; nobody has pressed a key for `rested` seconds."""
        began = time.monotonic()
        if began < self._not_before or gc.get_count()[2] < (_SOME if rested >= REST_SECONDS else _MUCH):
            return
        gc.collect()
        ended = time.monotonic()
        self._not_before = ended + (ended - began) / SHARE

    def end(self) -> None:
        """As it was."""
        gc.set_threshold(*self._usual)
