"""Listeners of the box's events: order, resumption, and one that does not read."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backends.box.eventlog import EventLog
from backends.box.subscribers import Subscribers
from backends.database import Database
from backends.model.box_calls import SubscribeParams, SubscribeResult
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.rpc.connection import Connection, connect
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server
from backends.rpc.subscription import Subscription
from tests.backends.box.events import audit, event

SECONDS = 30


@dataclass
class Hub:
    """A log and its listeners behind a socket."""

    log: EventLog
    subscribers: Subscribers
    path: Path
    connections: list[Connection]

    async def client(self) -> Connection:
        connection = await connect(self.path)
        self.connections.append(connection)
        return connection


@pytest.fixture
async def hub(short_dir: Path) -> AsyncIterator[Hub]:
    database = Database(short_dir / "events.sqlite")
    log = EventLog(database, lambda events: subscribers.publish(events))
    subscribers = Subscribers(log, waiting=20)
    await log.open()
    dispatcher = Dispatcher("hub", "1")

    async def subscribe(call: Call, params: SubscribeParams) -> SubscribeResult:
        return SubscribeResult(seq=await subscribers.subscribe(call.connection, params.after))

    dispatcher.register(BY_NAME["events.subscribe"], subscribe)
    server = Server(short_dir / "rpc.sock", dispatcher)
    await server.start()
    made = Hub(log, subscribers, server.path, [])
    yield made
    for connection in made.connections:
        await connection.close()
    await server.close(grace=0)
    await subscribers.close()
    await log.close()
    await database.close()


async def test_a_listener_gets_the_past_and_then_the_present_without_gap_or_repetition(hub: Hub) -> None:
    await hub.log.append([audit(str(n)) for n in range(500)])
    client = await hub.client()
    async with Subscription(client) as events:
        writing = asyncio.create_task(write(hub, 300))
        await client.call("events.subscribe", {"after": 100})
        assert await seqs(events, upto=1400) == list(range(101, 1401))
        await writing


async def test_without_a_number_only_what_comes_is_told(hub: Hub) -> None:
    await hub.log.append([audit("old")])
    client = await hub.client()
    async with Subscription(client) as events:
        assert await client.call("events.subscribe") == {"seq": 1}
        await hub.log.append([audit("new")])
        assert await seqs(events, upto=2) == [2]


async def test_two_listeners_each_get_their_own(hub: Hub) -> None:
    await hub.log.append([audit(str(n)) for n in range(10)])
    first, second = await hub.client(), await hub.client()
    async with Subscription(first) as one, Subscription(second) as two:
        await first.call("events.subscribe", {"after": 0})
        await second.call("events.subscribe", {"after": 8})
        assert await seqs(one, upto=10) == list(range(1, 11))
        assert await seqs(two, upto=10) == [9, 10]


async def test_a_second_subscription_takes_the_place_of_the_first(hub: Hub) -> None:
    client = await hub.client()
    async with Subscription(client) as events:
        await client.call("events.subscribe")
        await client.call("events.subscribe")
        assert len(hub.subscribers) == 1
        await hub.log.append([audit("a"), audit("b")])
        assert await seqs(events, upto=2) == [1, 2]


async def test_a_number_that_was_never_given_needs_a_snapshot_and_makes_no_listener(hub: Hub) -> None:
    client = await hub.client()
    with pytest.raises(HeroError) as caught:
        await client.call("events.subscribe", {"after": 7})
    assert caught.value.code == "snapshot_needed"
    assert len(hub.subscribers) == 0


async def test_a_listener_that_leaves_is_forgotten(hub: Hub) -> None:
    client = await hub.client()
    await client.call("events.subscribe")
    await client.close()
    async with asyncio.timeout(SECONDS):
        while len(hub.subscribers):
            await asyncio.sleep(0)


async def test_a_listener_that_does_not_read_slows_nobody_and_later_gets_the_newest_of_each_cell(hub: Hub) -> None:
    lazy = Lazy(hub.path)
    await lazy.begin()
    client = await hub.client()
    async with Subscription(client, limit=100_000) as events:
        await client.call("events.subscribe")
        text = "x" * 2000
        for n in range(1000):
            await hub.log.append([event(subject=f"web{n % 5}", n=n, text=text)])
        await hub.log.append([audit("the end")])
        assert await seqs(events, upto=1001) == list(range(1, 1002))
    told = await lazy.read_until("the end")
    numbers = [one["seq"] for one in told]
    assert numbers == sorted(set(numbers))
    assert len(numbers) < 1001
    newest = {one["subject"]: one["data"].get("n") for one in told}
    assert newest == {"web0": 995, "web1": 996, "web2": 997, "web3": 998, "web4": 999, "the end": None}
    lazy.close()


async def test_records_are_never_merged_even_for_a_listener_that_is_far_behind(hub: Hub) -> None:
    lazy = Lazy(hub.path)
    await lazy.begin()
    for n in range(600):
        await hub.log.append([event("audit.switch", f"a{n}", text="x" * 2000)])
    await hub.log.append([audit("the end")])
    assert [one["seq"] for one in await lazy.read_until("the end")] == list(range(1, 602))
    lazy.close()


async def test_progress_is_merged_and_never_replayed(hub: Hub) -> None:
    client = await hub.client()
    async with Subscription(client) as events:
        await client.call("events.subscribe")
        hub.subscribers.publish([event("operation.changed", "op", done=n) for n in range(100)])
        async with asyncio.timeout(SECONDS):
            async for params in events:
                if params["data"]["done"] == 99:
                    break
        assert params["seq"] == 0


class Lazy:
    """A client that reads nothing until it is told to."""

    def __init__(self, path: Path):
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._buffer = b""

    async def begin(self) -> None:
        await asyncio.to_thread(self._begin)

    async def read_until(self, subject: str) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._read_until, subject)

    def close(self) -> None:
        self._socket.close()

    def _begin(self) -> None:
        self._socket.settimeout(SECONDS)
        self._socket.connect(str(self._path))
        call = {"jsonrpc": "2.0", "id": 1, "method": "events.subscribe", "params": {"after": 0}}
        self._socket.sendall(json.dumps(call).encode() + b"\n")
        assert self._line()["result"] == {"seq": 0}

    def _read_until(self, subject: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while not found or found[-1]["subject"] != subject:
            found.append(self._line()["params"])
        return found

    def _line(self) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            data = self._socket.recv(1 << 20)
            assert data, "the box hung up"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found


async def write(hub: Hub, times: int) -> None:
    for n in range(times):
        await hub.log.append([audit(f"{n}"), audit(f"{n}"), audit(f"{n}")])


async def seqs(events: Subscription, upto: int) -> list[int]:
    """The numbers that arrive, up to `upto`."""
    found: list[int] = []
    async with asyncio.timeout(SECONDS):
        async for params in events:
            found.append(params["seq"])
            if found[-1] == upto:
                break
    return found
