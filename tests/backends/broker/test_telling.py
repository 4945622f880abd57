"""What the broker was asked for reaches the box's daemon, now or when it is there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic import Field

from backends.broker.telling import CALL, BoxTeller
from backends.model.frozen import Frozen
from backends.model.method import Empty, Method
from backends.rpc.dispatcher import Call, Dispatcher
from backends.rpc.server import Server


class Audited(Frozen):
    lines: tuple[dict[str, Any], ...] = Field(max_length=100)


async def listening(path: Path, heard: asyncio.Queue[dict[str, Any]]) -> Server:
    async def take(_: Call, params: Audited) -> Empty:
        for line in params.lines:
            heard.put_nowait(line)
        return Empty()

    dispatcher = Dispatcher("box", "1")
    dispatcher.register(Method(CALL, "box", Audited, Empty, "", True), take)
    server = Server(path, dispatcher)
    await server.start()
    return server


async def test_lines_wait_for_the_box_and_come_in_their_order(short_dir: Path) -> None:
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    teller = BoxTeller(short_dir / "rpc.sock", retry=0.02)
    for number in range(250):
        teller.tell({"number": number})
    await asyncio.sleep(0)
    server = await listening(short_dir / "rpc.sock", heard)
    got = [(await asyncio.wait_for(heard.get(), 30))["number"] for _ in range(250)]
    assert got == list(range(250))
    teller.tell({"number": 250})
    assert (await asyncio.wait_for(heard.get(), 30))["number"] == 250
    await teller.close()
    await server.close()


async def test_a_box_that_does_not_know_the_call_is_not_told_for_ever(short_dir: Path) -> None:
    server = Server(short_dir / "rpc.sock", Dispatcher("box", "1"))
    await server.start()
    teller = BoxTeller(short_dir / "rpc.sock")
    teller.tell({"number": 1})
    assert teller._task
    await asyncio.wait_for(teller._task, 30)
    await teller.close()
    await server.close()


async def test_an_end_waits_for_no_box(short_dir: Path) -> None:
    teller = BoxTeller(short_dir / "rpc.sock")
    teller.tell({"number": 1})
    await asyncio.sleep(0)
    await asyncio.wait_for(teller.close(), 30)
