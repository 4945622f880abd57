"""A whole edge on a real UNIX socket, and somebody who calls it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from backends.box.edge.absent import Known
from backends.box.edge.edge import Asks, Edge
from backends.box.edge.inbox import Backoff, Inbox, Look
from backends.box.edge.numbers import Numbers
from backends.box.edge.receive import Receiver
from backends.database import Database
from backends.forge.folder import FolderForge
from tests.backends.box.edge.deliveries import REPO, TEAM_REPO, headers

SECONDS = 30.0


class Served:
    """An edge that follows two repositories. `looks` is what it asked for; `gate` holds that back while closed,
    `known` is who runs what."""

    def __init__(self, folder: Path, known: Callable[[], Known] = lambda: Known("dev")):
        self.socket = folder / "http.sock"
        self.looks: asyncio.Queue[Look] = asyncio.Queue()
        self.gate = asyncio.Event()
        self.gate.set()
        self.is_open = True
        self.troubles: list[str] = []
        self.numbers = Numbers()
        self.database = Database(folder / "var" / "events.sqlite")
        follows = {REPO, TEAM_REPO}.__contains__
        asks = Asks(follows, self.look, lambda: self.numbers, self._open, self._problems, known)
        self.edge = Edge("dev", self.database, FolderForge(folder / "forge"), folder / "secrets" / "key", asks)
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket), limits=httpx.Limits(max_connections=64))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=SECONDS)

    async def look(self, look: Look) -> None:
        await self.gate.wait()
        self.looks.put_nowait(look)

    def secret(self, repo: str = REPO) -> str:
        return self.edge.secrets.secret(repo, 1)

    async def send(self, content: bytes, *, repo: str = REPO, **more: str) -> httpx.Response:
        """Post a delivery, rightly signed unless `more` headers say otherwise."""
        sent = headers(self.secret(repo), content) | more
        return await self.client.post("/hooks/forge", content=content, headers=sent)

    async def looked(self) -> Look:
        """The next thing that the edge asks to look at."""
        async with asyncio.timeout(SECONDS):
            return await self.looks.get()

    def count(self, outcome: str) -> int:
        return self.edge.receiver.counts[outcome]

    def _open(self) -> bool:
        return self.is_open

    def _problems(self) -> tuple[str, ...]:
        return (*self.troubles, *self.edge.problems)


async def idle(inbox: Inbox) -> None:
    """Wait until nothing waits in `inbox` any more."""
    async with asyncio.timeout(SECONDS):
        while inbox.depth:
            await asyncio.sleep(0.005)


def quick(served: Served) -> None:
    """Have a slow sender be refused soon, and a failing repository be tried again soon."""
    edge = served.edge
    edge.inbox = Inbox(served.database, served.look, backoff=Backoff(0.01, 0.05))
    edge.receiver = Receiver(edge.secrets, edge.inbox, {REPO, TEAM_REPO}.__contains__, body_seconds=0.2)


@pytest.fixture
async def served(short_dir: Path) -> AsyncIterator[Served]:
    found = Served(short_dir)
    quick(found)
    await found.edge.open()
    await found.edge.listen(found.socket, "127.0.0.1:0")
    assert not found.edge.problems
    yield found
    await found.client.aclose()
    found.gate.set()
    await found.edge.close()
    await found.database.close()
