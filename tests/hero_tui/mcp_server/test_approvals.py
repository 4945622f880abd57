"""What an agent may not do by itself waits for its owner, and is done exactly so or not at all, on a real box."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from backends.client.blocking import call_box
from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.slot.agents.process import MARK
from backends.slot.agents.record import read_record
from hero_tui.mcp_server.desk import Desk
from hero_tui.mcp_server.toolbox import Toolbox
from tests.acceptance.small_box import SmallBox
from tests.hero_tui.mcp_server.real_box import (
    ROOT,
    box_for_agents,
    is_linked,
    living_agent,
    push_policy,
    radius_is,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

NO_RULES = "schema = 1\n"
MEDIUM = """schema = 1
[[rule]]
action = "slot.*"
actor = "agent"
radius = "medium"
hold = "1h"
"""
MIK, ALICE = "development_mik", "development"


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with box_for_agents(NO_RULES, "high") as made:
        yield made


def propose(box: SmallBox, branch: str = MIK, tool: str = "switch", agent: str = "3") -> dict[str, Any]:
    """What the tool's call left in alice's inbox."""
    box.until(lambda: is_linked(box), "the slot's link to the box")
    given = {"service": "hero_web"} | ({"branch": branch} if tool == "switch" else {})
    said = Toolbox(Desk(box.where, agent)).call(tool, given)
    assert said.startswith("It waits for approval ")
    return one(box, said.split()[4].rstrip(":"))


def one(box: SmallBox, id: str) -> dict[str, Any]:
    found: dict[str, Any] = call_box(box.where, "question.list", {"id": id, "user": "alice"})["items"][0]
    return found


def answer(box: SmallBox, item: dict[str, Any], **more: Any) -> dict[str, Any]:
    told = {"id": item["id"], "user": "alice", "choice": 1, "confirm": "hero_web", **more}
    answered: dict[str, Any] = call_box(box.where, "question.answer", told)
    return answered


def refused(box: SmallBox, item: dict[str, Any], **more: Any) -> HeroError:
    with pytest.raises(HeroError) as caught:
        answer(box, item, **more)
    return caught.value


def messages(box: SmallBox) -> list[str]:
    """All that agent 3 is to be told at its next turn."""
    record = read_record(box.slot.agents / "3")
    return [queued.text for queued in record.queue] if record else []


def told(box: SmallBox, item: dict[str, Any]) -> str:
    """What the agent is told of it."""
    box.until(lambda: any(item["id"] in text for text in messages(box)), "the agent's message")
    (message,) = [text for text in messages(box) if item["id"] in text]
    return message


def runs(box: SmallBox) -> str:
    return str(box.cell("hero_web")["branch"])


def put_back(box: SmallBox) -> None:
    with contextlib.suppress(HeroError):
        box.run("slot.switch", {"service": "hero_web", "branch": ALICE, "from": "release"})
    assert runs(box) == ALICE


@pytest.fixture(autouse=True)
def _as_before(box: SmallBox) -> Iterator[None]:
    yield
    put_back(box)


def test_a_switch_of_high_radius_is_done_once_its_owner_has_repeated_the_name(box: SmallBox) -> None:
    item = propose(box)
    assert (item["kind"], item["sender"], item["to"], item["state"]) == ("approval", "alice/3", "alice", "open")
    assert item["approval"]["radius"] == "high"
    assert "switch hero_web development_mik" in item["text"]
    assert f"runs now: {ALICE}-" in item["text"]
    assert runs(box) == ALICE
    assert propose(box)["id"] == item["id"], "proposed again it is the same"
    assert "name was not repeated" in refused(box, item, confirm="").message
    assert "'hero_db' is not it" in refused(box, item, confirm="hero_db").message
    assert refused(box, item, choice=0, text="do as you like").code == "usage"
    assert refused(box, item, user="integration").code == "denied"
    assert (one(box, item["id"])["state"], runs(box)) == ("open", ALICE)

    assert answer(box, item)["state"] == "submitted"
    message = told(box, item)
    assert "> alice has allowed" in message
    assert "Done: switch hero_web development_mik" in message
    assert (runs(box), box.ask("hero_web")["branch"]) == (MIK, MIK)
    over = one(box, item["id"])
    assert (over["state"], over["problem"]) == ("answered", "")
    assert "Done: switch" in over["outcome"]
    again = refused(box, item)
    assert (again.code, "alice has answered this already" in again.message) == ("conflict", True)
    assert not list((box.slot.agents / "3" / "proposals").iterdir()), "nothing is left that could be done again"

    box.until(lambda: _audited(box, "audit.switch"), "the audit")
    done = _audited(box, "audit.switch")[0]["data"]
    assert (done["actor"], done["outcome"]) == ("alice via agent 3", "succeeded")
    assert (done["asked"]["approval"], done["asked"]["allowed_by"]) == (item["id"], "alice")
    decided = _audited(box, "audit.approval.decide")[0]["data"]
    assert (decided["actor"], decided["title"]) == ("alice", "allow slot.switch hero_web of alice/3")


def _audited(box: SmallBox, kind: str) -> list[dict[str, Any]]:
    events = call_box(box.where, "audit.list", {"limit": 200})["events"]
    return [event for event in events if event["kind"] == kind]


def test_what_is_denied_is_not_done_and_the_agent_hears_why(box: SmallBox) -> None:
    item = propose(box, tool="rebuild")
    assert "compile" in item["text"] or "build hero_web" in item["text"]
    assert answer(box, item, choice=2, text="not before Monday", confirm="")["state"] == "answered"
    message = told(box, item)
    assert "from alice" in message
    assert "it is not done: not before Monday" in message
    assert runs(box) == ALICE
    assert propose(box, tool="rebuild")["id"] != item["id"]


def test_what_has_changed_since_it_was_shown_is_not_done_and_says_what(box: SmallBox) -> None:
    item = propose(box)
    box.done("slot.switch", {"service": "hero_web", "branch": "feature/a-slash"})
    answer(box, item)
    message = told(box, item)
    assert "has changed since it was proposed" in message
    assert "now feature/a-slash from release" in message
    assert runs(box) == "feature/a-slash"
    assert "has changed" in one(box, item["id"])["problem"]


def test_work_that_was_changed_since_it_was_shown_is_not_built(box: SmallBox) -> None:
    box.done("slot.rebuild", {"service": "hero_web"})
    page = box.slot.src / "hero_web" / ALICE / "page.txt"
    page.write_text("one\n")
    item = propose(box, tool="rebuild")
    assert "uncommitted work: " in item["text"]
    page.write_text("two\n")
    answer(box, item)
    assert "uncommitted work" in told(box, item)
    page.unlink()


def test_an_answer_to_a_slot_that_was_killed_is_carried_out_once_after_its_restart(box: SmallBox) -> None:
    item = propose(box)
    _kill(call_box(box.where, "rpc.ping")["pid"])
    _kill(box.call("rpc.ping")["pid"])
    box.until(lambda: one(box, item["id"])["state"] == "open", "the approval, after both restarts")
    answer(box, item)
    assert "Done: switch" in told(box, item)
    assert runs(box) == MIK
    switched = [one for one in _audited(box, "audit.switch") if one["data"]["asked"].get("approval") == item["id"]]
    assert len(switched) == 1


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_daemon_that_is_killed_while_it_acts_says_that_it_was_cut_off_and_acts_no_more(box: SmallBox) -> None:
    item = propose(box, "never_ready")
    answer(box, item)
    box.until(lambda: box.cell("hero_web")["health"] == "starting", "a service that is never ready")
    _kill(box.call("rpc.ping")["pid"])
    message = told(box, item)
    assert "cut it off" in message
    assert runs(box) == ALICE
    assert one(box, item["id"])["state"] == "answered"


def test_medium_needs_no_name_and_is_done_at_a_yes(box: SmallBox) -> None:
    push_policy(box, MEDIUM)
    box.until(lambda: radius_is(box, "medium"), "the policy")
    try:
        item = propose(box)
        assert (item["approval"]["hold"], item["approval"]["rule"]) == (3600.0, "slot.*")
        answer(box, item, confirm="", choice=0, text="y")
        assert "Done: switch" in told(box, item)
    finally:
        push_policy(box, NO_RULES)
        box.until(lambda: radius_is(box, "high"), "the policy")


def test_what_an_agent_wanted_that_has_ended_is_given_up(box: SmallBox) -> None:
    with living_agent(box, "5") as program:
        _restart(box)
        item = propose(box, agent="5")
        program.kill()
        box.until(lambda: one(box, item["id"])["state"] == "cancelled", "the end of the approval")
        assert one(box, item["id"])["problem"] == "The agent has ended."
        assert refused(box, item).code == "conflict"


def test_what_an_agent_does_in_its_shell_is_audited_as_its_doing(box: SmallBox) -> None:
    record = read_record(box.slot.agents / "3")
    assert record
    argv = [sys.executable, "-m", "hero_tui.cli", "--box", str(box.root), "--slot", "alice", "stop", "hero_db"]
    subprocess.run(argv, env={**os.environ, MARK: record.mark}, check=True, capture_output=True, cwd=ROOT)
    box.until(lambda: _audited(box, "audit.stop"), "the audit")
    assert _audited(box, "audit.stop")[0]["data"]["actor"] == "alice via agent 3"
    box.done("slot.start", {"services": ["hero_db"]})


def _restart(box: SmallBox) -> None:
    before = box.call("rpc.ping")["pid"]
    _kill(before)
    box.until(lambda: box.call("rpc.ping")["pid"] != before and is_linked(box), "a new daemon of the slot")


def test_an_agent_takes_its_proposal_back(box: SmallBox) -> None:
    item = propose(box)
    Toolbox(Desk(box.where, "3")).call("cancel_question", {"id": item["id"]})
    assert "taken it back" in refused(box, item).message


def test_nobody_but_the_slots_daemon_proposes_and_nobody_for_an_agent_that_is_not_there(box: SmallBox) -> None:
    approval = {"action": "slot.switch", "subject": "hero_web"}
    asked = {"agent": "alice/3", "text": "a harmless thing", "waiting": "w", "approval": approval}
    with pytest.raises(HeroError, match="Only the daemon of alice's slot"):
        call_box(Where(box.where.box, "alice"), "question.ask", asked)
    with pytest.raises(HeroError, match="no agent called '4'"):
        Toolbox(Desk(box.where, "4")).call("switch", {"service": "hero_web", "branch": MIK})
    with pytest.raises(HeroError, match="does not know of this proposal"):
        box.call("agent.decide", {"agent": "3", "waiting": "act-0", "item": "x", "by": "alice"})
