"""`hero_dev claude`: who pays and why, another preference, a login in front of the person."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backends.model.agent_calls import ClaudeStatus
from backends.model.claude import ClaudeProgram, Credential, OrgGrant, PersonalLogin, Preference, resolve
from hero_tui.render.claude import credential_name, status_lines
from hero_tui.render.signs import ASCII
from hero_tui.render.terminal import Terminal
from hero_tui.verbs.exits import DONE, FAILED, USAGE
from tests.hero_tui.verbs.canned import Canned
from tests.hero_tui.verbs.conftest import Line

PROGRAM = ClaudeProgram(path="/usr/local/bin/claude", version="2.1.329")
ENDS = datetime(2026, 12, 1, 10, tzinfo=UTC)
LOGIN = PersonalLogin(state="usable", plan="max", expires_at=ENDS)
NONE = PersonalLogin(state="absent")
COOLING = OrgGrant(state="cooling", names=("ORG_CLAUDE_KEY_2",), cooling_until=ENDS)


def status(
    preference: Preference = "auto",
    login: PersonalLogin = LOGIN,
    org: OrgGrant | None = None,
    program: ClaudeProgram = PROGRAM,
) -> ClaudeStatus:
    resolution = resolve(preference, login, org or OrgGrant(state="not_assigned"))
    return ClaudeStatus(resolution=resolution, program=program)


def test_it_says_who_pays_and_every_step_to_that(box: Canned, hero_dev: Line) -> None:
    box.answers["claude.status"] = status()
    said = hero_dev.says("claude", "status")
    assert said.splitlines() == [
        "✓ personal",
        "",
        "     Which credential do you prefer?  auto",
        "  →  Does your own login work?        yes, plan max, ends 2026-12-01 10:00 UTC",
        "     Does an org key pay?             not needed",
        "",
        "claude 2.1.329 /usr/local/bin/claude",
    ]


def test_where_nobody_pays_it_says_what_to_do_and_fails(box: Canned, hero_dev: Line) -> None:
    box.answers["claude.status"] = status(login=NONE)
    said = hero_dev.says("claude", "status", code=FAILED)
    assert "✗ none" in said
    assert "Run `claude login` or ask an admin to assign you an org key." in said


def test_keys_that_cool_down_are_told(box: Canned, hero_dev: Line) -> None:
    box.answers["claude.status"] = status(login=NONE, org=COOLING)
    assert hero_dev.says("claude", "status").startswith("✓ org-key-2 cooling down\n")


def test_without_the_program_it_says_how_to_install_it(box: Canned, hero_dev: Line) -> None:
    box.answers["claude.status"] = status(program=ClaudeProgram(hint="Install it: `npm install -g x`."))
    assert "npm install -g x" in hero_dev.says("claude", "status")


def test_another_credential_is_preferred(box: Canned, hero_dev: Line) -> None:
    box.answers["claude.use"] = lambda params: status(params.preference, org=COOLING)
    assert hero_dev.says("claude", "use", "org").startswith("✓ org-key-2")
    assert box.params("claude.use").preference == "org"
    assert hero_dev.says("-q", "claude", "use", "personal") == ""


def test_json_is_the_slots_own_answer(box: Canned, hero_dev: Line) -> None:
    box.answers["claude.status"] = box.answers["claude.use"] = status()
    expected = json.loads(status().model_dump_json())
    assert hero_dev.answers("claude", "status") == expected
    assert hero_dev.answers("claude", "use", "auto") == expected


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "required"),
        (("use",), "required"),
        (("use", "persnal"), "did you mean `personal`?"),
        (("stats",), "invalid choice"),
        (("status", "now"), "one word too many"),
        (("login", "--json"), "has no JSON"),
    ],
)
def test_what_is_not_understood_is_told(hero_dev: Line, words: tuple[str, ...], told: str) -> None:
    assert told in hero_dev.says("claude", *words, code=USAGE)


def test_a_login_is_the_programs_own_without_other_credentials(
    hero_dev: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "claude"
    told = '[ "$1" = --version ] && echo "2.1.329 (Claude Code)" && exit\n'
    program.write_text(f'#!/bin/sh\n{told}env > {tmp_path}/seen; echo "$@" >> {tmp_path}/seen\n')
    program.chmod(0o755)
    monkeypatch.setenv("HERO_CLAUDE", str(program))
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-x")
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", "/elsewhere")
    assert "logged in" in hero_dev.says("claude", "login", code=DONE)
    seen = (tmp_path / "seen").read_text()
    assert seen.endswith("auth login\n")
    assert "ANTHROPIC" not in seen
    assert "CLAUDE_CONFIG_DIR" not in seen
    program.write_text(f"#!/bin/sh\n{told}exit 1\n")
    assert "did not succeed" in hero_dev.says("claude", "login", code=FAILED)


def test_without_the_program_a_login_says_how_to_install_it(
    hero_dev: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HERO_CLAUDE", str(tmp_path / "nowhere"))
    assert "npm install -g" in hero_dev.says("claude", "login", code=USAGE)


def test_names_of_keys_read_like_the_models() -> None:
    for kind, key in (("personal", ""), ("none", ""), ("org", "ORG_CLAUDE_KEY_12"), ("org", "OTHER_KEY")):
        credential = Credential.model_validate({"kind": kind, "key": key})
        assert credential_name(credential.model_dump()) == credential.name


def test_words_from_outside_bring_no_escape_and_lines_fit(box: Canned) -> None:
    login = PersonalLogin(state="unreadable", detail="\x1b[31m" + "long words " * 20)
    data = json.loads(status(login=login, program=ClaudeProgram(path="/x\x1b[0m", version="1")).model_dump_json())
    lines = status_lines(data, Terminal(width=80, signs=ASCII))
    assert not any("\x1b" in line for line in lines)
    assert max(map(len, lines)) <= 100
