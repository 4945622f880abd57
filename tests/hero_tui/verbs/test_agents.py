"""`hero_dev agents`, `agent-log` and what else is done with an agent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from backends.model.agent_calls import AgentAttach, AgentListResult, AgentLogResult, AgentSent
from backends.model.agents import AgentLine, Iteration, Waiting
from backends.model.method import Empty
from backends.model.state import FleetSnapshot, SlotStatus
from hero_tui.verbs.exits import USAGE
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line
from tests.hero_tui.verbs.test_agent import NOON, agent


class Became(SystemExit):
    """This process is another program from here on."""


def line(number: int, kind: str, text: str, tool: str = "") -> AgentLine:
    fields = {"number": number, "time": NOON, "kind": kind, "text": text, "tool": tool}
    return AgentLine.model_validate(fields)


def test_they_are_listed_with_what_they_do_and_wait_for(box: Canned, hero_dev: Line) -> None:
    since = datetime.now(UTC) - timedelta(minutes=4)
    waiting = Waiting(id="w", tool="Bash", text="Bash: make\ninstall", since=NOON)
    runs = (Iteration(number=1, started_at=NOON, outcome="again"), Iteration(number=2, started_at=NOON))
    limited = {"state": "error", "why": "rate limit", "detail": "no\x1b[31m", "loop_limit": 5, "iterations": runs}
    agents = (
        agent(state="waiting", why="permission", since=since, title="Fix", cost=1.5, turns=3, waiting=waiting),
        agent(id="2", since=since, **limited),
    )
    box.answers["agent.list"] = AgentListResult(agents=agents)
    said = hero_dev.says("agents").splitlines()
    assert "waiting: permission" in said[1]
    assert "Bash: make install" in said[1]
    assert "$1.50" in said[1]
    assert "2/5" in said[2]
    assert "\x1b" not in said[2]
    assert box.params("agent.list").ended is False
    box.answers["agent.list"] = AgentListResult()
    assert "No agent runs" in hero_dev.says("agents")
    hero_dev.says("agents", "--all")
    assert box.params("agent.list").ended is True


def test_everybodys_are_named_with_their_slot(box: Canned, hero_dev: Line) -> None:
    slot = SlotStatus(box="x", slot="mik", seen_at=NOON, agents=(agent(slot="mik", state="working"),))
    box.answers["fleet.snapshot"] = FleetSnapshot(box="x", seq=0, trunk="development", slots=(slot,), time=NOON)
    assert "mik/3" in hero_dev.says("agents", "--team")


def test_a_log_is_printed_of_an_own_agent_and_of_a_teammates(box: Canned, hero_dev: Line) -> None:
    lines = (line(1, "prompt", "do\nit"), line(2, "tool", "make\x1b]0;x\x07", "Bash"), line(3, "answer", "done"))
    box.answers["agent.log"] = box.answers["peek.agent_log"] = AgentLogResult(lines=lines)
    said = hero_dev.says("agent-log", "3", "-n", "7").splitlines()
    assert [one.split(maxsplit=1)[1] for one in said if one[:1].isdigit()] == ["> do", "* Bash: make", "done"]
    assert said[1].strip() == "it"
    assert (box.params("agent.log").agent, box.params("agent.log").limit) == ("3", 7)
    hero_dev.says("agent-log", "mik/3")
    assert box.params("peek.agent_log").user == "mik"
    assert json.loads(hero_dev.says("agent-log", "--json", "3").splitlines()[0])["text"] == "do\nit"


def test_something_is_said_or_commanded_but_not_both(box: Canned, hero_dev: Line) -> None:
    box.answers["agent.send"] = AgentSent(state="queued", pending=1)
    assert "end of its turn" in hero_dev.says("agent-send", "3", "rebase", "first")
    assert box.params("agent.send").text == "rebase first"
    box.answers["agent.command"] = Empty()
    hero_dev.says("agent-send", "3", "--interrupt")
    assert box.params("agent.command").command == "interrupt"
    hero_dev.says("agent-send", "3", code=USAGE)
    hero_dev.says("agent-send", "3", "--clear", "x", code=USAGE)


@pytest.mark.parametrize("verb", ["agent-stop", "agent-resume"])
def test_one_is_ended_and_gone_on_with(box: Canned, hero_dev: Line, verb: str) -> None:
    method = verb.replace("-", ".")
    box.answers[method] = agent(state="gone")
    assert "Agent 3" in hero_dev.says(verb, "3")
    assert box.params(method).agent == "3"


@pytest.mark.parametrize("inside", [True, False])
def test_attaching_becomes_tmux(
    box: Canned, hero_dev: Line, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    became: list[list[str]] = []

    def become(_: str, argv: list[str]) -> None:
        became.append(argv)
        raise Became

    box.answers["agent.attach"] = AgentAttach(socket="/run/t.sock", session="hero-agents", window="@3")
    monkeypatch.setattr("os.isatty", lambda _: True)
    monkeypatch.setattr("os.execv", become)
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/tmux")
    monkeypatch.setenv("TMUX", "/run/t.sock,1,0" if inside else "/run/other.sock,1,0")
    with pytest.raises(Became):
        hero_dev.says("agent-attach", "3")
    verb = "switch-client" if inside else "attach-session"
    assert became == [["/usr/bin/tmux", "-S", "/run/t.sock", verb, "-t", "=hero-agents:@3"]]
