"""Verbs of `hero_dev` on the `:` line: told from the cockpit's commands, completed, sorted by what they may do."""

from __future__ import annotations

import pytest

from backends.model.errors import HeroError
from hero_tui import verb_lines
from hero_tui.commands import complete, offered, verb_words
from hero_tui.store import Fleet, with_snapshot
from hero_tui.verbs import VERBS, parsing
from tests.hero_tui.fleets import snapshot

FLEET = with_snapshot(Fleet(), snapshot()).view


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("status", ["status"]),
        ("restart hero_db", None),
        ("restart --plan hero_db", ["restart", "--plan", "hero_db"]),
        ("!restart hero_db", ["restart", "hero_db"]),
        ("! restart hero_db", ["restart", "hero_db"]),
        ("team alice", None),
        ("team plan", ["team", "plan"]),
        ("nonsense", None),
        ("!", None),
    ],
)
def test_a_line_is_a_verbs_where_the_cockpit_has_no_such_command(line: str, words: list[str] | None) -> None:
    assert verb_words(line.split()) == words


@pytest.mark.parametrize(
    ("line", "looks"),
    [
        ("status --all", True),
        ("logs hero_db -n 20", True),
        ("switch hero_db x", False),
        ("switch --plan hero_db x", True),
        ("agent --plan Why?", False),
        ("build log b-1", True),
        ("build cancel b-1", False),
        ("doctor", True),
        ("doctor --fix", False),
        ("hooks", True),
        ("hooks install", False),
        ("team status", True),
        ("team apply", False),
        ("box down", False),
        ("secrets push", False),
    ],
)
def test_what_only_looks_is_known(line: str, looks: bool) -> None:
    assert verb_lines.only_looks(line.split()) is looks


def test_every_verb_that_is_said_to_look_exists() -> None:
    assert set(verb_lines.LOOKS) <= set(VERBS)


@pytest.mark.parametrize("line", ["login", "secrets edit", "claude login", "agent-attach 3"])
def test_what_talks_with_a_person_is_known(line: str) -> None:
    assert verb_lines.needs_terminal(line.split())
    assert not verb_lines.needs_terminal(["status"])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("stat", ["status"]),
        ("!res", ["!restart"]),
        ("status hero_r", ["status hero_router"]),
        ("status --a", ["status --all"]),
        ("restart --pl", ["restart --plan"]),
        ("!restart hero_d", ["!restart hero_db"]),
        ("start hero_db -q hero_ro", ["start hero_db -q hero_router"]),
        ("peek m", ["peek mik"]),
        ("!start hero_db hero_ro", ["!start hero_db hero_router"]),
        ("sync ", []),
    ],
)
def test_lines_are_completed_from_the_verbs_own_grammar(text: str, lines: list[str]) -> None:
    assert complete(text, FLEET) == lines


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_can_be_completed(verb: str) -> None:
    options = complete(f"!{verb} --", FLEET)
    assert f"!{verb} --json" in options
    complete(f"!{verb} ", FLEET)


def test_read_only_offers_nothing_that_changes() -> None:
    told = offered(read_only=True)
    assert "status" in told
    assert "fleet" in told
    assert not {"restart", "switch", "sync", "agent", "tell", "bind", "login"} & set(told)
    assert complete("restart hero_", FLEET, read_only=True) == []


def test_a_line_that_the_verb_would_not_understand_is_refused_before_it_runs() -> None:
    with pytest.raises(HeroError, match="'--al'"):
        verb_lines.check(["status", "--al"])
    verb_lines.check(["status", "--help"])
    assert parsing.parser_of("status")
