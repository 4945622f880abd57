"""Who pays for sessions: resolved by the slot's choices, given back to the broker at a session's end."""

from __future__ import annotations

from typing import Protocol

from backends.model.claude import NOBODY_PAYS, Resolution
from backends.model.errors import HeroError
from backends.slot.agents.ports import Payer
from backends.slot.claude import ClaudeChoices


class Lender(Protocol):
    """The broker, as far as it is told of ends."""

    async def release(self, lease: str) -> None:
        """What was given under `lease` is not needed any more; never raises."""
        ...


class ClaudePayers:
    """The credentials of one slot's sessions."""

    def __init__(self, choices: ClaudeChoices, lender: Lender):
        self._choices = choices
        self._lender = lender

    async def check(self) -> None:
        """Raises HeroError that says what to do where nobody pays."""
        _refuse_nobody(await self._choices.resolution())

    async def payer(self, session: str) -> Payer:
        """The credential for `session`. Raises HeroError."""
        resolution, key = await self._choices.credential_for(session)
        _refuse_nobody(resolution)
        return Payer(resolution.credential, key)

    async def release(self, lease: str) -> None:
        """The session that had `lease` has ended."""
        await self._lender.release(lease)


def _refuse_nobody(resolution: Resolution) -> None:
    if resolution.credential.kind != "none":
        return
    # An answer that a broker may give later is another one than its no.
    is_away = resolution.org.state == "unreachable" and resolution.preference != "personal"
    problem = resolution.problem or "Nobody pays for an agent of this slot."
    raise HeroError("unreachable" if is_away else "denied", problem, hint=resolution.hint or NOBODY_PAYS)
