"""The inbox in the box's daemon: identities, events without a word of the text, deliveries to slots."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from tests.backends.box.conftest import MadeBox, eventually, next_event, subscribed
from tests.backends.box.inbox.agents_slot import AgentsSlot

SECRET = "the-words-of-a-question"


async def refused(client: Connection, method: str, **params: Any) -> HeroError:
    with pytest.raises(HeroError) as caught:
        await client.call(method, params)
    return caught.value


async def one(client: Connection, item: dict[str, Any], user: str) -> Any:
    return (await client.call("question.list", {"user": user, "id": item["id"]}))["items"][0]


async def in_state(client: Connection, item: dict[str, Any], state: str) -> Any:
    async def look() -> Any:
        found = await one(client, item, "alice")
        return found if found["state"] == state else None

    return await eventually(look)


async def test_events_say_that_something_is_asked_and_answered_and_never_what(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    events = await subscribed(client)
    asked = await client.call("question.ask", {"user": "alice", "to": "mik", "text": SECRET, "options": [SECRET]})
    event = await next_event(events, "question.changed", subject=asked["id"])
    assert event.data == {
        "id": asked["id"],
        "kind": "question",
        "sender": "alice",
        "to": "mik",
        "state": "open",
    }
    await client.call("question.answer", {"user": "mik", "id": asked["id"], "text": SECRET + "!"})
    event = await next_event(events, "question.changed", subject=asked["id"])
    assert event.data["state"] == "answered"
    log = await client.call("audit.list", {"limit": 100})
    assert [one["kind"] for one in log["events"]] == ["audit.question.answer", "audit.question.ask"]
    assert SECRET not in str(log)


async def test_a_question_ends_by_itself_when_its_time_is_over(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    events = await subscribed(client)
    asked = await client.call("question.ask", {"agent": "alice/3", "text": "?", "ttl": 0.2})
    assert asked["to"] == "alice"
    while (await next_event(events, "question.changed", subject=asked["id"])).data["state"] != "expired":
        pass
    assert (await refused(client, "question.answer", user="alice", id=asked["id"], text="x")).code == "conflict"


async def test_unknown_people_and_agents_are_refused_with_the_nearest_names(box: MadeBox) -> None:
    box.boxd()
    alice = AgentsSlot(box)
    await alice.come()
    client = await box.client()
    assert "`mik`" in (await refused(client, "question.ask", user="alice", to="mic", text="?")).hint
    assert "`alice/3`" in (await refused(client, "message.send", user="mik", to="alice/33", text="?")).hint
    assert (await refused(client, "message.send", user="mik", to="alcie/3", text="?")).code == "not_found"
    error = await refused(client, "question.ask", user="mik", to="alice/3", text="?")
    assert "ask alice" in error.hint
    assert (await refused(client, "question.ask", user="nobody", to="mik", text="?")).code == "not_found"
    assert "Who should answer" in (await refused(client, "question.ask", user="mik", text="?")).message
    await alice.leave()


async def test_a_slots_link_says_which_slot_it_is_whatever_it_claims(box: MadeBox) -> None:
    box.boxd()
    alice = AgentsSlot(box)
    link = await alice.come()
    assert (await link.call("question.ask", {"agent": "3", "text": "?"}))["sender"] == "alice/3"
    assert (await refused(link, "question.ask", agent="mik/3", text="?")).code == "denied"
    assert (await refused(link, "question.ask", user="mik", to="alice", text="?")).code == "denied"
    assert (await refused(link, "message.take", agents=["mik/3"])).code == "denied"
    assert (await refused(link, "question.settle", agent="mik/3", waiting="w")).code == "denied"
    assert (await refused(link, "question.ask", agent="../3", text="?")).code == "denied"
    assert (await refused(link, "question.ask", agent="3;x", text="?")).code == "usage"
    await alice.leave()


async def test_messages_reach_a_connected_slot_at_once_and_one_that_was_away_when_it_comes(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    alice = AgentsSlot(box)
    await alice.come()
    for number in ("3", "4"):
        await client.call("message.send", {"user": "mik", "to": f"alice/{number}", "text": f"for {number}"})
    await alice.until_heard(2)
    await alice.leave()
    await client.call("message.send", {"user": "mik", "to": "alice/3", "text": "while away"})
    await alice.come()
    await alice.until_heard(3)
    assert [text.splitlines()[-1] for text in alice.texts] == ["> for 3", "> for 4", "> while away"]

    async def nothing_waits() -> bool:
        return not (await client.call("question.list", {"whose": "alice/3"}))["items"]

    await eventually(nothing_waits)
    await alice.leave()


async def test_a_message_that_a_slot_heard_and_did_not_take_waits_for_its_next_coming(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    alice = AgentsSlot(box, takes=False)
    await alice.come()
    await client.call("message.send", {"user": "mik", "to": "alice/3", "text": "hello"})
    await alice.until_heard(1)
    await alice.leave()
    alice.heard.clear()
    await alice.come()
    await alice.until_heard(1)
    await alice.take()
    assert len(alice.heard) == 1
    await alice.leave()


async def ask_in_dialog(alice: AgentsSlot, **more: Any) -> Any:
    assert alice.connection
    alice.dialogs.add("w1")
    asked = {"agent": "3", "text": "Bash: rm", "waiting": "w1", **more}
    return await alice.connection.call("question.ask", asked)


@pytest.mark.parametrize(
    ("options", "answer", "expected"),
    [
        ((), {"text": "allow"}, {"choice": "allow", "option": 0, "text": ""}),
        ((), {"choice": 2, "text": "not now"}, {"choice": "deny", "option": 0, "text": "not now"}),
        (("Red", "Blue"), {"choice": 2}, {"choice": "option", "option": 2, "text": ""}),
        (("Red", "Blue"), {"text": "green"}, {"choice": "option", "option": 0, "text": "green"}),
    ],
)
async def test_an_answer_to_a_dialog_is_handed_to_its_slot(
    box: MadeBox, options: tuple[str, ...], answer: dict[str, Any], expected: dict[str, Any]
) -> None:
    box.boxd()
    client = await box.client()
    alice = AgentsSlot(box)
    link = await alice.come()
    asked = await ask_in_dialog(alice, options=options)
    answered = await client.call("question.answer", {"user": "alice", "id": asked["id"], **answer})
    assert answered["state"] == "submitted"
    async with asyncio.timeout(20):
        while not alice.answers:
            alice.news.clear()
            await alice.news.wait()
    assert alice.answers == [{"agent": "3", "waiting": "w1", **expected}]
    assert (await one(client, asked, "alice"))["state"] == "submitted"
    await link.call("question.settle", {"agent": "3", "waiting": "w1", "answered": True})
    assert (await one(client, asked, "alice"))["state"] == "answered"
    await alice.leave()


async def test_an_answer_to_a_dialog_that_is_gone_ends_it_with_the_reason(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    alice = AgentsSlot(box)
    await alice.come()
    asked = await ask_in_dialog(alice)
    alice.dialogs.clear()
    await client.call("question.answer", {"user": "alice", "id": asked["id"], "text": "yes"})
    over = await in_state(client, asked, "cancelled")
    assert over["problem"] == "That dialog is not open any more."
    await alice.leave()


async def test_an_answer_that_a_dialog_does_not_take_opens_it_again(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    alice = AgentsSlot(box, refuses=HeroError("usage", "This dialog asks a question."))
    await alice.come()
    asked = await ask_in_dialog(alice)
    events = await subscribed(client)
    await client.call("question.answer", {"user": "alice", "id": asked["id"], "text": "yes"})
    assert (await next_event(events, "question.changed")).data["state"] == "submitted"
    again = await in_state(client, asked, "open")
    assert (again["problem"], again["answered_by"]) == ("This dialog asks a question.", "")
    alice.refuses = None
    await client.call("question.answer", {"user": "alice", "id": asked["id"], "text": "the blue one"})
    async with asyncio.timeout(20):
        while not alice.answers:
            alice.news.clear()
            await alice.news.wait()
    await alice.leave()


async def test_an_answer_waits_for_a_slot_that_is_away(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    alice = AgentsSlot(box)
    await alice.come()
    asked = await ask_in_dialog(alice)
    await alice.leave()
    await client.call("question.answer", {"user": "alice", "id": asked["id"], "text": "yes"})
    await alice.come()
    async with asyncio.timeout(20):
        while not alice.answers:
            alice.news.clear()
            await alice.news.wait()
    await alice.leave()


async def test_the_tools_of_an_agent_are_those_that_the_team_repo_grants_at_the_moment(box: MadeBox) -> None:
    box.boxd()
    client = await box.client()
    told = await client.call("agent.tools", {"user": "mik"})
    assert "switch" in told["tools"]
    assert "cancel_question" in told["tools"]
    assert {held["action"]: held["radius"] for held in told["actions"]} == {
        "slot.switch": "high",
        "slot.rebuild": "high",
    }
    box.push(
        {
            "policy.toml": 'schema = 1\n[[rule]]\naction = "slot.*"\nactor = "agent"\nradius = "low"\n'
            '[[agent_tools]]\nrole = "developer"\ntools = ["status", "rebuild"]\n'
        }
    )

    async def fewer() -> Any:
        told = await client.call("agent.tools", {"user": "mik"})
        return told if told["tools"] == ["status", "rebuild"] else None

    assert (await eventually(fewer))["actions"] == [
        {"action": "slot.rebuild", "radius": "low", "rule": "slot.*", "approvers": []}
    ]
    assert (await refused(client, "agent.tools", user="mic")).code == "not_found"
