"""A session's command line and environment have one credential, and nothing that asks or runs unasked."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from backends.claude.seed import Planted
from backends.claude.session import SessionRequest, checked_model, has_conversation, launch
from backends.claude.unsetting import without
from backends.model.broker_calls import ClaudeKey
from backends.model.claude import NOBODY_PAYS
from backends.model.errors import HeroError

SECRET = "pass-that-nobody-may-see"
KEY = ClaudeKey(slot="ORG_CLAUDE_KEY_1", secret=SECRET, base_url="http://127.0.0.1:4711")


@pytest.fixture
def request_of(tmp_path: Path) -> Any:
    planted = Planted(tmp_path / "agent")
    planted.prompts.mkdir(parents=True)
    plain = SessionRequest(
        program=Path("/usr/bin/claude"),
        planted=planted,
        worktree=tmp_path,
        home=tmp_path / "home",
        session="7d4f6f6e-58fc-4a3c-9c8b-0e1f36b5b7a3",
        name="fix it",
        effort="low",
        credential="org",
        key=KEY,
    )
    return lambda **changes: dataclasses.replace(plain, **changes)


def after(argv: tuple[str, ...], option: str) -> str:
    return argv[argv.index(option) + 1]


def test_model_effort_and_mode_are_always_said(request_of: Any) -> None:
    argv = launch(request_of(mode="plan", effort="max", model="sonnet"), {}).argv
    assert after(argv, "--permission-mode") == "plan"
    assert after(argv, "--effort") == "max"
    assert after(argv, "--model") == "sonnet"
    assert after(argv, "--setting-sources") == "user"
    assert "--strict-mcp-config" in argv


def test_the_orgs_key_goes_by_descriptor_and_is_nowhere_else(request_of: Any) -> None:
    found = launch(request_of(), {})
    assert (found.secret, found.variable) == (SECRET, "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR")
    assert found.env["ANTHROPIC_BASE_URL"] == KEY.base_url
    assert "CLAUDE_SECURESTORAGE_CONFIG_DIR" not in found.env
    assert SECRET not in repr(found)
    assert SECRET not in "".join((*found.argv, *found.env.values()))
    assert SECRET not in repr(request_of())


def test_a_token_goes_by_the_descriptor_for_tokens(request_of: Any) -> None:
    found = launch(request_of(key=KEY.model_copy(update={"oauth": True, "base_url": ""})), {})
    assert found.variable == "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR"
    assert "ANTHROPIC_BASE_URL" not in found.env


def test_a_personal_login_is_read_where_it_is_and_nothing_is_handed_over(request_of: Any, tmp_path: Path) -> None:
    found = launch(request_of(credential="personal", key=None), {})
    assert found.env["CLAUDE_SECURESTORAGE_CONFIG_DIR"] == str(tmp_path / "home" / ".claude")
    assert (found.secret, found.variable) == ("", "")


def test_a_session_that_nobody_pays_for_is_not_started(request_of: Any) -> None:
    for changes in ({"credential": "none"}, {"key": None}):
        with pytest.raises(HeroError) as caught:
            launch(request_of(**changes), {})
        assert caught.value.hint == NOBODY_PAYS


@pytest.mark.parametrize(
    "name",
    [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "ANTHROPIC_MODEL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR",
        "CLAUDE_CODE_API_KEY_HELPER_TTL_MS",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_VERTEX",
        "CLAUDE_CODE_EFFORT_LEVEL",
        "CLAUDE_CONFIG_DIR",
        "CLAUDE_SECURESTORAGE_CONFIG_DIR",
        "CLAUDECODE",
        "AWS_BEARER_TOKEN_BEDROCK",
        "MAX_THINKING_TOKENS",
    ],
)
def test_what_could_add_a_credential_or_lead_elsewhere_is_unset(request_of: Any, name: str) -> None:
    environment = {name: "x", "PATH": "/bin", "HTTPS_PROXY": "http://proxy"}
    assert without(environment, launch(request_of(), {}).unset) == {"PATH": "/bin", "HTTPS_PROXY": "http://proxy"}


def test_no_proxy_sees_what_goes_to_the_relay(request_of: Any) -> None:
    env = launch(request_of(), {"NO_PROXY": "corp.example"}).env
    assert env["NO_PROXY"] == env["no_proxy"] == "corp.example,127.0.0.1,localhost,::1"


@pytest.mark.parametrize("prompt", ["-p hi", "--dangerously-skip-permissions", "'; $(id) `id`", "a\nb\tc"])
def test_the_prompt_is_the_last_word_and_no_option(request_of: Any, prompt: str) -> None:
    argv = launch(request_of(prompt=prompt), {}).argv
    assert argv[-2:] == ("--", prompt)


def test_without_a_prompt_nothing_is_said(request_of: Any) -> None:
    assert "--" not in launch(request_of(), {}).argv


def test_a_prompt_of_a_megabyte_goes_into_a_file_that_the_argument_names(request_of: Any) -> None:
    prompt = "'quoted' $(id)\n" * 70_000
    argv = launch(request_of(prompt=prompt), {}).argv
    (file,) = request_of().planted.prompts.iterdir()
    assert file.read_text() == prompt.strip("\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in argv[-1]
    assert len(argv[-1]) < 1000


def test_a_name_that_looks_like_an_option_is_none(request_of: Any) -> None:
    assert "--name=-p \ufffd" in launch(request_of(name="-p \x07"), {}).argv


def test_resuming_names_the_session(request_of: Any) -> None:
    argv = launch(request_of(resume=True), {}).argv
    assert after(argv, "--resume") == request_of().session
    assert "--session-id" not in argv


def test_a_model_is_a_name() -> None:
    assert checked_model("") == "opus"
    assert checked_model("claude-opus-5-5[1m]") == "claude-opus-5-5[1m]"
    for bad in ("--help", "a b", "a\n", "x" * 101):
        with pytest.raises(HeroError, match="no model's name"):
            checked_model(bad)


def test_a_conversation_is_there_once_the_program_keeps_one(request_of: Any) -> None:
    request = request_of()
    assert not has_conversation(request.planted, request.session)
    folder = request.planted.config / "projects" / "-x"
    folder.mkdir(parents=True)
    (folder / f"{request.session}.jsonl").write_text('{"type":"mode"}\n{"type":"user"}\n')
    assert has_conversation(request.planted, request.session)


def test_what_a_slot_adds_is_there(request_of: Any) -> None:
    found = launch(request_of(env={"HERO_SLOT": "sara"}, instructions="Be brief."), os.environ)
    assert found.env["HERO_SLOT"] == "sara"
    assert "--append-system-prompt=Be brief." in found.argv
