"""What a slot needs of the broker of the org's keys; `broker_client` is the real one."""

from __future__ import annotations

from typing import Protocol

from backends.model.broker_calls import ClaudeKey
from backends.model.claude import OrgGrant


class Broker(Protocol):
    """The broker as one user's slot sees it."""

    async def status(self) -> OrgGrant:
        """Which org key a session would get; never raises, the state says `unreachable`."""
        ...

    async def get(self, session: str, slot: str = "") -> ClaudeKey:
        """A credential for `session` (`<slot>/<agent>`). `slot` names a key; "": the first that is free.

        Raises HeroError.
        """
        ...
