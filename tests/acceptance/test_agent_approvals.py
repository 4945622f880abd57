"""The real `claude` wants to switch a service: its owner allows that, and the result is its next message."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from backends.client.blocking import call_box
from tests.acceptance.small_box import SmallBox
from tests.acceptance.test_agents import agent, hero, until
from tests.acceptance.test_agents import api as api
from tests.acceptance.test_agents import box as box
from tests.messages_api.server import MessagesApi, Reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SWITCH = ("mcp__hero__switch", {"service": "hero_web", "branch": "development_mik"})


@pytest.fixture
def id(box: SmallBox, api: MessagesApi) -> str:
    """alice's agent, which has its tools."""
    call_box(box.where, "box.status")  # an agent's tools ask its daemon, and start none
    box.done("slot.start")
    started = str(hero(box, "agent", "--service", "hero_web", "hello")["agent"]["id"])
    until(box, started, partial(_rests, 1))
    # Its tools come when their server has started; the program's first requests do not wait for it.
    for turn in range(2, 100):
        if SWITCH[0] in {tool["name"] for tool in api.messages[-1].body["tools"]}:
            return started
        hero(box, "agent-send", started, "and now?")
        until(box, started, partial(_rests, turn))
    raise AssertionError("the agent never had its tools")


def _rests(turns: int, one: dict[str, Any]) -> bool:
    return bool(one["turns"] == turns and one["state"] == "idle")


def test_what_its_owner_has_allowed_is_done_and_told_to_the_agent(
    box: SmallBox, api: MessagesApi, id: str
) -> None:
    before = agent(box, id)["turns"]
    api.script(Reply(tool=SWITCH), Reply(text="I wait for that."), Reply(text="It runs mik's branch."))
    hero(box, "agent-send", id, "run mik's branch")
    until(box, id, lambda one: one["last_line"] == "I wait for that." and one["state"] == "idle")
    (item,) = hero(box, "inbox")["items"]
    assert (item["kind"], item["sender"], item["approval"]["radius"]) == ("approval", f"alice/{id}", "high")
    assert f"waits for approval {item['id']}" in json.dumps(api.messages[-1].body["messages"])
    assert box.cell("hero_web")["branch"] == "development"

    refused = hero(box, "answer", item["id"], "allow", fails=True)["error"]
    assert "--confirm hero_web" in refused["hint"]
    hero(box, "answer", item["id"], "allow", "--confirm", "hero_web")
    until(box, id, lambda one: one["last_line"] == "It runs mik's branch.")
    assert box.cell("hero_web")["branch"] == "development_mik"
    told = json.dumps(api.messages[-1].body["messages"][-1], ensure_ascii=False)
    assert f"alice has allowed {item['id']}" in told
    assert "Done: switch hero_web development_mik" in told
    assert agent(box, id)["turns"] == before + 2

    def actors() -> set[str]:
        events = hero(box, "audit")["events"]
        return {event["data"]["actor"] for event in events if event["kind"] == "audit.switch"}

    box.until(lambda: actors() == {f"alice via agent {id}"}, "the audit")
