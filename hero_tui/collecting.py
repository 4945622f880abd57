"""When Python looks for garbage in cycles: while nobody types. In a large fleet that takes as long as ten keys."""

from __future__ import annotations

import gc
import time

REST_SECONDS = 1.0
"""How long nobody must have pressed a key."""
SHARE = 0.01
"""Of a core, for looking at everything in vain."""
WORTH = 5_000
"""Objects: a look that found as much was not in vain. A screen that was closed is some 8,000."""
_NEVER = 1_000_000_000
_SOME, _MUCH = 10, 20
"""So often young objects are looked through until all are: if nobody types, and in any case."""


class Collecting:
    """The collector of this process, from `begin` to `end`; `tick` is its chance to look at all objects."""

    def __init__(self) -> None:
        self._usual = gc.get_threshold()
        self._not_before = 0.0
        self._kept = False
        self._anew = False

    def begin(self) -> None:
        """Start it, for young objects only; what has been made so far stays."""
        gc.freeze()
        gc.set_threshold(*self._usual[:2], _NEVER)
        gc.enable()

    def keep(self) -> None:
        """The fleet has been told: what there is stays, and is not looked at again until the next time.

        At once the first time. Later there may be screens in it that were closed: those go first, in a rest.
        """
        if self._kept:
            self._anew = True
            return
        self._kept = True
        gc.freeze()

    def tick(self, rested: float) -> None:
        """Look at all that has grown old, if that is worth it; nobody has pressed a key for `rested` seconds."""
        resting = rested >= REST_SECONDS
        if self._anew and resting:
            self._keep_anew()
            return
        began = time.monotonic()
        if began < self._not_before or gc.get_count()[2] < (_SOME if resting else _MUCH):
            return
        found = gc.collect()
        ended = time.monotonic()
        if found < WORTH:
            self._not_before = ended + (ended - began) / SHARE

    def end(self) -> None:
        """As it was."""
        gc.set_threshold(*self._usual)

    def _keep_anew(self) -> None:
        self._anew = False
        gc.unfreeze()
        gc.collect()
        gc.freeze()
