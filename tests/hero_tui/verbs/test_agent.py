"""`hero_dev agent` and `a N`: what is asked of the slot, and what is said of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backends.model.agent_calls import AgentStarted
from backends.model.agents import Agent
from backends.model.errors import HeroError
from hero_tui.cli import agent_main
from hero_tui.verbs.exits import DONE, FAILED, USAGE
from tests.hero_tui.standard_input import on_standard_input
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def agent(**more: Any) -> Agent:
    fields = {"id": "3", "slot": "alice", "session": "s", "since": NOON, "started_at": NOON}
    shown = {"credential": "org-key-2", "service": "web", "branch": "development"}
    return Agent.model_validate({**fields, **shown, **more})


def test_it_starts_one_and_says_where_to_look(box: Canned, hero_dev: Line) -> None:
    box.answers["agent.start"] = AgentStarted(agent=agent())
    said = hero_dev.says("agent", "--effort", "4", "--plan", "--worktree", "topic", "fix", "the", "tests")
    assert said.startswith("Agent 3 works in web development, on org-key-2.")
    asked = box.params("agent.start")
    assert (asked.prompt, asked.effort, asked.mode, asked.branch) == ("fix the tests", "xhigh", "plan", "topic")


def test_a_2_is_effort_2(box: Canned, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    box.answers["agent.start"] = AgentStarted(agent=agent())
    monkeypatch.setenv("HERO_BOX", str(box.root))
    monkeypatch.setenv("HERO_SLOT", "alice")
    assert agent_main(["2", "go"]) == DONE
    assert (box.params("agent.start").effort, box.params("agent.start").prompt) == ("medium", "go")
    assert "Agent 3" in capsys.readouterr().out


def test_the_worktree_that_one_stands_in_is_meant(
    box: Canned, hero_dev: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.answers["agent.start"] = AgentStarted(agent=agent())
    inside = box.root / "home" / "alice" / "hero" / "src" / "web" / "topic" / "lib"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    hero_dev.says("agent", "go")
    assert box.params("agent.start").worktree == str(Path.cwd().resolve())
    hero_dev.says("agent", "--service", "db", "go")
    assert box.params("agent.start").worktree == ""


def test_a_prompt_may_come_from_standard_input(
    box: Canned, hero_dev: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.answers["agent.start"] = AgentStarted(agent=agent())
    on_standard_input(monkeypatch, "one\n$(two)\n")
    hero_dev.says("agent", "-")
    assert box.params("agent.start").prompt == "one\n$(two)\n"


def test_warnings_and_refusals_are_said(box: Canned, hero_dev: Line) -> None:
    box.answers["agent.start"] = AgentStarted(agent=agent(), warnings=("Agent 1 works there too.",))
    assert "Agent 1 works there too." in hero_dev.says("agent", "go")
    box.answers["agent.start"] = HeroError("denied", "Nobody pays.", hint="Run `claude login`.")
    assert "claude login" in hero_dev.says("agent", "go", code=FAILED)


@pytest.mark.parametrize(
    "words",
    [
        ("--until", "make", "go"),
        ("--loop", "3"),
        ("--issue", "https://forge/x/issues/1", "--service", "web"),
        ("--effort", "6", "go"),
        ("--attach", "go"),
    ],
)
def test_what_makes_no_sense_is_refused_or_needs_a_terminal(
    box: Canned, hero_dev: Line, words: tuple[str, ...]
) -> None:
    hero_dev.says("agent", *words, code=USAGE)
    assert box.asked == []


def test_in_json_it_is_the_answer(box: Canned, hero_dev: Line) -> None:
    box.answers["agent.start"] = AgentStarted(agent=agent())
    assert json.loads(hero_dev.says("agent", "--json", "go"))["agent"]["id"] == "3"
