"""A slot's daemon is killed while agents wait for a person: what can be answered still is, nothing else stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from backends.claude.one_call import Refused, ask
from backends.claude.seed import Planted
from backends.claude.status_file import sessions_folder, start_time
from backends.client.blocking import call_box
from backends.slot.agents.record import read_record, write_record
from tests.acceptance.small_box import DEADLINE, SmallBox, small_box
from tests.hero_tui.mcp_server.real_box import is_linked, living_agent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Hook(threading.Thread):
    """A PermissionRequest hook of agent 3: its call waits for the answer, as the program's own does."""

    def __init__(self, box: SmallBox, command: str, patience: float = 0.0):
        super().__init__(daemon=True)
        self.box = box
        self.command = command
        self.patience = patience
        self.said: str | None = None
        self.start()

    def run(self) -> None:
        payload = {"tool_name": "Bash", "tool_input": {"command": self.command}}
        told = {"agent": "3", "event": "PermissionRequest", "payload": payload}
        try:
            self.said = ask(
                str(self.box.slot.rpc_socket), "agent.hook", told, seconds=DEADLINE, patience=self.patience
            )["output"]
        except (OSError, Refused):
            return


@pytest.fixture
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        yield made


@pytest.fixture
def program(box: SmallBox) -> Iterator[subprocess.Popen[bytes]]:
    with living_agent(box) as living:
        says(box, living, "waiting")
        box.start_slotd()
        call_box(box.where, "box.status")
        box.until(lambda: is_linked(box), "the slot's link to the box")
        yield living


def says(box: SmallBox, program: subprocess.Popen[bytes], doing: str) -> None:
    """What the program's own status file tells."""
    file = sessions_folder(Planted(box.slot.agents / "3").config) / f"{program.pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    told = {"pid": program.pid, "sessionId": "s", "procStart": start_time(program.pid), "status": doing}
    file.with_suffix(".new").write_text(json.dumps(told | {"waitingFor": "permission prompt"}))
    file.with_suffix(".new").rename(file)


def inbox(box: SmallBox, *, ended: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = call_box(box.where, "question.list", {"user": "alice", "ended": ended})["items"]
    return [one for one in found if one["kind"] == "permission"]


def opened(box: SmallBox, *commands: str) -> list[Hook]:
    """Dialogs, open in the window and in the inbox."""
    hooks = [Hook(box, command) for command in commands]
    box.until(lambda: len(inbox(box)) == len(commands), "the dialogs")
    return hooks


def killed(box: SmallBox, hooks: list[Hook], *, forget: bool = False) -> None:
    """The daemon is gone, and its hooks know; the box's is held, so that none comes back before it may.

    `forget`: it had closed all dialogs on its own disk, and not told the box.
    """
    box_pid = call_box(box.where, "box.status")["pid"]
    os.kill(box_pid, signal.SIGSTOP)
    try:
        os.kill(box.daemons[-1].pid, signal.SIGKILL)
        box.daemons[-1].wait(DEADLINE)
        for hook in hooks:
            hook.join(DEADLINE)
        if forget:
            folder = box.slot.agents / "3"
            record = read_record(folder)
            assert record
            assert record.standing
            write_record(folder, record.model_copy(update={"standing": ()}), durable=True)
    finally:
        os.kill(box_pid, signal.SIGCONT)


def test_a_dialog_whose_hook_comes_back_is_answered_and_others_are_told_to_be_over(
    box: SmallBox, program: subprocess.Popen[bytes]
) -> None:
    hooks = opened(box, "make", "make test", "make install")
    killed(box, hooks)
    again = Hook(box, "make test", patience=DEADLINE)
    box.until(lambda: len(inbox(box)) == 1, "an end of those whose hooks stay away")
    (item,) = inbox(box)
    assert item["text"] == "Bash: make test"
    over = [one for one in inbox(box, ended=True) if one["state"] != "open"]
    assert {one["state"] for one in over} == {"cancelled"}
    assert all("can only be answered in its window" in one["problem"] for one in over)
    call_box(box.where, "question.answer", {"user": "alice", "id": item["id"], "choice": 1})
    again.join(DEADLINE)
    assert json.loads(again.said or "{}")["hookSpecificOutput"]["decision"] == {"behavior": "allow"}
    box.until(lambda: not inbox(box), "an empty inbox")


def test_a_dialog_that_was_answered_in_its_window_meanwhile_is_over_at_once(
    box: SmallBox, program: subprocess.Popen[bytes]
) -> None:
    hooks = opened(box, "make", "make test")
    killed(box, hooks)
    says(box, program, "busy")
    box.until(lambda: not inbox(box), "an empty inbox")
    assert [(one["state"], one["answer"]) for one in inbox(box, ended=True)] == [
        ("answered", "in the terminal"),
        ("answered", "in the terminal"),
    ]


def test_what_an_agent_asked_that_died_meanwhile_is_over(box: SmallBox, program: subprocess.Popen[bytes]) -> None:
    hooks = opened(box, "make")
    killed(box, hooks)
    program.kill()
    program.wait()
    box.until(lambda: not inbox(box), "an empty inbox")
    assert [one["problem"] for one in inbox(box, ended=True)] == ["The agent has ended."]


def test_an_end_that_the_killed_daemon_did_not_tell_is_found_out(
    box: SmallBox, program: subprocess.Popen[bytes]
) -> None:
    hooks = opened(box, "make")
    (item,) = inbox(box)
    killed(box, hooks, forget=True)
    box.until(lambda: not inbox(box), "an empty inbox")
    (over,) = inbox(box, ended=True)
    assert (over["id"], over["state"]) == (item["id"], "cancelled")
    assert "was away" in over["problem"]
