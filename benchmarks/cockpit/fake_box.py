"""A box's daemon of make-believe: any number of slots and services over the real protocol, changed on command.

`python -m benchmarks.cockpit.fake_box DIR --slots N --services N`; once it prints `ready`, it takes lines:
`cells N` changes N cells that a screen shows, `breaks N` breaks or mends them, `rate N` changes that many anywhere
every second, `cadence HZ N` N cells on the screen so many times a second, `agents N` that many agents a second,
`lines N` writes log lines, `quiet` ends all that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backends.model.agents import Agent
from backends.model.paths import BoxPaths
from backends.model.state import Event, ServiceStatus

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
ON_SCREEN = (14, 8)
"""Slots and services that every terminal of the benchmarks shows."""
AGENTS = 40
_WELL = ("healthy", "starting", "stopped")
_BROKEN = ("crashed", "healthy", "unhealthy", "stopped")


def user(number: int) -> str:
    """The name of a slot."""
    return f"user{number:04d}"


def service(number: int) -> str:
    """The name of a service."""
    return f"svc{number:02d}"


def status(slot: int, place: int, health: str = "") -> dict[str, Any]:
    """One cell; a few of them are broken. Fields that say nothing are left out, as a line has an end."""
    build = (place * 7919 + slot % 5) & 0xFFFFFFFF
    branch = "development" if (slot + place) % 3 else f"development_{user(slot)}"
    health = health or ("healthy" if (slot * 50 + place) % 97 else "crashed")
    return {
        "service": service(place),
        "repo": f"team/{service(place)}",
        "branch": branch,
        "from": "release",
        "hash": f"{build:08x}" * 5,
        "tag": f"{branch}-{build:08x}",
        "installed_at": "2026-11-20T09:00:00Z",
        "drift": "current",
        "health": health,
        "pid": 1000 + slot * 50 + place,
        "since": f"2026-11-20T09:{place:02d}:{slot % 60:02d}Z",
    }


def agent(number: int, slots: int, turns: int = 0) -> dict[str, Any]:
    """One session."""
    states = ("working", "idle", "working", "starting")
    made = Agent(
        id=str(1 + number // slots),
        slot=user(number % slots),
        session=f"{number:08d}-0000-4000-8000-000000000000",
        title=f"Task {number}: weigh the routes of a canary",
        state=states[turns % 4],
        since=NOW,
        started_at=NOW,
        model="claude-opus-5-5",
        credential="org-key-2",
        service=service(0),
        branch="development",
        cost=turns / 100,
        turns=turns,
        last_line=f"Step {turns} of many, and the tests run.",
    )
    return made.model_dump(mode="json")


class FakeBox:
    """Answers what a cockpit asks, and tells changes."""

    def __init__(self, slots: int, services: int):
        self.slots, self.services = slots, services
        self._random = random.Random(7)
        self._seq = 1
        self._subscribed: set[asyncio.StreamWriter] = set()
        self._streams: dict[str, asyncio.StreamWriter] = {}
        self._flows: set[asyncio.Task[None]] = set()
        self._turns = self._lines = 0
        self._changed: dict[tuple[int, int], str] = {}

    def snapshot(self, after: str = "", limit: int | None = None) -> dict[str, Any]:
        """The whole fleet, or a page of it."""
        first = int(after.removeprefix("user")) + 1 if after else 0
        last = self.slots if limit is None else min(self.slots, first + limit)
        agents = [agent(number, self.slots) for number in range(AGENTS)]
        head = {"box": "bench", "seen_at": "2026-11-20T10:00:00Z", "role": "developer"}
        every = [
            {
                **head,
                "slot": user(slot),
                "services": [
                    status(slot, place, self._changed.get((slot, place), "")) for place in range(self.services)
                ],
                "agents": [one for one in agents if one["slot"] == user(slot)],
            }
            for slot in range(first, last)
        ]
        catalogue = [{"name": service(place), "repo": f"team/{service(place)}"} for place in range(self.services)]
        top = {"box": "bench", "seq": self._seq, "trunk": "development", "time": "2026-11-20T10:00:00Z"}
        return {**top, "catalogue": catalogue, "slots": every, "more": last < self.slots}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while line := await reader.readline():
                asked = json.loads(line)
                if "id" in asked:
                    result = self._answer(writer, asked["method"], asked.get("params", {}))
                    writer.write(_line({"jsonrpc": "2.0", "id": asked["id"], "result": result}))
                    await writer.drain()
        finally:
            self._subscribed.discard(writer)
            writer.close()

    def _answer(self, writer: asyncio.StreamWriter, method: str, params: dict[str, Any]) -> Any:
        match method:
            case "fleet.snapshot":
                return self.snapshot(params.get("after", ""), params.get("limit"))
            case "events.subscribe":
                self._subscribed.add(writer)
                return {"seq": self._seq}
            case "build.list":
                return {"builds": []}
            case "question.list":
                return {"items": []}
            case "peek.logs":
                stream = f"s{len(self._streams)}"
                self._streams[stream] = writer
                return {"lines": [self._log_line() for _ in range(params.get("lines", 100))], "stream": stream}
            case "peek.agent_log":
                return {"lines": [], "stream": "agents"}
            case "rpc.ping":
                return {"pid": 1, "version": "0", "name": "hero_boxd"}
        return {}

    def _log_line(self) -> dict[str, Any]:
        self._lines += 1
        text = f"2026-11-20T10:00:00.{self._lines % 1000:03d}Z INFO request {self._lines} answered in 3 ms"
        return {"source": service(0), "time": 1_795_000_000 + self._lines / 1000, "text": text}

    def cells(self, count: int, near: bool = True, healths: tuple[str, ...] = _WELL) -> None:
        """Change so many cells, each another; `near` ones are on the screen."""
        rows, columns = (min(ON_SCREEN[0], self.slots), min(ON_SCREEN[1], self.services))
        if not near:
            rows, columns = self.slots, self.services
        for place in self._random.sample(range(rows * columns), min(count, rows * columns)):
            slot, column = divmod(place, columns)
            self._seq += 1
            before = self._changed.get((slot, column), "")
            health = self._changed[slot, column] = self._random.choice([one for one in healths if one != before])
            data = status(slot, column, health)
            whole = ServiceStatus.model_validate(data).model_dump(mode="json", by_alias=True)
            self._tell("service.changed", slot, service(column), whole)

    def agents(self, count: int) -> None:
        """Change so many agents."""
        for _ in range(count):
            self._turns += 1
            self._seq += 1
            told = agent(self._turns % AGENTS, self.slots, self._turns)
            self._tell("agent.changed", (self._turns % AGENTS) % self.slots, told["id"], told)

    def lines(self, count: int) -> None:
        """Write so many log lines."""
        for stream, writer in self._streams.items():
            lines = [self._log_line() for _ in range(count)]
            note = {"jsonrpc": "2.0", "method": "log", "params": {"stream": stream, "lines": lines}}
            writer.write(_line(note))

    def _tell(self, kind: str, slot: int, subject: str, data: dict[str, Any]) -> None:
        event = Event(seq=self._seq, time=NOW, box="bench", slot=user(slot), kind=kind, subject=subject, data=data)
        note = {"jsonrpc": "2.0", "method": "event", "params": event.model_dump(mode="json", by_alias=True)}
        line = _line(note)
        for writer in self._subscribed:
            writer.write(line)

    def command(self, words: list[str]) -> None:
        """One line of the command language."""
        name, *numbers = words
        values = [int(number) for number in numbers]
        match name:
            case "cells":
                self.cells(values[0])
            case "breaks":
                self.cells(values[0], healths=_BROKEN)
            case "rate":
                self._flow(values[0], lambda count: self.cells(count, near=False))
            case "cadence":
                self._flow(values[0], lambda count: self.cells(values[1]), most=1)
            case "agents":
                self._flow(values[0], self.agents)
            case "lines":
                self._flow(values[0], self.lines)
            case "quiet":
                for flow in self._flows:
                    flow.cancel()
                self._flows.clear()

    def _flow(self, rate: int, deed: Callable[[int], None], most: int = 1_000_000) -> None:
        self._flows.add(asyncio.create_task(_flowing(rate, deed, most)))


async def _flowing(rate: int, deed: Callable[[int], None], most: int) -> None:
    """Time that is lost is made up for, as by a real box."""
    began, done = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - began) * rate) - done
        if due > 0:
            done += due
            deed(min(due, most))
        await asyncio.sleep(max(0.005, 1 / rate))


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


async def _run(folder: Path, slots: int, services: int) -> None:
    paths, box = BoxPaths(folder), FakeBox(slots, services)
    paths.config.write_text('name = "bench"\n')
    paths.rpc_socket.parent.mkdir(parents=True, exist_ok=True)
    paths.slot(user(0)).root.mkdir(parents=True, exist_ok=True)
    server = await asyncio.start_unix_server(box.serve, paths.rpc_socket, limit=1 << 22)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print("ready", flush=True)
    async with server:
        while line := await reader.readline():
            box.command(line.decode().split())


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--slots", type=int, default=10)
    parser.add_argument("--services", type=int, default=12)
    asked = parser.parse_args()
    asyncio.run(_run(asked.folder, asked.slots, asked.services))


if __name__ == "__main__":
    main()
