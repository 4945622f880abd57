"""A stream ends in one of three ways, and says which: closed here, lost there, fallen behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from backends.rpc.subscription import Subscription
from backends.rpc.wire import Request
from tests.backends.rpc.conftest import Dial, Serve


async def stream(connection: Connection, request: Request) -> Any:
    for seq in range(request.params["count"]):
        connection.notify("event", {"seq": seq})
    connection.notify("other", {})


async def test_every_event_comes_once_and_in_order(serve: Serve, dial: Dial) -> None:
    connection = await dial(await serve(stream))
    async with asyncio.timeout(20), Subscription(connection) as events:
        await connection.call("stream", {"count": 500})
        found = [await anext(events) for _ in range(500)]
    assert [event["seq"] for event in found] == list(range(500))


async def test_what_had_arrived_comes_before_the_connections_end(serve: Serve, dial: Dial) -> None:
    server = await serve(stream)
    connection = await dial(server)
    events = Subscription(connection)
    await connection.call("stream", {"count": 2})
    await server.close(reason="Bye.")
    await connection.wait_lost()
    found = []
    with pytest.raises(HeroError) as caught:
        async for event in events:
            found.append(event["seq"])
    assert found == [0, 1]
    assert (caught.value.code, caught.value.message) == ("unreachable", "Bye.")


async def test_one_who_fell_behind_is_told_to_take_a_snapshot(serve: Serve, dial: Dial) -> None:
    connection = await dial(await serve(stream))
    events = Subscription(connection, limit=10)
    await connection.call("stream", {"count": 11})
    with pytest.raises(HeroError) as caught:
        await anext(events)
    assert caught.value.code == "snapshot_needed"
    assert await connection.call("stream", {"count": 0}) is None


async def test_closing_ends_the_iteration_of_one_who_waits(serve: Serve, dial: Dial) -> None:
    connection = await dial(await serve(stream))
    events = Subscription(connection)

    async def collect() -> list[dict[str, Any]]:
        return [event async for event in events]

    waiting = asyncio.create_task(collect())
    await connection.call("stream", {"count": 0})
    events.close()
    async with asyncio.timeout(20):
        assert await waiting == []


async def test_a_subscription_to_a_lost_connection_ends_at_once(serve: Serve, dial: Dial) -> None:
    connection = await dial(await serve(stream))
    await connection.close()
    with pytest.raises(HeroError):
        await anext(Subscription(connection))
