"""The connections that the slots' daemons hold to the box, over which the box calls them back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from backends.model.errors import HeroError
from backends.rpc.connection import Connection

log = logging.getLogger(__name__)

NEWS_SECONDS = 10.0


class Links:
    """At most one connection a slot: the newest that told the slot's whole state. `on_lost` gets its slot."""

    def __init__(self, on_lost: Callable[[str], None]):
        self._on_lost = on_lost
        self._links: dict[str, Connection] = {}
        self._calls: set[asyncio.Task[None]] = set()

    def attach(self, slot: str, connection: Connection) -> None:
        """`connection` speaks for `slot` from now on."""
        if self._links.get(slot) is connection:
            return
        self._links[slot] = connection
        connection.when_lost(lambda _: self._lost(slot, connection))

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

    def _lost(self, slot: str, connection: Connection) -> None:
        if self._links.get(slot) is connection:
            del self._links[slot]
            self._on_lost(slot)


async def _tell(slot: str, connection: Connection, method: str, params: dict[str, Any]) -> None:
    try:
        await connection.call(method, params, timeout=NEWS_SECONDS)
    except HeroError as error:
        log.info("%s's slot did not take %s: %s", slot, method, error.message)
