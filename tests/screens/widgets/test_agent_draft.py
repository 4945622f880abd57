"""What is checked of a new agent before it is sent."""

from __future__ import annotations

import pytest

from backends.model.claude import ClaudeProgram
from screens.widgets.agent_draft import Draft, credential_sentence, flaw_of, neighbours, start_params
from tests.hero_tui.agents import agent, claude_status


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (Draft(loop="many"), "loop"),
        (Draft(prompt="go", loop="1001"), "loop"),
        (Draft(prompt="go", loop="٣"), "loop"),
        (Draft(prompt="go", until="cargo test"), "loop"),
        (Draft(loop="3"), "prompt"),
        (Draft(issue="7"), "issue"),
        (Draft(issue="https://forge.example/team/hero_db"), "issue"),
        (Draft(issue="javascript://x/y/z/issues/7"), "issue"),
        (Draft(model="opus; rm -rf"), "model"),
        (Draft(model="--dangerously-skip-permissions"), "model"),
        (Draft(prompt="x" * 2_000_001), "prompt"),
    ],
)
def test_what_cannot_be_is_not_sent(draft: Draft, field: str) -> None:
    flaw = flaw_of(draft)
    assert flaw is not None
    assert flaw.field == field


@pytest.mark.parametrize(
    "draft",
    [
        Draft(),
        Draft(prompt="quotes ' \" ; $(x) `y`\nand lines"),
        Draft(prompt="go", loop="10", until="cargo test"),
        Draft(issue="https://forge.example/team/hero_db/issues/7", loop="2"),
        Draft(model="claude-opus-5-5[1m]"),
    ],
)
def test_what_can_be_is(draft: Draft) -> None:
    assert flaw_of(draft) is None


def test_a_path_is_a_worktree_and_a_name_a_branch() -> None:
    path = start_params(Draft(service="hero_db", branch="/home/alice/hero/src/x", effort=4))
    assert (path.service, path.branch, path.worktree, path.effort) == ("", "", "/home/alice/hero/src/x", "xhigh")
    name = start_params(Draft(service="hero_db", branch="development_alice"))
    assert (name.service, name.branch, name.worktree) == ("hero_db", "development_alice", "")


def test_two_agents_in_one_worktree_are_warned_of() -> None:
    there = [agent("1"), agent("2", state="gone"), agent("3", branch="other")]
    draft = Draft(service="hero_router", branch="development_alice")
    assert neighbours(draft, there) == "alice/1 works in that worktree already."
    assert neighbours(Draft(service="hero_db", branch="development_alice"), there) == ""


def test_the_credential_is_told_with_the_reason() -> None:
    told = credential_sentence(claude_status())
    assert told == ("runs on org-key-2 · Has an admin assigned an org key? yes, two", True)


def test_without_a_credential_it_says_what_to_do() -> None:
    sentence, works = credential_sentence(claude_status("none"))
    assert "Run `claude login` or ask an admin" in sentence
    assert not works


def test_without_the_program_it_says_how_to_get_it() -> None:
    status = claude_status(program=ClaudeProgram(hint="npm install …"))
    assert credential_sentence(status) == ("There is no `claude` here. npm install …", False)
