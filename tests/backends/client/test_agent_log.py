"""An agent's log over a real socket: what there is, what comes, and the stream's end at the daemon."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from backends.client.agent_log import follow_agent_log
from backends.model.agent_calls import PeekAgentLogParams
from backends.model.errors import HeroError
from backends.rpc.connection import Connection, connect
from backends.rpc.server import Server
from backends.rpc.wire import Request

PARAMS = PeekAgentLogParams(user="mik", agent="3", limit=10)


def line(number: int) -> dict[str, Any]:
    return {"number": number, "time": "2026-11-20T10:00:00Z", "kind": "answer", "text": f"line {number}"}


class Box:
    """Answers peek.agent_log with two lines and, by notifications, with more."""

    def __init__(self, notes: list[dict[str, Any]]) -> None:
        self.notes = notes
        self.asked: list[dict[str, Any]] = []
        self.stopped: list[str] = []

    async def __call__(self, connection: Connection, request: Request) -> Any:
        if request.method == "logs.stop":
            self.stopped.append(request.params["stream"])
            return {}
        self.asked.append(request.params)
        for note in self.notes:
            connection.notify("agent_log", note)
        return {"lines": [line(1), line(2)], "stream": "s-1"}


async def followed(short_dir: Path, box: Box, until: int) -> list[int]:
    server = Server(short_dir / "rpc.sock", box)
    await server.start()
    connection = await connect(server.path)
    told: list[int] = []
    try:
        async with asyncio.timeout(20), aclosing(follow_agent_log(connection, PARAMS)) as batches:
            async for batch in batches:
                told += [one.number for one in batch]
                if until in told:
                    break
    finally:
        await connection.close()
        await server.close(grace=0)
    return told


async def test_what_there_is_then_what_comes_and_the_stream_is_ended(short_dir: Path) -> None:
    notes = [{"stream": "another", "lines": [line(9)]}, {"stream": "s-1", "lines": [line(3), line(4)]}]
    box = Box(notes)
    assert await followed(short_dir, box, 4) == [1, 2, 3, 4]
    assert box.asked == [{"user": "mik", "agent": "3", "after": 0, "limit": 10, "follow": True}]
    assert box.stopped == ["s-1"]


async def test_a_stream_that_breaks_says_why(short_dir: Path) -> None:
    box = Box([{"stream": "s-1", "lines": [], "error": "The slot of mik has gone."}])
    with pytest.raises(HeroError, match="The slot of mik has gone"):
        await followed(short_dir, box, 99)


async def test_another_versions_words_are_told_as_that(short_dir: Path) -> None:
    box = Box([{"stream": "s-1", "lines": [{"no": "line"}]}])
    with pytest.raises(HeroError, match="another version"):
        await followed(short_dir, box, 99)
