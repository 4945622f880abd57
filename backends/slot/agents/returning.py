"""A session after a reboot: gone on with as soon as whoever pays for it can be asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.slot.agents.session import Session
from backends.slot.agents.situation import Ended

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds between the tries: nothing orders the start of a slot after that of the broker."""


async def bring_back(
    session: Session, resume: Callable[[Session], Awaitable[Agent]], pauses: Sequence[float] = PAUSES
) -> None:
    """Go on with `session`, which a reboot ended; where it cannot be, its detail tells why."""
    session.know(Ended(reason="the machine was started again"))
    for pause in (*pauses, None):
        try:
            await resume(session)
            return
        except HeroError as error:
            session.change(detail=f"it could not be brought back: {error.message}")
            if error.code != "unreachable" or pause is None:
                return
        await asyncio.sleep(pause)
        if session.alive or not session.record.wanted:  # somebody was quicker, or does not want it any more
            return
