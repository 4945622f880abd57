"""The real `claude` killed at the worst moments, and gone on with: no start that fails, no prompt that is lost."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.model.agent_calls import AgentLaunch
from backends.slot.agents.ports import Payer
from backends.slot.agents.record import Record
from backends.slot.agents.starter import ClaudeStarter
from tests.backends.slot.agents.desks import Desk, desk, real
from tests.backends.slot.slots import Bench
from tests.messages_api.server import MessagesApi, Reply

pytestmark = [pytest.mark.timeout(180), pytest.mark.slow]


@pytest.fixture
async def api() -> AsyncIterator[MessagesApi]:
    with MessagesApi() as served:
        yield served


@pytest.fixture(autouse=True)
def program(claude_program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERO_CLAUDE", str(claude_program))


@pytest.fixture
async def alice(api: MessagesApi) -> AsyncIterator[Desk]:
    async with desk(real, api.url) as made:
        yield made


async def killed(alice: Desk, id: str) -> None:
    """SIGKILL for the program, and wait until its end is known."""
    pid = alice.agent(id).pid
    assert pid is not None
    os.kill(pid, 9)
    await alice.says(id, "error: crashed")


async def transcript(alice: Desk, id: str) -> Path:
    """The conversation's file, once the prompt that was taken last is in it."""
    session = alice.agents.session(id)
    await alice.until(lambda: session.record.unsure_as, "the prompt is named")
    prompt = session.record.unsure_as.encode()

    def there() -> list[Path]:
        found = session.folder.glob(f"claude/projects/*/{session.agent.session}.jsonl")
        return [one for one in found if prompt in one.read_bytes()]

    await alice.until(there, "the prompt is in the conversation")
    return there()[0]


def cut_before_the_first_word(file: Path) -> None:
    """As a program leaves its conversation that was killed a moment after it began the file."""
    lines = file.read_bytes().splitlines(keepends=True)
    kept = []
    for line in lines:
        if json.loads(line)["type"] == "user":
            break
        kept.append(line)
    file.write_bytes(b"".join(kept))


async def test_a_prompt_that_was_taken_and_not_written_yet_is_told_again(alice: Desk, api: MessagesApi) -> None:
    api.script(Reply(hangs=True))
    id = await alice.start("remember 4711")
    await asyncio.to_thread(api.wait, 1)
    file = await transcript(alice, id)
    await killed(alice, id)
    cut_before_the_first_word(file)
    await alice.call("agent.resume", agent=id)
    await alice.answered(id, "STUB-OK")
    assert "remember 4711" in str(api.messages[-1].body["messages"])
    assert file.with_suffix(".empty").exists()


async def test_a_prompt_that_is_in_the_conversation_is_not_told_twice(alice: Desk, api: MessagesApi) -> None:
    api.script(Reply(hangs=True))
    id = await alice.start("remember 4711")
    await asyncio.to_thread(api.wait, 1)
    await transcript(alice, id)
    alice.kill_tmux()
    await alice.says(id, "gone")
    await alice.call("agent.resume", agent=id)
    await alice.says(id, "idle: done")
    await alice.call("agent.send", agent=id, text="Go on.")
    await alice.answered(id, "STUB-OK")
    assert str(api.messages[-1].body["messages"]).count("remember 4711") == 1


async def test_a_program_that_is_killed_before_it_takes_a_prompt_gets_it_at_its_next_start(
    alice: Desk, api: MessagesApi
) -> None:
    id = await alice.start("hello")
    await killed(alice, id)
    alice.agents.session(id).deaf = True
    await alice.call("agent.resume", agent=id)
    await alice.answered(id, "STUB-OK")
    assert len(api.messages) == 1


class Hasty(ClaudeStarter):
    """Has the program give up after a try or two, and not after three minutes."""

    async def launch(self, folder: Path, record: Record, payer: Payer) -> AgentLaunch:
        launch = await super().launch(folder, record, payer)
        return launch.model_copy(update={"env": {**launch.env, "CLAUDE_CODE_MAX_RETRIES": "1"}})


def hasty(made: Bench) -> Hasty:
    return Hasty(made.root, made.slot.context.paths.rpc_socket, made.root)


async def test_a_network_that_stays_away_is_told_and_gone_on_from(api: MessagesApi) -> None:
    async with desk(hasty, api.url) as alice:
        api.vanish()
        id = await alice.start("work")
        agent = await alice.says(id, "error: overloaded")
        assert "Connection refused" in agent.detail
        assert "hero_dev agent-send" in agent.detail
        assert "idle: done" not in [one.says for one in alice.told]
        api.come_back()
        await alice.call("agent.send", agent=id, text="again")
        await alice.answered(id, "STUB-OK")
