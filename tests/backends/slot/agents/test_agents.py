"""What becomes of sessions, with a played program in real tmux windows behind a real socket."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.slot.agents.returning import bring_back
from backends.slot.agents.session import Session
from tests.backends.slot.agents.desks import SECRET, Desk, desk

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def alice() -> AsyncIterator[Desk]:
    async with desk() as made:
        yield made


async def test_a_prompt_is_typed_answered_and_logged(alice: Desk) -> None:
    id = await alice.start("hello there")
    agent = await alice.answered(id, "hello there")
    assert agent.credential == "org-key-2"
    assert [(line.kind, line.text) for line in alice.lines(id)][:3] == [
        ("start", "startup"),
        ("prompt", "hello there"),
        ("answer", "hello there"),
    ]
    assert alice.audited("start")[0]["asked"]["prompt"] == "hello there"
    assert alice.audited("start")[0]["actor"] == "alice"


async def test_what_is_said_while_it_works_is_told_together_at_the_end_of_its_turn(alice: Desk) -> None:
    gate = alice.bench.root / "gate"
    id = await alice.start(f"hold {gate}")
    await alice.says(id, "working")
    for text in ("one", "two"):
        assert (await alice.call("agent.send", agent=id, text=text))["state"] == "queued"
    assert alice.agent(id).pending == 2
    gate.touch()
    await alice.until(lambda: alice.agent(id).last_line == "two")
    assert [line.text for line in alice.lines(id) if line.kind == "answer"][-1] == "one\n\ntwo"
    await alice.says(id, "idle: done")
    assert alice.agent(id).pending == 0


async def test_what_is_in_line_survives_a_restart_of_the_daemon(alice: Desk) -> None:
    gate = alice.bench.root / "gate"
    id = await alice.start(f"hold {gate}")
    await alice.says(id, "working")
    await alice.call("agent.send", agent=id, text="after the restart")
    await alice.down()
    gate.touch()
    await asyncio.to_thread(_until_idle, alice, id)
    await alice.up()
    await alice.answered(id, "after the restart")


def _until_idle(alice: Desk, id: str) -> None:
    folder = alice.bench.slot.context.paths.agents / id / "spool"
    for _ in range(1000):
        if list(folder.glob("*.json")):
            return
        import time

        time.sleep(0.01)
    raise AssertionError("the hook left nothing in the spool")


async def test_a_dialog_is_told_to_the_box_and_answered_there(alice: Desk) -> None:
    id = await alice.start("ask rm -r build")
    waiting = await alice.waiting(id, "permission")
    assert waiting.text == "Bash: rm -r build"
    await alice.until(lambda: alice.box.asked)
    assert alice.box.asked == [waiting]
    await alice.call("agent.answer", agent=id, waiting=waiting.id, choice="allow")
    await alice.says(id, "idle: done")
    assert alice.box.settled == [(waiting.id, True, "")]
    assert json.loads(alice.agent(id).last_line) == {"behavior": "allow"}
    with pytest.raises(HeroError) as gone:
        await alice.call("agent.answer", agent=id, waiting=waiting.id, choice="deny")
    assert gone.value.code == "conflict"


async def test_a_dialog_keeps_its_id_over_a_restart_and_can_be_answered_after_it(alice: Desk) -> None:
    id = await alice.start("ask deploy")
    before = await alice.waiting(id, "permission")
    await alice.down()
    await alice.up()
    await alice.until(lambda: alice.agents.session(id).dialogs.holds(before.id))
    assert alice.box.settled == []
    await alice.call("agent.answer", agent=id, waiting=before.id, choice="deny", text="not today")
    await alice.says(id, "idle: done")
    assert json.loads(alice.agent(id).last_line) == {"behavior": "deny", "message": "not today"}


async def test_a_question_is_answered_by_option_or_in_words(alice: Desk) -> None:
    for params, answer in (({"option": 2}, "Blue"), ({"text": "Green"}, "Green")):
        id = await alice.start("question")
        waiting = await alice.waiting(id, "question")
        assert waiting.options == ("Red", "Blue")
        with pytest.raises(HeroError, match="allowing"):
            await alice.call("agent.answer", agent=id, waiting=waiting.id, choice="allow")
        await alice.call("agent.answer", agent=id, waiting=waiting.id, choice="option", **params)
        await alice.says(id, "idle: done")
        assert json.loads(_answer(alice, id))["updatedInput"]["answers"] == {"Which?": answer}


def _answer(alice: Desk, id: str) -> str:
    return [line.text for line in alice.lines(id) if line.kind == "answer"][-1]


async def test_a_killed_program_is_a_crash_and_can_be_gone_on_with(alice: Desk) -> None:
    id = await alice.start("hello")
    agent = await alice.answered(id, "hello")
    assert agent.pid
    os.kill(agent.pid, signal.SIGKILL)
    agent = await alice.says(id, "error: crashed")
    assert agent.detail in ("ended by SIGKILL", "ended by a signal")  # tmux misses some
    assert agent.ended_at
    assert alice.payers.released == [f"lease-alice/{id}"]
    await alice.call("agent.resume", agent=id)
    await alice.says(id, "idle: done")
    assert alice.box.fetched == [id]
    await alice.call("agent.send", agent=id, text="again")
    await alice.answered(id, "again")
    assert [line.text for line in alice.lines(id) if line.kind == "start"] == ["startup", "resume"]


async def test_what_an_ended_agent_left_running_is_ended_too(alice: Desk) -> None:
    id = await alice.start("child")
    await alice.says(id, "idle: done")
    child = int(alice.agent(id).last_line)
    agent = await alice.call("agent.stop", agent=id)
    assert agent["state"] == "gone"
    await alice.until(lambda: not _lives(child))
    assert alice.audited("stop")


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def test_a_working_agent_is_stopped(alice: Desk) -> None:
    id = await alice.start("hold /nowhere/at/all")
    await alice.says(id, "working")
    agent = await alice.call("agent.stop", agent=id)
    assert (agent["state"], agent["why"]) == ("gone", "")
    with pytest.raises(HeroError, match="has ended"):
        await alice.call("agent.send", agent=id, text="x")


async def test_the_end_of_the_tmux_server_is_told_as_that(alice: Desk) -> None:
    id = await alice.start("hello")
    await alice.answered(id, "hello")
    alice.kill_tmux()
    agent = await alice.says(id, "gone")
    assert "tmux server was ended" in agent.detail
    await alice.call("agent.resume", agent=id)
    await alice.says(id, "idle: done")


async def test_a_program_that_ends_while_nobody_looks_is_found_out(alice: Desk) -> None:
    id = await alice.start("hello")
    pid = (await alice.answered(id, "hello")).pid
    await alice.down()
    assert pid
    os.kill(pid, signal.SIGKILL)
    await alice.up()
    await alice.says(id, "error: crashed")


async def test_after_a_reboot_what_lived_is_brought_back_and_what_was_stopped_is_not(alice: Desk) -> None:
    lived = await alice.start("hello")
    await alice.answered(lived, "hello")
    stopped = await alice.start("bye", worktree=str(alice.place))
    await alice.answered(stopped, "bye")
    await alice.call("agent.stop", agent=stopped)
    await alice.down()
    alice.kill_tmux()
    alice.boot = "boot-2"
    await alice.up()
    await alice.says(lived, "idle: done")
    assert [line.text for line in alice.lines(lived) if line.kind == "start"] == ["startup", "resume"]
    assert alice.agent(stopped).state == "gone"


async def test_after_a_reboot_an_agent_comes_back_once_the_broker_is_there(alice: Desk) -> None:
    id = await alice.start("hello")
    await alice.answered(id, "hello")
    await alice.down()
    alice.kill_tmux()
    alice.boot = "boot-2"
    alice.payers.refuses = HeroError("unreachable", "The broker does not answer.")
    await alice.up()
    await alice.until(lambda: "broker does not answer" in alice.agent(id).detail)
    assert alice.agent(id).state == "gone"
    alice.payers.refuses = None
    await alice.says(id, "idle: done")


async def test_an_agent_that_is_stopped_while_the_broker_is_away_does_not_come_back(alice: Desk) -> None:
    id = await alice.start("hello")
    await alice.call("agent.stop", agent=id)
    session = alice.agents.session(id)
    session.keep(wanted=True)
    tried = []

    async def resume(session: Session) -> Agent:
        tried.append(session.id)
        session.keep(wanted=False)
        raise HeroError("unreachable", "The broker does not answer.")

    await bring_back(session, resume, pauses=(0.0, 0.0))
    assert tried == [id]


async def test_a_stopped_slot_brings_its_agents_back(alice: Desk) -> None:
    id = await alice.start("hello")
    await alice.answered(id, "hello")
    await alice.down(end=True)
    await alice.up()
    await alice.says(id, "idle: done")
    assert alice.agent(id).ended_at is None


async def test_a_loop_runs_until_its_command_succeeds(alice: Desk) -> None:
    id = await alice.start("count x", loop=5, until="test $(wc -l < count) -ge 3")
    await alice.until(lambda: not alice.agents.session(id).record.loop.going)  # type: ignore[union-attr]
    await alice.says(id, "idle: done")
    assert [one.outcome for one in alice.agent(id).iterations] == ["again", "again", "done"]
    assert (alice.place / "count").read_text().count("\n") == 3


async def test_a_loop_without_a_command_ends_by_the_agents_own_word(alice: Desk) -> None:
    id = await alice.start("count LOOP: done", loop=5)
    await alice.until(lambda: [one.outcome for one in alice.agent(id).iterations] == ["done"])


async def test_a_loop_ends_after_its_last_run(alice: Desk) -> None:
    id = await alice.start("count x", loop=2)
    await alice.until(lambda: [one.outcome for one in alice.agent(id).iterations] == ["again", "failed"])


async def test_a_loop_goes_on_after_a_reboot(alice: Desk) -> None:
    gate = alice.bench.root / "gate"
    id = await alice.start(f"hold {gate}", loop=3, until=f"test -e {gate}")
    await alice.says(id, "working")
    await alice.down()
    alice.kill_tmux()
    alice.boot = "boot-2"
    await alice.up()
    await alice.says(id, "working")
    gate.touch()
    await alice.until(lambda: [one.outcome for one in alice.agent(id).iterations] == ["again", "done"])


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("authentication_failed", "error: auth"),
        ("rate_limit", "error: rate limit"),
        ("overloaded", "error: overloaded"),
        ("unknown", "error"),
    ],
)
async def test_a_turn_that_fails_says_why(alice: Desk, error: str, says: str) -> None:
    id = await alice.start(f"fail {error}")
    agent = await alice.says(id, says)
    assert agent.detail.startswith("no.")
    assert ("hero_dev agent-send" in agent.detail) == (error != "unknown")
    await alice.call("agent.send", agent=id, text="better now")
    await alice.answered(id, "better now")


async def test_a_failure_that_is_told_late_is_never_taken_for_an_end_or_an_interruption(alice: Desk) -> None:
    id = await alice.start("late overloaded", loop=3)
    await alice.says(id, "error: overloaded")
    assert "idle: done" not in [one.says for one in alice.told]
    assert [one.outcome for one in alice.agent(id).iterations] == ["failed"]


async def test_a_second_agent_in_a_folder_is_warned_of(alice: Desk) -> None:
    first = await alice.start("hello")
    started = await alice.call("agent.start", prompt="x", worktree=str(alice.place))
    assert f"Agent {first} " in started["warnings"][0]


async def test_nothing_is_made_where_nobody_pays(alice: Desk) -> None:
    alice.payers.refuses = HeroError("denied", "Nobody pays.", hint="Run `claude login`.")
    with pytest.raises(HeroError, match="Nobody pays"):
        await alice.start("hello")
    assert not alice.bench.slot.context.paths.agents.exists()


async def test_a_start_dialog_is_a_question_that_says_to_attach(
    alice: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.agents._alarms._stuck = 0.2
    alice.starter.extra = ("--no-file",)
    id = await alice.start("hello")
    agent = await alice.says(id, "waiting: question")
    assert "agent-attach" in agent.detail


async def test_messages_of_the_box_are_taken_once(alice: Desk) -> None:
    id = await alice.start("hello")
    await alice.answered(id, "hello")
    taken: list[str] = []
    alice.bench.slot.agents.inbox.taken = taken.extend  # type: ignore[method-assign,assignment]
    for _ in range(2):
        await alice.call("agent.deliver", agent=id, messages=["Message from mik:\n@/etc/passwd hi"], ids=["q1"])
    await alice.until(lambda: "hi" in alice.agent(id).last_line)
    await alice.says(id, "idle: done")
    assert taken == ["q1", "q1"]
    prompts = [line.text for line in alice.lines(id) if line.kind == "prompt"]
    assert prompts[1:] == ["Message from mik:\n@ /etc/passwd hi"]


async def test_prompts_of_any_kind_arrive_as_they_are(alice: Desk) -> None:
    id = await alice.start("")
    await alice.says(id, "idle: done")
    big = "x" * 1_000_000
    for text in ("'quotes\" \\ ; $(touch pwned) `id`", "two\nlines\n\tand a tab", "a #{pane_id} #(id)", big):
        await alice.call("agent.send", agent=id, text=text)
        await alice.until(lambda text=text: _last_prompt(alice, id)[:100] == text[:100], text[:30])  # type: ignore[misc]
        await alice.says(id, "idle: done")
    assert not list(alice.place.glob("pwned"))


async def test_control_characters_do_nothing(alice: Desk) -> None:
    id = await alice.start("a\x1b[201~\x03\x04b\x9b31mc\x00")
    await alice.says(id, "idle: done")
    await alice.until(lambda: _last_prompt(alice, id).replace("\ufffd", "") == "abc")


def _last_prompt(alice: Desk, id: str) -> str:
    return next((line.text for line in reversed(alice.lines(id)) if line.kind == "prompt"), "")


async def test_garbage_from_a_hook_changes_nothing(alice: Desk) -> None:
    id = await alice.start("hello")
    before = await alice.answered(id, "hello")
    for event, payload in (
        ("Nonsense", {}),
        ("Stop", {"last_assistant_message": ["x"]}),
        ("StatusLine", {"cost": {"total_cost_usd": "much"}, "context_window": {"used_percentage": float(10**12)}}),
        ("PreToolUse", {"tool_name": {"a": 1}, "tool_input": "\x1b]0;x\x07"}),
        ("PostToolUse", {"unreadable": True}),
    ):
        assert (await alice.call("agent.hook", agent=id, event=event, payload=payload))["output"] == ""
    assert alice.agent(id).says == before.says
    assert alice.agent(id).cost == 0
    with pytest.raises(HeroError, match="no agent"):
        await alice.call("agent.hook", agent="../..", event="Stop", payload={})


async def test_only_the_windows_own_process_gets_the_secret_and_once(alice: Desk) -> None:
    id = await alice.start("hello")
    agent = await alice.answered(id, "hello")
    with pytest.raises(HeroError, match="Nobody starts"):
        await alice.call("agent.launch", agent=id, pid=agent.pid)
    everything = [path for path in alice.bench.root.rglob("*") if path.is_file()]
    assert not [path for path in everything if SECRET.encode() in path.read_bytes()]


async def test_the_log_is_followed_and_read_after_the_end(alice: Desk) -> None:
    id = await alice.start("hello")
    await alice.answered(id, "hello")
    heard: list[str] = []
    alice.client.listen("agent_log", lambda told: heard.extend(line["text"] for line in told["lines"]))
    answer = await alice.call("agent.log", agent=id, follow=True)
    assert "hello" in [line["text"] for line in answer["lines"]]
    await alice.call("agent.send", agent=id, text="more")
    await alice.until(lambda: heard.count("more") == 2)
    await alice.call("logs.stop", stream=answer["stream"])
    await alice.call("agent.stop", agent=id)
    lines = (await alice.call("agent.log", agent=id, limit=1))["lines"]
    assert len(lines) == 1


async def test_a_key_that_is_taken_back_ends_the_session_that_has_it(alice: Desk) -> None:
    alice.payers.direct = True
    id = await alice.start("hello")
    await alice.answered(id, "hello")
    alice.agents.lease_ended(f"lease-alice/{id}", "revoked")
    agent = await alice.says(id, "gone")
    assert "taken back: revoked" in agent.detail


async def test_a_missing_program_is_told_before_anything_is_made(alice: Desk) -> None:
    alice.starter.missing = True
    with pytest.raises(HeroError, match="no `claude`"):
        await alice.start("hello")
    assert not alice.bench.slot.context.paths.agents.exists()
