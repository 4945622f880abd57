"""The slots' connections to the box: one that is lost is told, and one whose daemon hangs is let go of."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from backends.box import links
from backends.box.links import Links
from backends.rpc import pulse
from backends.rpc.connection import Connection, Dispatch
from backends.rpc.dispatcher import PING
from backends.rpc.wire import Request
from tests.backends.rpc.conftest import Dial, Serve, cleanup, dial, serve

__all__ = ["cleanup", "dial", "serve"]

DEADLINE = 20.0


class Box:
    """A server that takes everybody who calls for alice's slot."""

    def __init__(self) -> None:
        self.lost: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.links = Links(lambda slot, hangs: self.lost.put_nowait((slot, hangs)))

    async def answer(self, connection: Connection, request: Request) -> Any:
        self.links.attach("alice", connection)
        return {}

    async def told(self) -> tuple[str, str]:
        async with asyncio.timeout(DEADLINE):
            return await self.lost.get()


async def attached(box: Box, serve: Serve, dial: Dial, dispatch: Dispatch | None = None) -> Connection:
    connection = await dial(await serve(box.answer), dispatch)
    await connection.call("slot.report")
    return connection


async def test_a_daemon_that_goes_is_told_without_a_word_of_hanging(serve: Serve, dial: Dial) -> None:
    box = Box()
    connection = await attached(box, serve, dial)
    await connection.close()
    assert await box.told() == ("alice", "")
    assert box.links.get("alice") is None


async def test_a_daemon_that_hangs_is_let_go_of_and_named(
    serve: Serve, dial: Dial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "PULSE_SECONDS", 0.01)
    monkeypatch.setattr(links, "PATIENCE_SECONDS", 0.05)

    async def hang(connection: Connection, request: Request) -> Any:
        await asyncio.Event().wait()

    box = Box()
    connection = await attached(box, serve, dial, hang)
    slot, hangs = await box.told()
    assert slot == "alice"
    assert f"alice's slot (pid {os.getpid()}) hangs" in hangs
    assert box.links.get("alice") is None
    assert "hangs" in (await connection.wait_lost()).message


async def test_a_daemon_that_answers_is_kept(serve: Serve, dial: Dial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "PULSE_SECONDS", 0.01)
    asked = asyncio.Semaphore(0)

    async def answer(connection: Connection, request: Request) -> Any:
        assert request.method == PING
        asked.release()
        return {}

    box = Box()
    await attached(box, serve, dial, answer)
    async with asyncio.timeout(DEADLINE):
        for _ in range(3):
            await asked.acquire()
    assert box.links.get("alice") is not None
    assert box.lost.empty()
