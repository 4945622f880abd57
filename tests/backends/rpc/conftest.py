"""A short directory for sockets, and servers and connections that are closed when the test ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from backends.rpc.connection import Connection, Dispatch, connect
from backends.rpc.server import Server

Serve = Callable[..., Awaitable[Server]]
Dial = Callable[..., Awaitable[Connection]]


@pytest.fixture
async def cleanup() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def serve(short_dir: Path, cleanup: AsyncExitStack) -> Serve:
    async def start(dispatch: Dispatch, *, name: str = "rpc.sock", **more: Any) -> Server:
        server = Server(short_dir / name, dispatch, **more)
        await server.start()
        cleanup.push_async_callback(server.close, grace=0)
        return server

    return start


@pytest.fixture
def dial(cleanup: AsyncExitStack) -> Dial:
    async def start(server: Server, dispatch: Dispatch | None = None, **more: Any) -> Connection:
        connection = await connect(server.path, dispatch, **more)
        cleanup.push_async_callback(connection.close)
        return connection

    return start
