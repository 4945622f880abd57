"""The hooks that wait here for an answer, so that they can be let go of before this daemon ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from backends.model.errors import HeroError
from backends.rpc.connection import Connection


class HeldHooks:
    """Connections of hooks that are being answered."""

    def __init__(self) -> None:
        self._held: set[Connection] = set()

    @contextmanager
    def holding(self, connection: Connection) -> Iterator[None]:
        """While a hook is answered over `connection`."""
        self._held.add(connection)
        try:
            yield
        finally:
            self._held.discard(connection)

    def hang_up(self) -> None:
        """Let go of all: they ask the next daemon, and what is open in their windows stays open."""
        for connection in tuple(self._held):
            connection.drop(HeroError("busy", "The slot's daemon is being restarted."), tell=False)
