"""Keys that were handed over themselves: who may have one no more is told, at once or before long."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from backends.broker.assignments import Assignments
from backends.broker.leases import Leases
from backends.broker.ledger import Lease
from backends.broker.store import KeyStore
from backends.model.errors import HeroError
from backends.rpc.connection import Connection

log = logging.getLogger(__name__)

NOTICE = "lease.ended"
LOOK_SECONDS = 10.0
"""Between two looks at the team repo, while any key is handed over; a pass is checked on every use instead."""


class Endings:
    """Ends leases of handed-over keys, and tells the connections of their uid that listen."""

    def __init__(self, leases: Leases, assignments: Assignments, store: KeyStore, *, every: float = LOOK_SECONDS):
        self._leases = leases
        self._assignments = assignments
        self._store = store
        self._every = every
        self._listening: set[Connection] = set()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Look from now on, for as long as there is something to look after."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="look-after-keys")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def listen(self, connection: Connection) -> None:
        """Tell `connection` of its uid's leases that end, and of those that ended while nobody listened."""
        self._listening.add(connection)
        connection.when_lost(lambda _: self._listening.discard(connection))
        for lease in self._leases.ended_of(connection.peer.uid):
            _tell(connection, lease.id, lease.ended)

    async def look(self) -> None:
        """End every lease whose key its user may have no more. Raises HeroError where that cannot be kept."""
        for lease in self._leases.live("key"):
            reason = self._why_not(lease)
            if not reason:
                continue
            for connection in tuple(self._listening):
                if connection.peer.uid == lease.uid:
                    _tell(connection, lease.id, reason)
            await self._leases.end(lease, reason)

    async def _run(self) -> None:
        while self._leases.live("key"):
            try:
                await self.look()
            except HeroError as error:
                log.error("an end of a lease cannot be kept: %s", error)
            await asyncio.sleep(self._every)

    def _why_not(self, lease: Lease) -> str:
        assigned = self._assignments.of(lease.user)
        if assigned.why_not:
            return assigned.why_not
        if lease.pinned not in assigned.names:
            return f"The key {lease.pinned} is no longer assigned to {lease.user}."
        key = self._store.get(lease.pinned)
        if key is None:
            return f"The key {lease.pinned} was revoked."
        return "" if key.fingerprint == lease.fingerprint else f"The key {lease.pinned} was replaced."


def _tell(connection: Connection, lease: str, reason: str) -> None:
    connection.notify(NOTICE, {"lease": lease, "reason": reason})
