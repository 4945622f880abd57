"""An agent's tools: granted ones only, in its own slot only, with answers that do no harm."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backends.model.agent_calls import AgentActed
from backends.model.agent_tools import ALONG
from backends.model.agent_tools import TOOLS as GRANTED
from backends.model.box_calls import SubscribeResult
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.slot_calls import LogsResult
from backends.model.state import ErrorInfo, LogLine, Operation
from hero_tui.mcp_server import changing
from hero_tui.mcp_server.answers import LIMIT
from hero_tui.mcp_server.arguments import schema_of
from hero_tui.mcp_server.toolbox import Toolbox
from hero_tui.mcp_server.tools import BY_NAME, TOOLS
from tests.hero_tui.mcp_server.conftest import granted
from tests.hero_tui.render.replies import service, slot
from tests.hero_tui.verbs.canned import Canned

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ITEM = InboxItem(id="ab12cd34", kind="question", sender="alice/3", to="alice", text="?", asked_at=NOW)


def refused(toolbox: Toolbox, name: str, given: dict[str, Any] | None = None) -> HeroError:
    with pytest.raises(HeroError) as caught:
        toolbox.call(name, given)
    return caught.value


def operation(**more: Any) -> Operation:
    known = {"id": "op1", "kind": "switch", "title": "switch hero_web", "started_at": NOW}
    return Operation.model_validate(known | more)


def test_only_granted_tools_are_listed_and_carried_out(box: Canned, toolbox: Toolbox) -> None:
    box.answers["agent.tools"] = granted("status", "ask_operator", "cancel_question")
    assert [tool.name for tool in toolbox.listed()] == ["status", "ask_operator", "cancel_question"]
    error = refused(toolbox, "tell", {"to": "mik", "text": "hi"})
    assert (error.code, "agent_tools" in error.message) == ("denied", True)
    assert "status" in error.hint
    assert [method for method, _ in box.asked if method != "agent.tools"] == []


def test_a_grant_that_is_taken_away_holds_at_the_next_call(box: Canned, toolbox: Toolbox) -> None:
    box.answers["agent.tools"] = [granted("status"), granted("tell")]
    assert [tool.name for tool in toolbox.listed()] == ["status"]
    assert refused(toolbox, "status").code == "denied"


@pytest.mark.parametrize("name", ["switch", "rebuild"])
@pytest.mark.parametrize(("radius", "hold"), [("medium", 600.0), ("high", 0.0)])
def test_what_policy_holds_answers_at_once_with_an_id_and_the_whole_proposal(
    box: Canned, toolbox: Toolbox, name: str, radius: str, hold: float
) -> None:
    held = {"action": f"slot.{name}", "subject": "hero_web", "radius": radius, "rule": "slot.*", "hold": hold}
    told = {"kind": "approval", "text": "what it does\x1b[2J", "approval": held, "expires_at": NOW}
    box.answers["agent.act"] = AgentActed(item=InboxItem.model_validate(ITEM.model_dump() | told))
    answer = toolbox.call(name, {"service": "hero_web", **({"branch": "x"} if name == "switch" else {})})
    assert "It waits for approval ab12cd34" in answer
    assert f'the rule for "slot.*" makes it {radius}' in answer
    assert ("Unless somebody objects" in answer) == (radius == "medium")
    assert answer.endswith("what it does")
    params = box.params("agent.act")
    assert (params.agent, params.action, params.asked["service"]) == ("3", f"slot.{name}", "hero_web")


def test_no_tool_takes_a_slot_to_be_changed() -> None:
    for tool in TOOLS:
        if tool.changes:
            assert not {"slot", "user", "box", "agent"} & set(schema_of(tool.arguments)["properties"])


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_what_a_tool_takes_is_strict_and_told_without_noise(tool: Any) -> None:
    schema = schema_of(tool.arguments)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert '"title"' not in str(schema).replace("'", '"')


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("status", {"servce": "x"}, "did you mean `service`?"),
        ("status", {"service": 3}, "`service`"),
        ("switch", {}, "`service` is missing"),
        ("switch", {"service": "hero_web"}, "What should hero_web run?"),
        ("switch", {"service": "hero_web", "source": "build"}, "`source` is not known"),
        ("switch", {"service": "hero_web", "from": "anywhere"}, "`from`"),
        ("logs", {"lines": 10**9}, "`lines`"),
        ("tell", {"to": "mik", "text": ""}, "`text`"),
        ("ask_operator", {"question": "x" * 20_001}, "`question`"),
        ("ask_operator", {"question": "?", "ttl": "soon"}, "duration"),
        ("logs", {"services": ["x" * 1000]}, "`services.0`"),
    ],
)
def test_arguments_that_are_wrong_are_told_in_a_sentence_and_reach_no_daemon(
    box: Canned, toolbox: Toolbox, name: str, given: dict[str, Any], words: str
) -> None:
    error = refused(toolbox, name, given)
    assert error.code == "usage"
    assert words in error.message
    assert all(method == "agent.tools" for method, _ in box.asked)


def test_an_unknown_tool_is_named_with_the_nearest(toolbox: Toolbox) -> None:
    assert "`switch`" in refused(toolbox, "swich").hint


def test_an_answer_is_bounded_and_brings_no_terminals_controls_along(box: Canned, toolbox: Toolbox) -> None:
    box.answers["slot.logs"] = LogsResult(lines=(LogLine(source="hero_web", text="\x1b[2Jx\x07" * 20_000),))
    answer = toolbox.call("logs", {})
    assert len(answer) < LIMIT + 200
    assert "left out" in answer
    assert "\x1b" not in answer
    assert "\x07" not in answer


def test_a_switch_is_seen_through(box: Canned, toolbox: Toolbox) -> None:
    box.answers["agent.act"] = AgentActed(operation="op1")
    box.answers["operation.wait"] = operation(state="succeeded", result={"hash": "abc", "note": ""})
    answer = toolbox.call("switch", {"service": "hero_web", "branch": "x", "from": "build"})
    assert answer == 'Done: switch hero_web.\n{"hash": "abc"}'
    params = box.params("agent.act")
    assert params.asked == {"service": "hero_web", "branch": "x", "from": "build", "back": False}


def test_a_switch_that_fails_is_an_error_with_what_to_do(box: Canned, toolbox: Toolbox) -> None:
    box.answers["agent.act"] = AgentActed(operation="op1")
    error = ErrorInfo(code="build_failed", message="It does not compile.", hint="Read the log.")
    box.answers["operation.wait"] = operation(state="failed", error=error)
    told = refused(toolbox, "rebuild", {"service": "hero_web"})
    assert (told.code, told.message, told.hint) == ("build_failed", "It does not compile.", "Read the log.")


def test_what_takes_long_goes_on_without_the_agent(
    box: Canned, toolbox: Toolbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.answers["agent.act"] = AgentActed(operation="op1")
    box.answers["operation.wait"] = HeroError("timeout", "not yet")
    monkeypatch.setattr(changing, "WAIT_SECONDS", 0.1)
    assert "goes on in the slot, as operation op1" in toolbox.call("rebuild", {"service": "hero_web"})


def test_an_agent_asks_and_tells_as_itself(box: Canned, toolbox: Toolbox) -> None:
    box.answers["question.ask"] = box.answers["message.send"] = box.answers["question.cancel"] = ITEM
    assert "ab12cd34" in toolbox.call("ask_operator", {"question": "May I?", "options": ["yes"], "ttl": "30m"})
    asked = box.params("question.ask")
    assert (asked.agent, asked.user, asked.to, asked.ttl, asked.options) == ("3", "alice", "", 1800.0, ("yes",))
    toolbox.call("cancel_question", {"id": "ab12cd34"})
    assert box.params("question.cancel").agent == "3"
    toolbox.call("tell", {"to": "mik/4", "text": "hello"})
    assert (box.params("message.send").to, box.params("message.send").agent) == ("mik/4", "3")


def test_the_status_says_what_matters_and_leaves_the_rest_out(box: Canned, toolbox: Toolbox) -> None:
    box.answers["slot.status"] = slot(service("hero_web"), service("hero_db", health="crashed"))
    answer = toolbox.call("status", {})
    assert '"health": "crashed"' in answer
    assert "sha256" not in answer
    assert "archives" not in answer
    assert '"service": "hero_db"' in toolbox.call("status", {"service": "hero_db"})
    assert "`hero_web`" in refused(toolbox, "status", {"service": "hero_wb"}).hint


WEB = {"health": "crashed", "reason": "exit 1", "drift": "current", "branch": "b", "hash": "abc", "from": "build"}


Note = tuple[str, dict[str, Any]]


def event(seq: int, kind: str, subject: str, data: dict[str, Any], slot: str = "alice") -> Note:
    told = {"seq": seq, "time": NOW.isoformat(), "box": "dev", "slot": slot, "kind": kind, "subject": subject}
    return "event", told | {"data": data}


def item(name: str, kind: str, sender: str, to: str) -> dict[str, Any]:
    return {"id": name, "kind": kind, "sender": sender, "to": to, "state": "open"}


def test_events_are_of_this_slot_and_this_agent_and_read_once(box: Canned, toolbox: Toolbox) -> None:
    toolbox.listed()
    box.answers["agent.tools"] = granted(seq=14)
    box.answers["events.subscribe"] = SubscribeResult(seq=14)
    build = {"id": "b1", "branch": "b", "commit": "abc", "error": "no\x1b[2J"}
    box.events["events.subscribe"] = [
        event(8, "service.changed", "hero_web", WEB),
        event(9, "service.changed", "hero_web", WEB | {"since": "later"}),
        event(10, "service.changed", "hero_web", WEB, "mik"),
        event(11, "question.changed", "q1", item("q1", "message", "mik", "alice/3"), ""),
        event(12, "question.changed", "q2", item("q2", "question", "alice/4", "alice")),
        event(0, "operation.changed", "hero_web", {}),
        event(13, "build.failed", "hero_web", build),
        event(14, "slot.changed", "", {}),
    ]
    lines = toolbox.call("read_events", {}).splitlines()
    assert [line.partition("Z ")[2] for line in lines] == [
        "hero_web is crashed (exit 1), current: b abc from build",
        "message q1 from mik to alice/3 is open",
        "build b1 of hero_web b abc failed: no",
    ]
    assert box.params("events.subscribe").after == 7
    assert "Nothing has happened" in toolbox.call("read_events", {})


def test_events_that_are_not_kept_any_more_are_told_of(box: Canned, toolbox: Toolbox) -> None:
    toolbox.listed()
    box.answers["agent.tools"] = granted(seq=9)
    box.answers["events.subscribe"] = HeroError("snapshot_needed", "gone")
    assert "look at the status" in toolbox.call("read_events", {})


def test_every_tool_that_can_be_granted_is_there() -> None:
    assert set(BY_NAME) == {*GRANTED, *ALONG}
