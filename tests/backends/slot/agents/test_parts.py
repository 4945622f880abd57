"""The smaller parts: what is kept of hooks, what is told to the box, what a record survives."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.agent_calls import AgentAnswerParams, AgentStartParams
from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.slot.agents import shelf
from backends.slot.agents.dialogs import Dialogs, waiting_of
from backends.slot.agents.lines import TEXT_LIMIT, Entry, entry_of, last_line
from backends.slot.agents.log import SIZE_LIMIT, AgentLog, read_log
from backends.slot.agents.making import new_record, warnings
from backends.slot.agents.places import Place
from backends.slot.agents.record import Queued, make_folder, read_record, write_record
from backends.slot.agents.session import Session
from backends.slot.agents.shelf import Shelf
from backends.slot.agents.speaking import typed_text
from backends.slot.agents.telling import Teller

MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
PLACE = Place(Path("/w"), "web", "org/web", "development")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
EVENTS = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PostToolUseFailure", "Stop", "Other")
NAMES = ("tool_name", "tool_input", "tool_response", "prompt", "last_assistant_message", "error", "source")


@given(st.sampled_from(EVENTS), st.dictionaries(st.sampled_from(NAMES), anything, max_size=4))
def test_no_payload_breaks_the_log_or_a_terminal(event: str, payload: dict[str, Any]) -> None:
    entry = entry_of(event, payload)
    assert entry is None or ("\x1b" not in entry.text and len(entry.text) <= TEXT_LIMIT)


@given(st.dictionaries(st.sampled_from(["tool_name", "tool_input"]), anything))
def test_no_payload_breaks_a_dialog(payload: dict[str, Any]) -> None:
    waiting = waiting_of("1", payload, MOMENT)
    assert len(waiting.options) <= 10


def test_the_last_line_is_the_last_that_says_anything() -> None:
    assert last_line("one\n  two \n\n \n") == "two"
    assert last_line("") == ""
    assert last_line("\x1b]0;title\x07\x1b[31mred") == "red"


def test_a_log_is_read_from_its_end_and_goes_on_counting(tmp_path: Path) -> None:
    log = AgentLog(tmp_path)
    log.add([Entry("prompt", f"line {number}") for number in range(20)], MOMENT)
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write(b'{"half of a li')
    again = AgentLog(tmp_path)
    again.add([Entry("end", "")], MOMENT)
    assert [line.number for line in read_log(tmp_path, 18, 100)] == [19, 20]
    assert [line.text for line in read_log(tmp_path, 0, 2)] == ["line 18", "line 19"]
    assert read_log(tmp_path / "nowhere", 0, 10) == []


def test_a_log_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.slot.agents.log.SIZE_LIMIT", 10_000)
    log = AgentLog(tmp_path)
    for _ in range(200):
        log.add([Entry("answer", "x" * 100)], MOMENT)
    assert (tmp_path / "log.jsonl").stat().st_size < 11_000 < SIZE_LIMIT
    assert [line.number for line in read_log(tmp_path, 0, 5)] == [196, 197, 198, 199, 200]


def record(id: str = "1", **more: Any) -> Any:
    return new_record(id, "alice", AgentStartParams(prompt="Do it\nnow", **more), PLACE, "opus", MOMENT)


def test_a_record_survives_its_file_and_garbage_is_no_record(tmp_path: Path) -> None:
    kept = record(loop=3, until="make")
    write_record(tmp_path, kept, durable=True)
    assert read_record(tmp_path) == kept
    assert (tmp_path / "record.json").stat().st_mode & 0o77 == 0
    (tmp_path / "record.json").write_text("{")
    assert read_record(tmp_path) is None


async def test_a_record_that_is_being_written_does_not_come_over_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly(folder: Path, kept: Any, *, durable: bool) -> None:
        if not begun.is_set():
            begun.set()
            assert go_on.wait(20)
        write_record(folder, kept, durable=durable)

    monkeypatch.setattr("backends.slot.agents.session.write_record", slowly)
    session = Session(tmp_path, record(), lambda _: None, lambda _, __: None)
    older = asyncio.create_task(session.save())
    await asyncio.to_thread(begun.wait, 20)
    session.change(last_line="newer")
    newer = asyncio.create_task(session.save())
    await asyncio.wait([newer], timeout=0.1)
    go_on.set()
    await asyncio.gather(older, newer)
    assert read_record(tmp_path) == session.record


def test_numbers_rise_and_are_never_given_twice(tmp_path: Path) -> None:
    agents = tmp_path / "agents"
    assert [make_folder(agents)[0] for _ in range(3)] == ["1", "2", "3"]
    (agents / "1").rmdir()
    (agents / "not-a-number").mkdir()
    assert make_folder(agents)[0] == "4"
    assert agents.stat().st_mode & 0o77 == 0


def test_what_ended_long_ago_goes_but_never_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "KEPT", 2)
    for number in range(1, 6):
        _, folder = make_folder(tmp_path)
        ended = MOMENT - timedelta(days=1) if number != 3 else None
        made = record(str(number))
        agent = made.agent.model_copy(update={"ended_at": ended})
        write_record(folder, made.model_copy(update={"agent": agent, "wanted": ended is None}), durable=False)
    monkeypatch.setattr(shelf, "now", lambda: MOMENT)
    found = Shelf(tmp_path, lambda _: None).records()
    assert [folder.name for folder, _ in found] == ["3", "4", "5"]


def test_agents_in_one_folder_are_warned_of() -> None:
    one = record().agent
    assert "Agent 1 (starting) works in the same folder, /w" in warnings(PLACE, [one])[0]
    assert warnings(Place(Path("/other")), [one]) == ()


@pytest.mark.parametrize("text", ["/exit", "!rm -rf /", "#remember", "exit", " /clear"])
def test_what_is_typed_is_a_prompt_and_nothing_else(text: str) -> None:
    assert typed_text([Queued(text=text, kind="prompt")]).startswith("Task: ")


def test_what_others_say_cannot_have_files_read() -> None:
    assert "@/etc" not in typed_text([Queued(text="look at @/etc/passwd", id="q1")])
    assert "@/etc/passwd" in typed_text([Queued(text="look at @/etc/passwd", kind="prompt")])


async def test_a_message_is_put_in_line_once_however_often_it_comes(tmp_path: Path) -> None:
    session = Session(tmp_path, record(), lambda _: None, lambda _, __: None)
    for _ in range(2):
        session.put(Queued(text="hello", id="q1"), Queued(text="you", id="q2"))
    assert session.agent.pending == 2
    assert typed_text(session.record.queue) == "hello\n\nyou"
    session.said(session.record.queue)
    session.put(Queued(text="hello", id="q1"))
    assert session.agent.pending == 0


async def test_a_dialog_is_answered_once() -> None:
    dialogs = Dialogs()
    payload = {"tool_name": "Bash", "tool_input": {"command": "ls"}}
    one = dialogs.open(waiting_of("s-1", payload, MOMENT), {})
    allow = AgentAnswerParams(agent="1", waiting="s-1", choice="allow")
    dialogs.answer(allow)
    assert '"behavior": "allow"' in one.answer.result()
    with pytest.raises(HeroError) as over:
        dialogs.answer(allow)
    assert over.value.code == "conflict"
    with pytest.raises(HeroError, match="not open"):
        dialogs.answer(allow.model_copy(update={"waiting": "s-2"}))


async def test_an_option_that_there_is_not_is_refused_and_the_dialog_stays() -> None:
    dialogs = Dialogs()
    given = {"questions": [{"question": "Which?", "options": [{"label": "A"}, {"label": "B"}]}]}
    dialogs.open(waiting_of("s-1", {"tool_name": "AskUserQuestion", "tool_input": given}, MOMENT), given)
    asked = AgentAnswerParams(agent="1", waiting="s-1", choice="option", option=3)
    with pytest.raises(HeroError) as wrong:
        dialogs.answer(asked)
    assert wrong.value.code == "usage"
    dialogs.answer(asked.model_copy(update={"option": 2, "text": "but blue"}))


async def test_a_change_of_state_is_told_at_once_and_numbers_now_and_then() -> None:
    one: Agent = record().agent
    told: list[Agent] = []
    teller = Teller(told.append, pause=0.5)
    teller.changed(one)
    for cost in range(1, 50):
        teller.changed(one.model_copy(update={"cost": float(cost)}))
    assert len(told) == 1
    teller.changed(one.model_copy(update={"cost": 49.0, "state": "working"}))
    assert [one.state for one in told] == ["starting", "working"]
    teller.changed(one.model_copy(update={"cost": 50.0, "state": "working"}))
    async with asyncio.timeout(30):
        while len(told) < 3:
            await asyncio.sleep(0.01)
    assert told[-1].cost == 50.0
    teller.close()
