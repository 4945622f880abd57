"""Agents of a whole box: an org key behind the broker, the real `claude`, every daemon killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backends.client.locate import Where
from tests.acceptance.agent_box import KEY, agent_box
from tests.acceptance.small_box import SmallBox
from tests.messages_api.server import MessagesApi, Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def api() -> Iterator[MessagesApi]:
    with MessagesApi() as served:
        yield served


@pytest.fixture
def box(
    api: MessagesApi, claude_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SmallBox]:
    monkeypatch.setenv("HERO_CLAUDE", str(claude_program))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE"))]:
        monkeypatch.delenv(name)
    with agent_box(api, tmp_path) as made:
        yield made


def hero(box: SmallBox, *words: str, user: str = "alice", fails: bool = False) -> Any:
    """The answer of `hero_dev --json`."""
    argv = [sys.executable, "-m", "hero_tui.cli", "--box", str(box.root), "--slot", user, "--json", *words]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return json.loads(done.stdout)


def agent(box: SmallBox, id: str) -> dict[str, Any]:
    found: dict[str, Any] = box.call("agent.get", {"agent": id})
    return found


def until(box: SmallBox, id: str, there: Callable[[dict[str, Any]], object]) -> None:
    """Wait until the agent is so; if it never is, say how it is."""
    try:
        box.until(lambda: there(agent(box, id)))
    except AssertionError:
        window = ["-t", agent(box, id)["window"]]
        shown = subprocess.run(
            ["tmux", "-S", str(box.slot.tmux_socket), "capture-pane", "-p", *window], capture_output=True
        )
        raise AssertionError(f"{agent(box, id)}\n{shown.stdout.decode()}") from None


def test_an_agent_works_waits_is_answered_and_outlives_every_daemon(box: SmallBox, api: MessagesApi) -> None:
    place = box.slot.src / "hero_web" / "development"
    api.script(
        Reply(text="Looked at it."),
        Reply(tool=("Write", {"file_path": str(place / "new.txt"), "content": "new\n"})),
        Reply(text="Written."),
    )
    started = hero(box, "agent", "--effort", "2", "--service", "hero_web", "look", "at", "it")["agent"]
    id = started["id"]
    assert started["worktree"] == str(place)
    until(box, id, lambda one: one["last_line"] == "Looked at it.")
    assert api.messages[0].key == KEY
    assert api.messages[0].body["output_config"]["effort"] == "medium"

    slots = hero(box, "agents", "--team", user="integration")["agents"]
    assert [(one["slot"], one["credential"]) for one in slots] == [("alice", "org-key-2")]
    peeked = _lines(box, "agent-log", f"alice/{id}", user="integration")
    assert "Looked at it." in [line["text"] for line in peeked]

    assert hero(box, "agent-send", id, "write it down")["state"] == "sent"
    until(box, id, lambda one: one["waiting"])
    asked = hero(box, "inbox")["items"]
    assert [item["text"] for item in asked] == [f"Write: {place / 'new.txt'}"]

    _restart_slotd(box)
    _restart_boxd(box)
    until(box, id, lambda one: one["waiting"] and one["state"] == "waiting")
    assert [item["id"] for item in hero(box, "inbox")["items"]] == [asked[0]["id"]]
    hero(box, "answer", asked[0]["id"], "1")
    until(box, id, lambda one: one["last_line"] == "Written.")
    assert (place / "new.txt").read_text() == "new\n"
    box.until(lambda: not hero(box, "inbox")["items"], "the dialog is settled")

    hero(box, "tell", f"alice/{id}", "well done", user="integration")
    box.until(lambda: "well done" in str(api.messages[-1].body["messages"][-2:]), "the message")
    assert hero(box, "agent-stop", id)["state"] == "gone"
    _nothing_has_the_key(box)
    audit = [event["kind"] for event in hero(box, "audit")["events"]]
    assert {"audit.agent.start", "audit.agent.send", "audit.agent.stop"} <= set(audit)


def test_nobody_pays_is_said_with_what_to_do(box: SmallBox) -> None:
    error = hero(box, "agent", "hello", user="integration", fails=True)["error"]
    assert "claude login" in error["hint"] + error["message"]
    assert not box.where.box.slot("integration").agents.exists()


def _lines(box: SmallBox, *words: str, user: str) -> list[dict[str, Any]]:
    argv = [sys.executable, "-m", "hero_tui.cli", "--box", str(box.root), "--slot", user, "--json", *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _restart_slotd(box: SmallBox) -> None:
    pid = box.call("rpc.ping")["pid"]
    os.kill(pid, signal.SIGKILL)
    box.until(lambda: box.call("rpc.ping")["pid"] != pid, "a new daemon of the slot")


def _restart_boxd(box: SmallBox) -> None:
    from backends.client.blocking import call_box

    pid = call_box(Where(box.where.box), "rpc.ping")["pid"]
    os.kill(pid, signal.SIGKILL)
    box.until(lambda: call_box(box.where, "rpc.ping")["pid"] != pid, "a new daemon of the box")


def _nothing_has_the_key(box: SmallBox) -> None:
    """But the broker's own store."""
    own = box.where.box.broker
    for path in box.root.rglob("*"):
        if path.is_file() and not path.is_symlink() and not path.is_relative_to(own):
            assert KEY.encode() not in path.read_bytes(), path
