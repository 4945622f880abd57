"""The connections that the slots' daemons hold to the box, over which the box calls them back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from backends.rpc.pulse import watch

log = logging.getLogger(__name__)

NEWS_SECONDS = 10.0
PATIENCE_SECONDS = 30.0
"""A daemon that is starved is not one that hangs: many of them on a busy machine all want the same two cores."""

LostWatcher = Callable[[str, str], None]
"""Takes the slot and, where its daemon hangs, a sentence about that."""


class Links:
    """At most one connection a slot: the newest that told the slot's whole state."""

    def __init__(self, on_lost: LostWatcher):
        self._on_lost = on_lost
        self._links: dict[str, Connection] = {}
        self._calls: set[asyncio.Task[None]] = set()

    def attach(self, slot: str, connection: Connection) -> None:
        """`connection` speaks for `slot` from now on."""
        if self._links.get(slot) is connection:
            return
        self._links[slot] = connection
        watch(connection, _silent(slot, connection), PATIENCE_SECONDS)
        connection.when_lost(lambda why: self._lost(slot, connection, why))

    def speaks_for(self, slot: str, connection: Connection) -> bool:
        """Whether `connection` is the slot's present one."""
        return self._links.get(slot) is connection

    def get(self, slot: str) -> Connection | None:
        """The slot's connection; None while its daemon is away."""
        return self._links.get(slot)

    def reach(self, slot: str) -> Connection:
        """The slot's connection. Raises HeroError `unreachable`."""
        found = self._links.get(slot)
        if found is None:
            raise HeroError(
                "unreachable",
                f"The daemon of {slot}'s slot is away.",
                hint="The box starts it again by itself; `hero_dev box status` tells more.",
            )
        return found

    def tell_all(self, method: str, params: dict[str, Any]) -> None:
        """Call `method` of every slot without waiting; one that fails looks by itself when it connects again."""
        for slot, connection in self._links.items():
            self.tell(slot, connection, method, params)

    def tell(self, slot: str, connection: Connection, method: str, params: dict[str, Any]) -> None:
        """Call `method` over the slot's `connection` without waiting for its answer."""
        task = asyncio.create_task(_tell(slot, connection, method, params), name=f"{method} {slot}")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def close(self) -> None:
        """Give up the calls that run."""
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def _lost(self, slot: str, connection: Connection, why: HeroError) -> None:
        if self._links.get(slot) is connection:
            del self._links[slot]
            self._on_lost(slot, why.message if why.code == "timeout" else "")


def _silent(slot: str, connection: Connection) -> HeroError:
    pid = connection.peer.pid
    return HeroError(
        "timeout",
        f"The daemon of {slot}'s slot (pid {pid}) hangs: no answer for {PATIENCE_SECONDS:g} s. "
        "Once it is ended, it is started again.",
    )


async def _tell(slot: str, connection: Connection, method: str, params: dict[str, Any]) -> None:
    try:
        await connection.call(method, params, timeout=NEWS_SECONDS)
    except HeroError as error:
        log.info("%s's slot did not take %s: %s", slot, method, error.message)
