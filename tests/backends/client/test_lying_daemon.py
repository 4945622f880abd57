"""A daemon that answers nonsense: whoever asked gets a sentence, and the line to the box begins again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from backends.client import live
from backends.client.fleet import PAGE, whole_fleet
from backends.client.follow import follow_logs
from backends.client.live import LiveBox
from backends.client.locate import Where
from backends.client.log_place import log_paths
from backends.model.box_calls import SnapshotParams
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.slot_calls import LogsParams
from backends.model.state import Event, FleetSnapshot, SlotStatus
from backends.rpc import pulse
from backends.rpc.connection import connect

DEADLINE = 20.0
TIME = "2026-11-20T10:00:00Z"
FLEET = {"box": "demo", "seq": 7, "trunk": "development", "time": TIME}
EVENT = {"seq": 8, "time": TIME, "box": "demo", "slot": "mik", "kind": "slot.removed"}

Answer = Callable[[str, dict[str, Any]], bytes]


def told(method: str, params: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode() + b"\n"


@asynccontextmanager
async def daemon(path: Path, answer: Callable[[str, dict[str, Any]], Any]) -> AsyncIterator[None]:
    """Answers each call with what `answer` makes of it; bytes are sent as they are."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked = json.loads(line)
            if "id" not in asked or "method" not in asked:
                continue
            result = answer(asked["method"], asked["params"])
            lines = result if isinstance(result, list) else [result]
            for one in lines:
                reply = {"jsonrpc": "2.0", "id": asked["id"], "result": one}
                writer.write(one if isinstance(one, bytes) else json.dumps(reply).encode() + b"\n")
        writer.close()

    path.parent.mkdir(parents=True, exist_ok=True)
    async with await asyncio.start_unix_server(serve, path):
        yield


async def test_a_log_in_another_versions_words_breaks_with_a_sentence(short_dir: Path) -> None:
    async with daemon(short_dir / "rpc.sock", lambda method, params: {"rows": []}):
        connection = await connect(short_dir / "rpc.sock")
        async with asyncio.timeout(DEADLINE):
            with pytest.raises(HeroError, match="another version"):
                await anext(follow_logs(connection, "slot.logs", LogsParams()))
        await connection.close()


async def test_an_event_that_cannot_be_read_is_not_asked_for_again(short_dir: Path) -> None:
    """The box would tell it again at each connection, and the cockpit would never get past it."""
    box = BoxPaths(short_dir)
    asked: list[str] = []
    states: list[tuple[str, str]] = []
    read: list[Event] = []
    again = asyncio.Event()

    def answer(method: str, params: dict[str, Any]) -> Any:
        asked.append(f"{method} {params.get('after', '')}".strip())
        if method == "fleet.snapshot":
            return FLEET | {"seq": 6 + asked.count("fleet.snapshot")}
        bad = told("event", EVENT | {"colour": "green"})
        return [{"seq": 8}, told("event", EVENT | {"seq": 8}), bad] if len(asked) == 2 else {"seq": 8}

    def on_event(event: Event) -> None:
        read.append(event)

    def on_state(state: str, why: str) -> None:
        states.append((state, why))
        if [one for one, _ in states].count("online") == 2:
            again.set()

    line = LiveBox(Where(box), on_state=on_state, on_snapshot=lambda _: None, on_event=on_event)
    async with daemon(box.rpc_socket, answer):
        running = asyncio.create_task(line.run())
        async with asyncio.timeout(DEADLINE):
            await again.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await line.close()
    assert [event.seq for event in read] == [8]
    assert "another version" in dict(states)["reconnecting"]
    assert asked == ["fleet.snapshot", "events.subscribe 7", "fleet.snapshot", "events.subscribe 8"]


@pytest.mark.parametrize("answers", [False, True], ids=["from the start", "once it had told the fleet"])
async def test_a_daemon_that_hangs_is_no_connection(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    monkeypatch.setattr(pulse, "PULSE_SECONDS", 0.01)
    monkeypatch.setattr(live, "PATIENCE_SECONDS", 0.05)
    box = BoxPaths(short_dir)
    states: list[tuple[str, str]] = []
    lost = asyncio.Event()
    hangs = not answers

    def answer(method: str, params: dict[str, Any]) -> Any:
        if hangs:
            return b""
        return FLEET if method == "fleet.snapshot" else {"seq": 7}

    def on_state(state: str, why: str) -> None:
        nonlocal hangs
        states.append((state, why))
        if state == "online":
            hangs = True
        elif state == "reconnecting" and hangs:
            lost.set()

    line = LiveBox(Where(box), on_state=on_state, on_snapshot=lambda _: None, on_event=lambda _: None)
    async with daemon(box.rpc_socket, answer):
        running = asyncio.create_task(line.run())
        async with asyncio.timeout(DEADLINE):
            await lost.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await line.close()
    seen = [state for state, _ in states]
    assert seen[0] == "connecting"
    assert ("online" in seen) == answers
    assert "has not answered for" in dict(states)["reconnecting"]


async def test_a_box_whose_pages_do_not_go_on_is_not_asked_for_ever() -> None:
    slots = tuple(SlotStatus.model_validate({"box": "b", "slot": "mik", "seen_at": TIME}) for _ in range(PAGE))
    page = FleetSnapshot.model_validate(FLEET | {"more": True}).model_copy(update={"slots": slots})

    async def ask(params: SnapshotParams) -> FleetSnapshot:
        return page

    with pytest.raises(HeroError, match="again and again"):
        await whole_fleet(ask)


@pytest.mark.parametrize("name", ["x" * 5000, "nul\0byte", "\udcff"])
def test_a_name_that_no_file_can_have_has_no_log(name: str, tmp_path: Path) -> None:
    box = BoxPaths(tmp_path)
    box.slot("alice").root.mkdir(parents=True)
    assert log_paths(Where(box, "alice"), "alice", "alice", (name,)) == {}
    assert log_paths(Where(box, "alice"), name, name, ("hero_db",)) == {}
