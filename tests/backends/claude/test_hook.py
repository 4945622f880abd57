"""The hook tells the slot and prints its answer; with the slot away it keeps what happened and holds nobody up."""

from __future__ import annotations

import asyncio
import json
import shlex
import stat
from pathlib import Path
from typing import Any

import pytest

from backends.claude.settings import STATUS_LINE, hook_command
from backends.claude.spool import forget, read_spool
from backends.model.errors import HeroError
from backends.rpc.wire import encode_failure
from tests.backends.claude.slots import SmallSlot, small_slot

PAYLOAD: dict[str, Any] = {"session_id": "7d4f", "hook_event_name": "Stop", "last_assistant_message": "done"}


async def begun(slot: SmallSlot, spool: Path, event: str) -> asyncio.subprocess.Process:
    spool.mkdir(exist_ok=True)
    words = shlex.split(hook_command("3", slot.socket, spool, event))[1:]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe)


async def told(slot: SmallSlot, spool: Path, event: str, payload: bytes | None = None) -> str:
    """What the hook prints for `event`; that it ended well and quietly is seen to."""
    process = await begun(slot, spool, event)
    said, errors = await process.communicate(json.dumps(PAYLOAD).encode() if payload is None else payload)
    assert (process.returncode, errors) == (0, b"")
    return said.decode()


async def test_the_slot_hears_and_its_answer_is_printed(short_dir: Path) -> None:
    async with small_slot(short_dir) as slot:
        slot.prints["Stop"] = '{"decision": "block", "reason": "Grüße"}'
        assert json.loads(await told(slot, short_dir / "spool", "Stop"))["reason"] == "Grüße"
        (heard,) = slot.hooks
    assert (heard.agent, heard.event, heard.payload) == ("3", "Stop", PAYLOAD)
    assert read_spool(short_dir / "spool") == []


@pytest.mark.parametrize("event", ["PreToolUse", "Stop", "PermissionRequest", "SessionEnd"])
async def test_with_the_slot_away_what_happened_is_kept_and_nobody_waits(short_dir: Path, event: str) -> None:
    slot = SmallSlot(short_dir / "rpc.sock")
    assert await told(slot, short_dir / "spool", event) == ""
    (kept,) = read_spool(short_dir / "spool")
    assert (kept.event, kept.payload) == (event, PAYLOAD)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    forget(kept.path)
    assert read_spool(short_dir / "spool") == []


async def test_what_is_kept_comes_back_in_its_order(short_dir: Path) -> None:
    slot = SmallSlot(short_dir / "rpc.sock")
    events = ["UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"]
    for event in events:
        await told(slot, short_dir / "spool", event)
    assert [one.event for one in read_spool(short_dir / "spool")] == events


@pytest.mark.parametrize(
    "last_words", [b"", encode_failure(1, HeroError("unreachable", "The daemon is stopping."))]
)
@pytest.mark.parametrize("event", ["PermissionRequest", "Stop"])
async def test_who_waits_for_an_answer_asks_the_daemons_successor(
    short_dir: Path, event: str, last_words: bytes
) -> None:
    taken = asyncio.Event()

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        taken.set()
        writer.write(last_words)
        await writer.drain()
        writer.close()

    slot = SmallSlot(short_dir / "rpc.sock")
    async with await asyncio.start_unix_server(end, slot.socket):
        process = await begun(slot, short_dir / "spool", event)
        answer = asyncio.create_task(process.communicate(json.dumps(PAYLOAD).encode()))
        await taken.wait()
    slot.socket.unlink(missing_ok=True)
    slot.prints[event] = "from the second"
    await slot.start()
    said, _ = await answer
    await slot.stop()
    assert (process.returncode, said) == (0, b"from the second\n")
    assert read_spool(short_dir / "spool") == []


async def test_a_slot_that_refuses_is_no_fault_of_the_session(short_dir: Path) -> None:
    async with small_slot(short_dir) as slot:
        slot.prints["Stop"] = HeroError("not_found", "There is no agent called '3'.")
        assert await told(slot, short_dir / "spool", "Stop") == ""
    assert read_spool(short_dir / "spool") == []


GARBAGE = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[1, 2]",
    "no text": b"\xff\xfe\x00",
    "half": b"{",
    "too deep": b"[" * 200_000,
    "deep": b'{"a":' * 900 + b"1" + b"}" * 900,
}


@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE)
async def test_garbage_reaches_the_slot_as_an_object(short_dir: Path, content: bytes) -> None:
    async with small_slot(short_dir) as slot:
        await told(slot, short_dir / "spool", "PreToolUse", content)
        assert slot.events == ["PreToolUse"]


async def test_a_long_text_is_cut_and_broken_characters_are_mended(short_dir: Path) -> None:
    payload = {"tool_response": {"stdout": "x" * 3_000_000}, "prompt": "\ud800 ok"}
    async with small_slot(short_dir) as slot:
        await told(slot, short_dir / "spool", "PostToolUse", json.dumps(payload).encode())
        heard = slot.hooks[0].payload
    assert len(heard["tool_response"]["stdout"]) < 70_000
    assert heard["tool_response"]["stdout"].endswith("characters more)")
    assert heard["prompt"] == "? ok"


async def test_the_status_line_is_short_and_told_but_never_kept(short_dir: Path) -> None:
    payload = {
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "effort": {"level": "low"},
        "cost": {"total_cost_usd": 0.4249},
        "context_window": {"used_percentage": 12},
    }
    content = json.dumps(payload).encode()
    async with small_slot(short_dir) as slot:
        said = await told(slot, short_dir / "spool", STATUS_LINE, content)
        assert slot.hooks[0].payload == payload
    assert said == "Opus 5.5 · low · 12 % of context · $0.42\n"
    assert await told(slot, short_dir / "spool", STATUS_LINE, content) == said
    assert await told(slot, short_dir / "spool", STATUS_LINE, b'{"model": 5, "cost": []}') == ""
    assert read_spool(short_dir / "spool") == []


async def test_without_its_spool_it_ends_well_all_the_same(short_dir: Path) -> None:
    slot = SmallSlot(short_dir / "rpc.sock")
    words = shlex.split(hook_command("3", slot.socket, short_dir / "nowhere", "Stop"))[1:]
    process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0


def test_a_spool_that_somebody_wrote_into_does_no_harm(tmp_path: Path) -> None:
    name = f"{5:020d}-7.json"
    (tmp_path / "secret").write_text('{"event": "Stop", "payload": {}}')
    (tmp_path / name).symlink_to(tmp_path / "secret")
    broken = (b"{}", b"[", b'{"event": 5, "payload": {}}', b'{"event": "x", "payload": []}')
    for number, content in enumerate(broken):
        (tmp_path / f"{number:020d}-1.json").write_bytes(content)
    assert read_spool(tmp_path) == []
    assert (tmp_path / "secret").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert read_spool(tmp_path / "nowhere") == []
