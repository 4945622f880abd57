"""What a killed program leaves of a conversation: what can be gone on with, and what is not in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backends.claude.transcript import is_spoken, lacks, put_aside

SESSION = "8c6a146f-50d4-4559-b563-6435fc320e43"
HEAD = [{"type": kind} for kind in ("custom-title", "agent-name", "mode", "file-history-snapshot")]
ASKED = {"type": "user", "promptId": "p-1", "message": {"role": "user", "content": "work"}}


def kept(config: Path, *lines: object, rest: str = "") -> Path:
    """A conversation of these lines, and the beginning of one more."""
    file = config / "projects" / "-some-place" / f"{SESSION}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{json.dumps(one)}\n" for one in lines) + rest)
    return file


@pytest.mark.parametrize("rest", ["", '{"type":"user","mess', "\0\0\0", '["user"]\n', '"user"\n'])
def test_a_file_without_a_word_in_it_is_put_aside_and_nothing_of_it_is_lost(tmp_path: Path, rest: str) -> None:
    file = kept(tmp_path, *HEAD, rest=rest)
    content = file.read_bytes()
    assert not is_spoken(tmp_path, SESSION)
    put_aside(tmp_path, SESSION)
    assert not file.exists()
    assert file.with_suffix(".empty").read_bytes() == content


@pytest.mark.parametrize("kind", ["user", "assistant", "attachment", "system"])
def test_one_word_is_enough_to_go_on_with_and_stays_where_it_is(tmp_path: Path, kind: str) -> None:
    file = kept(tmp_path, *HEAD, {"type": kind}, rest='{"type":"assist')
    assert is_spoken(tmp_path, SESSION)
    put_aside(tmp_path, SESSION)
    assert file.exists()


def test_a_session_that_never_began_has_nothing(tmp_path: Path) -> None:
    assert not is_spoken(tmp_path, SESSION)
    put_aside(tmp_path, SESSION)
    kept(tmp_path)
    assert not is_spoken(tmp_path, SESSION)


def test_a_prompt_is_missed_only_where_that_is_certain(tmp_path: Path) -> None:
    assert lacks(tmp_path, SESSION, "p-1")
    kept(tmp_path, *HEAD)
    assert lacks(tmp_path, SESSION, "")
    kept(tmp_path, *HEAD, ASKED)
    assert not lacks(tmp_path, SESSION, "p-1")
    assert lacks(tmp_path, SESSION, "p-2")
    assert not lacks(tmp_path, SESSION, "")
    kept(tmp_path, *HEAD, {"type": "user"})
    assert not lacks(tmp_path, SESSION, "p-2")
