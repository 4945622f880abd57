"""The box's daemon is killed after each write of the inbox: nothing acknowledged is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from tests.backends.box.conftest import SECONDS, MadeBox, eventually, subscribed
from tests.backends.box.inbox.agents_slot import AgentsSlot

QUESTION = {"agent": "3", "text": "Deploy?", "options": ["Yes", "No"]}
DIALOG = {"agent": "3", "text": "Bash: rm", "waiting": "w1"}


async def died(process: subprocess.Popen[bytes]) -> None:
    assert await asyncio.to_thread(process.wait, SECONDS) == -signal.SIGKILL


async def listed(client: Connection, **params: Any) -> Any:
    return (await client.call("question.list", params))["items"]


async def states_told(client: Connection) -> dict[str, list[str]]:
    """Every state that the events tell of each item, once the log has been read to its end."""
    events = await subscribed(client, 0)
    newest = (await client.call("fleet.snapshot"))["seq"]
    found: dict[str, list[str]] = {}
    async with asyncio.timeout(SECONDS):
        async for event in events:
            if event["kind"] == "question.changed":
                found.setdefault(event["subject"], []).append(event["data"]["state"])
            if event["seq"] >= newest:
                break
    return found


@pytest.mark.parametrize("step", ["inbox.asked", "inbox.told"])
@pytest.mark.parametrize("asked", [QUESTION, DIALOG], ids=["question", "dialog"])
async def test_a_question_whose_asking_was_cut_off_is_there_once_and_is_told_of(
    box: MadeBox, step: str, asked: dict[str, Any]
) -> None:
    doomed = box.boxd(failpoint=step)
    alice = AgentsSlot(box)
    link = await alice.come()
    with contextlib.suppress(HeroError):
        await link.call("question.ask", asked)
    await died(doomed)
    box.boxd()
    client = await box.client()
    (item,) = await listed(client, user="alice")
    assert (await states_told(client))[item["id"]][-1] == "open"
    link = await alice.come()
    if asked is DIALOG:
        assert (await link.call("question.ask", asked))["id"] == item["id"]
        assert len(await listed(client, user="alice")) == 1
    await alice.leave()


@pytest.mark.parametrize("step", ["inbox.answered", "inbox.told"])
async def test_an_answer_that_was_cut_off_counts_once_and_reaches_the_agent_once(box: MadeBox, step: str) -> None:
    first = box.boxd()
    alice = AgentsSlot(box)
    link = await alice.come()
    asked = await link.call("question.ask", QUESTION)
    await alice.leave()
    first.send_signal(signal.SIGTERM)
    await asyncio.to_thread(first.wait, SECONDS)
    doomed = box.boxd(failpoint=step)
    client = await box.client()
    with contextlib.suppress(HeroError):
        await client.call("question.answer", {"user": "alice", "id": asked["id"], "choice": 1})
    await died(doomed)
    box.boxd()
    client = await box.client()
    with pytest.raises(HeroError, match=r"answered this already: 1 \(Yes\)"):
        await client.call("question.answer", {"user": "alice", "id": asked["id"], "choice": 2})
    await alice.come()
    await alice.until_heard(1)
    await alice.take()
    assert len(alice.heard) == 1
    assert (await states_told(client))[asked["id"]][-1] == "answered"
    await alice.leave()


@pytest.mark.parametrize("step", ["inbox.sent", "inbox.told", "inbox.taken"])
async def test_a_message_reaches_its_agent_once_whatever_is_cut_off(box: MadeBox, step: str) -> None:
    doomed = box.boxd(failpoint=step)
    alice = AgentsSlot(box)
    await alice.come()
    client = await box.client()
    with contextlib.suppress(HeroError):
        await client.call("message.send", {"user": "mik", "to": "alice/3", "text": "hello"})
    await died(doomed)
    box.boxd()
    client = await box.client()
    await alice.come()
    await alice.until_heard(1)

    async def nothing_waits() -> bool:
        await alice.take()
        return not await listed(client, whose="alice/3")

    await eventually(nothing_waits)
    assert len(alice.heard) == 1
    (sent,) = await listed(client, user="mik", sent=True, ended=True)
    assert sent["state"] == "delivered"
    await alice.leave()


@pytest.mark.parametrize("step", ["inbox.answered", "inbox.handed"])
async def test_an_answer_to_a_dialog_reaches_the_dialog_once_whatever_is_cut_off(box: MadeBox, step: str) -> None:
    doomed = box.boxd(failpoint=step)
    alice = AgentsSlot(box, dialogs={"w1"})
    link = await alice.come()
    asked = await link.call("question.ask", DIALOG)
    client = await box.client()
    with contextlib.suppress(HeroError):
        await client.call("question.answer", {"user": "alice", "id": asked["id"], "text": "yes"})
    await died(doomed)
    box.boxd()
    client = await box.client()
    link = await alice.come()

    async def answered() -> bool:
        return bool(alice.answers)

    await eventually(answered)
    await link.call("question.settle", {"agent": "3", "waiting": "w1", "answered": True})
    found = (await listed(client, user="alice", id=asked["id"]))[0]
    assert (found["state"], found["answer"], len(alice.answers)) == ("answered", "Allow", 1)
    await alice.leave()


@pytest.mark.parametrize("step", ["inbox.settled", "inbox.refused"])
async def test_the_end_of_a_dialog_that_was_cut_off_is_told_after_the_restart(box: MadeBox, step: str) -> None:
    doomed = box.boxd(failpoint=step)
    alice = AgentsSlot(box)
    link = await alice.come()
    asked = await link.call("question.ask", DIALOG)
    client = await box.client()
    with contextlib.suppress(HeroError):
        if step == "inbox.settled":
            await link.call("question.settle", {"agent": "3", "waiting": "w1", "detail": "gone"})
        else:
            await client.call("question.answer", {"user": "alice", "id": asked["id"], "text": "yes"})
    await died(doomed)
    box.boxd()
    client = await box.client()
    assert (await listed(client, user="alice", id=asked["id"]))[0]["state"] == "cancelled"
    assert (await states_told(client))[asked["id"]][-1] == "cancelled"
    await alice.leave()


async def test_a_question_whose_time_was_over_while_the_box_was_away_ends_at_its_start(box: MadeBox) -> None:
    first = box.boxd()
    client = await box.client()
    asked = await client.call("question.ask", {"user": "alice", "to": "mik", "text": "?", "ttl": 0.3})
    first.kill()
    await died(first)
    box.boxd()
    client = await box.client()

    async def over() -> bool:
        found = (await listed(client, user="mik", id=asked["id"]))[0]
        return bool(found["state"] == "expired")

    await eventually(over)
