"""A box's end with a queue, and slots that answer `slot.build` over real connections as they are told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backends.box.links import Links
from backends.box.queue.queue import BuildQueue
from backends.database import Database
from backends.model.build_calls import BuildSubmitParams, BuildSubmitResult
from backends.model.errors import HeroError
from backends.model.state import Build
from backends.rpc.connection import Connection, connect
from backends.rpc.server import Server
from backends.rpc.wire import Request

SECONDS = 30.0
GIB = 1 << 30


@dataclass
class FakeSlot:
    """A slot that begins builds when it is asked, and ends each when the test says so; it knows builds by id."""

    name: str
    begun: list[str] = field(default_factory=list)
    ends: dict[str, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    known: dict[str, dict[str, Any]] = field(default_factory=dict)
    news: list[Build] = field(default_factory=list)
    connection: Connection | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, connection: Connection, request: Request) -> Any:
        if request.method == "build.changed":
            self.news.append(Build.model_validate(request.params["build"]))
            return {}
        if request.method == "slot.build_stop":
            self.end(request.params["build_id"], "cancelled")
            return {}
        build = request.params["build"]
        return await self._build(build)

    async def _build(self, build: dict[str, Any]) -> dict[str, Any]:
        number = build["id"]
        if number in self.known:
            return self.known[number]
        if number not in self.ends:
            self.begun.append(number)
            self.ends[number] = asyncio.get_running_loop().create_future()
        self.asked.set()
        changes = await asyncio.shield(self.ends[number])
        self.known[number] = {**build, **changes}
        return self.known[number]

    def end(self, build: str, state: str = "succeeded", **more: Any) -> None:
        if not self.ends[build].done():
            self.ends[build].set_result({"state": state, "attempt": 1, **more})

    async def leave(self) -> None:
        if self.connection:
            await self.connection.close()
            self.connection = None


class Yard:
    """The queue in `folder`, made again by `restart`, and the slots that are connected to it."""

    def __init__(self, folder: Path, *, at_once: int = 2, memory: int = 8 * GIB):
        self.folder = folder
        self.at_once = at_once
        self.memory = memory
        self.told: list[Build] = []
        self.slots: dict[str, FakeSlot] = {}

    async def start(self) -> None:
        self.database = Database(self.folder / "box.sqlite")
        self.links = Links(lambda slot, _: self.queue.slot_lost(slot))
        self.queue = BuildQueue(
            self.database, self.links, at_once=self.at_once, memory=lambda: self.memory, tell=self.told.append
        )
        await self.queue.open()  # before anybody can ask it, as the box does
        self.server = Server(self.folder / "rpc.sock", self._attach)
        await self.server.start()

    async def stop(self) -> None:
        await self.queue.close()
        await self.links.close()
        await self.server.close(grace=0)
        await self.database.close()

    async def restart(self) -> None:
        await self.stop()
        await self.start()
        for slot in self.slots.values():
            await slot.leave()
            await self.connect(slot)

    async def _attach(self, connection: Connection, request: Request) -> Any:
        self.links.attach(request.params["slot"], connection)
        self.queue.slot_connected(request.params["slot"])
        return {}

    async def slot(self, name: str) -> FakeSlot:
        self.slots[name] = slot = FakeSlot(name)
        await self.connect(slot)
        return slot

    async def connect(self, slot: FakeSlot) -> None:
        slot.connection = await connect(self.folder / "rpc.sock", slot.answer)
        await slot.connection.call("hello", {"slot": slot.name})

    async def submit(self, slot: str, service: str = "hero_web", **more: Any) -> BuildSubmitResult:
        asked = {"repo": "lhumina_code/x", "branch": "development", **more}
        return await self.queue.submit(BuildSubmitParams(user=slot, service=service, **asked), "alice")

    async def until(self, build: str, state: str) -> Build:
        async with asyncio.timeout(SECONDS):
            while True:
                with contextlib.suppress(HeroError):
                    found = await self.queue.get(build)
                    if found.state == state:
                        return found
                await asyncio.sleep(0.005)

    async def until_told(self, *states: str) -> None:
        """Wait until the box told of builds in these states, in this order; it tells after it has kept them."""
        async with asyncio.timeout(SECONDS):
            while [one.state for one in self.told] != list(states):
                await asyncio.sleep(0.005)

    async def until_begun(self, slot: FakeSlot, build: str) -> None:
        async with asyncio.timeout(SECONDS):
            while build not in slot.begun:
                slot.asked.clear()
                await slot.asked.wait()


@contextlib.asynccontextmanager
async def yard(folder: Path, **options: Any) -> AsyncIterator[Yard]:
    """A started one, stopped at the end."""
    made = Yard(folder, **options)
    await made.start()
    try:
        yield made
    finally:
        for slot in made.slots.values():
            await slot.leave()
        await made.stop()
