"""Sessions of the real `claude` in real tmux windows, against the stand-in for the Messages API."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.backends.slot.agents.desks import SECRET, Desk, desk, real
from tests.messages_api.server import MessagesApi, Reply

pytestmark = [pytest.mark.timeout(180), pytest.mark.slow]


@pytest.fixture
async def api() -> AsyncIterator[MessagesApi]:
    with MessagesApi() as served:
        yield served


@pytest.fixture
async def alice(api: MessagesApi, claude_program: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setenv("HERO_CLAUDE", str(claude_program))
    async with desk(real, api.url) as made:
        yield made


def write(path: Path) -> Reply:
    return Reply(tool=("Write", {"file_path": str(path), "content": "hi\n"}))


async def test_a_prompt_of_any_kind_is_answered_on_the_right_credential(alice: Desk, api: MessagesApi) -> None:
    said = "first 'line' \"quoted\"; $(touch pwned) `id`\nsecond #{pane_id}\x1b[201~\x03\x9b31m end"
    api.script(Reply(text="Some words.\n\nAll done."))
    id = await alice.start(said, effort="low")
    agent = await alice.answered(id, "All done.")
    asked = api.messages[0]
    assert asked.credential == ("x-api-key", SECRET)
    assert asked.body["output_config"]["effort"] == "low"
    assert "$(touch pwned) `id`" in str(asked.body["messages"])
    assert not list(alice.place.glob("pwned"))
    assert agent.turns == 1
    await alice.until(lambda: alice.agent(id).cost > 0, "cost")
    pid = alice.agent(id).pid
    environment = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
    assert SECRET.encode() not in environment
    assert b"touch pwned" not in environment
    kept = [path for path in alice.bench.root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]


async def test_a_permission_is_asked_for_given_and_refused_from_afar(alice: Desk, api: MessagesApi) -> None:
    yes, no = alice.place / "yes.txt", alice.place / "no.txt"
    api.script(write(yes), Reply(text="written"), write(no), Reply(text="then not"))
    id = await alice.start("write")
    waiting = await alice.waiting(id, "permission")
    assert waiting.text == f"Write: {yes}"
    await alice.call("agent.answer", agent=id, waiting=waiting.id, choice="allow")
    await alice.answered(id, "written")
    assert yes.read_text() == "hi\n"
    await alice.call("agent.send", agent=id, text="and again")
    again = await alice.waiting(id, "permission")
    assert again.id != waiting.id
    await alice.call("agent.answer", agent=id, waiting=again.id, choice="deny", text="Not there.")
    await alice.answered(id, "then not")
    assert not no.exists()
    assert "Not there." in str(api.messages[-1].body["messages"])
    assert [one[:2] for one in alice.box.settled] == [(waiting.id, True), (again.id, True)]


async def test_a_question_is_answered_from_afar(alice: Desk, api: MessagesApi) -> None:
    options = [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]
    question = {"question": "Which colour?", "header": "Colour", "multiSelect": False, "options": options}
    api.script(Reply(tool=("AskUserQuestion", {"questions": [question]})), Reply(text="Blue then"))
    id = await alice.start("paint")
    waiting = await alice.waiting(id, "question")
    assert waiting.options == ("Red", "Blue")
    await alice.call("agent.answer", agent=id, waiting=waiting.id, choice="option", option=2)
    await alice.answered(id, "Blue then")
    results = [part for part in _parts(api) if part.get("type") == "tool_result"]
    assert "Blue" in str(results[-1]["content"])


def _parts(api: MessagesApi) -> list[dict[str, Any]]:
    contents = [message["content"] for message in api.messages[-1].body["messages"]]
    return [part for content in contents if isinstance(content, list) for part in content]


async def test_a_dialog_that_is_left_with_escape_is_over_everywhere(alice: Desk, api: MessagesApi) -> None:
    api.script(write(alice.place / "x"))
    id = await alice.start("write")
    waiting = await alice.waiting(id, "permission")
    # The program takes no key in the first moments of a dialog.
    for _ in range(50):
        await alice.call("agent.command", agent=id, command="interrupt")
        await asyncio.sleep(0.2)
        if alice.agent(id).says == "idle: done":
            break
    await alice.says(id, "idle: done")
    await alice.until(lambda: alice.box.settled)
    assert alice.box.settled == [(waiting.id, True, "in the terminal")]


async def test_escape_ends_a_turn_of_which_no_hook_tells(alice: Desk, api: MessagesApi) -> None:
    api.script(Reply(hangs=True))
    id = await alice.start("work")
    await alice.says(id, "working")
    await asyncio.to_thread(api.wait, 1)
    await alice.call("agent.command", agent=id, command="interrupt")
    await alice.says(id, "idle: done")


async def test_what_is_said_while_it_works_begins_no_run_of_its_own(alice: Desk, api: MessagesApi) -> None:
    gate = threading.Event()
    api.script(Reply(text="first", gate=gate), Reply(text="both heard"))
    id = await alice.start("work")
    await asyncio.to_thread(api.wait, 1)
    for text in ("one", "two"):
        await alice.call("agent.send", agent=id, text=text)
    gate.set()
    await alice.answered(id, "both heard")
    assert len(api.messages) == 2
    said = [message for message in api.messages[-1].body["messages"] if message["role"] == "user"]
    assert "one\\n\\ntwo" in str(said[-1])


async def test_a_restart_and_a_reboot_lose_no_conversation(alice: Desk, api: MessagesApi) -> None:
    id = await alice.start("remember 4711")
    await alice.answered(id, "STUB-OK")
    await alice.down()
    await alice.up()
    assert alice.agent(id).says == "idle: done"
    await alice.down()
    alice.kill_tmux()
    alice.boot = "boot-2"
    await alice.up()
    await alice.says(id, "idle: done")
    api.script(Reply(text="it was 4711"))
    await alice.call("agent.send", agent=id, text="what was it?")
    await alice.answered(id, "it was 4711")
    assert "remember 4711" in str(api.messages[-1].body["messages"])


async def test_a_loop_of_three_runs(alice: Desk, api: MessagesApi) -> None:
    api.script(Reply(text="one"), Reply(text="two"), Reply(text="three\n\nLOOP: done"))
    id = await alice.start("improve", loop=5)
    await alice.until(lambda: len(alice.agent(id).iterations) == 3 and alice.agent(id).says == "idle: done")
    assert [one.outcome for one in alice.agent(id).iterations] == ["again", "again", "done"]
    assert len(api.messages) == 3


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply(status=403), "error: auth"),
        (Reply(status=529), "error: overloaded"),
    ],
)
async def test_an_error_of_the_api_is_told_and_gone_on_from(
    alice: Desk, api: MessagesApi, reply: Reply, says: str
) -> None:
    api.default = reply
    id = await alice.start("work")
    agent = await alice.says(id, says)
    assert agent.detail
    api.default = Reply(text="better")
    await alice.call("agent.send", agent=id, text="again")
    await alice.answered(id, "better")


async def test_a_killed_program_can_be_gone_on_with(alice: Desk, api: MessagesApi) -> None:
    id = await alice.start("work")
    agent = await alice.answered(id, "STUB-OK")
    assert agent.pid
    os.kill(agent.pid, 9)
    await alice.says(id, "error: crashed")
    await alice.call("agent.resume", agent=id)
    await alice.call("agent.send", agent=id, text="again")
    await alice.until(lambda: len(api.messages) == 2)
    assert (await alice.call("agent.stop", agent=id))["state"] == "gone"


async def test_a_new_conversation_is_the_one_that_is_gone_on_with(alice: Desk, api: MessagesApi) -> None:
    id = await alice.start("the old one")
    before = await alice.answered(id, "STUB-OK")
    await alice.call("agent.command", agent=id, command="clear")
    await alice.until(lambda: alice.agent(id).session != before.session, "another conversation")
    api.default = Reply(text="new")
    await alice.call("agent.send", agent=id, text="the new one")
    await alice.answered(id, "new")
    assert "the old one" not in str(api.messages[-1].body["messages"])
    await alice.call("agent.stop", agent=id)
    await alice.call("agent.resume", agent=id)
    api.default = Reply(text="gone on")
    await alice.call("agent.send", agent=id, text="and on")
    await alice.answered(id, "gone on")
    assert "the new one" in str(api.messages[-1].body["messages"])


async def test_a_megabyte_arrives_whole(alice: Desk, api: MessagesApi) -> None:
    id = await alice.start("a" * 1_000_000 + " END")
    await alice.answered(id, "STUB-OK")
    assert api.messages[0].size > 1_000_000
    assert " END" in str(api.messages[0].body["messages"])
