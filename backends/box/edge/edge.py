"""The box's HTTP edge whole: its parts made, opened and closed in the order in which they need one another."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.box.edge import health
from backends.box.edge.absent import Known
from backends.box.edge.health import Health
from backends.box.edge.hooks import Hooks
from backends.box.edge.inbox import Inbox, Look
from backends.box.edge.numbers import Numbers
from backends.box.edge.receive import Receiver
from backends.box.edge.secrets import HookSecrets
from backends.box.edge.serve import HttpEdge, parse_listen
from backends.database import Database
from backends.forge.base import Forge
from backends.model.errors import HeroError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asks:
    """What the edge asks of the box: whether it follows a repository, to look at a branch again, its numbers,
    whether it is open, what is wrong with it, and who runs what."""

    follows: Callable[[str], bool]
    look: Callable[[Look], Awaitable[None]]
    numbers: Callable[[], Numbers]
    is_open: Callable[[], bool]
    problems: Callable[[], Sequence[str]]
    known: Callable[[], Known] = lambda: Known("this box")


class Edge:
    """`receiver` takes webhooks however they come, `hooks` looks after those on the forge.

    To be made before the database's first use; then `open`, `listen`, and at the end `close`.
    """

    def __init__(self, box: str, database: Database, forge: Forge, key_file: Path, asks: Asks):
        self._box = box
        self._database = database
        self._asks = asks
        self.secrets = HookSecrets(database, key_file)
        self.inbox = Inbox(database, asks.look)
        self.receiver = Receiver(self.secrets, self.inbox, asks.follows)
        self.hooks = Hooks(forge, self.secrets, database, self.inbox)
        self._http: HttpEdge | None = None
        self._troubles: list[str] = []

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person should know of the edge."""
        return (*self._troubles, *self.inbox.problems)

    async def open(self) -> None:
        """Handle what was taken before, and take webhooks. Without a key the box goes on, and tells so; raises
        HeroError only for the database."""
        try:
            await self.secrets.open()
        except HeroError as error:
            self._trouble(error)
        await self.inbox.open()

    async def listen(self, path: Path, listen: str, *, group: int | None = None) -> None:
        """Serve at the socket `path`, which the gid `group` may use, and at `listen` of box.toml.

        What cannot be served is told as a problem.
        """
        try:
            address = parse_listen(listen)
        except HeroError as error:
            self._trouble(error)
            address = None
        edge = HttpEdge(path, self._app, address=address, group=group)
        try:
            await edge.start()
        except HeroError as error:
            self._trouble(error)
            return
        self._http = edge
        log.info("the HTTP side serves %s%s", path, f" and {edge.address}" if edge.address else "")

    async def close(self) -> None:
        """Take no more, then let go of what is being handled; it is begun again after the next start."""
        if self._http is not None:
            await self._http.close()
        await self.inbox.close()

    def _app(self) -> Any:
        """Called in a thread: these imports take longer than the rest of the daemon's start."""
        from backends.box.edge.app import make_app
        from backends.box.edge.metrics import Metrics

        metrics = Metrics(self._box, self._asks.numbers, lambda: self.receiver.counts, lambda: self.inbox.depth)
        return make_app(self.receiver, metrics, self._health, self._asks.known)

    async def _health(self) -> Health:
        return await health.look(self._box, self._database, self._asks.is_open, self._asks.problems)

    def _trouble(self, error: HeroError) -> None:
        log.error("%s", error)
        self._troubles.append(error.message)
