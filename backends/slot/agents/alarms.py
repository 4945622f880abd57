"""One timer a session: it rings where nothing was heard for too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from backends.slot.agents.session import Session
from backends.slot.agents.situation import Interrupted, NoFile, Silent

STUCK_AFTER = 5.0
"""Seconds after which a program without a status file stands in a dialog of its start."""

SILENT_AFTER = 360.0
"""Seconds without a word of a working session: the program notices a dead stream after 300 at the earliest."""

UNSAID_AFTER = 1.5
"""Seconds for the hook of a turn that failed: the program rests before it, and a start of it takes a while."""


class Alarms:
    """The timers of all sessions. `look` has a session's status file read once more before it is believed."""

    def __init__(
        self,
        look: Callable[[str], None],
        *,
        stuck: float = STUCK_AFTER,
        silent: float = SILENT_AFTER,
        unsaid: float = UNSAID_AFTER,
    ):
        self._look = look
        self._stuck = stuck
        self._silent = silent
        self._unsaid = unsaid
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def started(self, session: Session) -> None:
        """Its program was started just now."""
        self._set(session, self._stuck)

    def heard(self, session: Session) -> None:
        """Something is known of it: one that works has to speak again before long, one that rests to say why."""
        situation = session.situation
        if situation.unsaid and situation.ended is None:
            self._set(session, self._unsaid)
        elif situation.ended is not None or situation.dialogs or situation.status in ("idle", "waiting"):
            self.drop(session.id)
        elif situation.status == "busy":
            self._set(session, self._silent)

    def drop(self, id: str) -> None:
        if handle := self._handles.pop(id, None):
            handle.cancel()

    def close(self) -> None:
        for id in tuple(self._handles):
            self.drop(id)

    def _set(self, session: Session, seconds: float) -> None:
        self.drop(session.id)
        self._handles[session.id] = asyncio.get_running_loop().call_later(seconds, self._ring, session)

    def _ring(self, session: Session) -> None:
        self._handles.pop(session.id, None)
        self._look(session.id)
        if not session.situation.status:
            session.know(NoFile())
        elif session.situation.unsaid:
            session.know(Interrupted())
        elif session.situation.status == "busy" and session.id not in self._handles:
            session.know(Silent(session.situation.silent + max(1, int(self._silent // 60))))
