"""What a verb is given: words or standard input, whole, bounded and readable whatever its bytes are."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from hero_tui.verbs.standard_input import text_of, unseen_line
from tests.hero_tui.standard_input import on_standard_input


@given(st.binary(max_size=200))
def test_any_bytes_are_a_text_that_can_be_sent(raw: bytes) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        on_standard_input(monkeypatch, raw)
        text = text_of(["-"])
    assert text == raw.decode("utf-8", "replace")
    assert text_of(["say", os.fsdecode(raw), "-"]) == f"say {text} -"
    text.encode()


def test_a_text_that_is_too_long_is_refused_and_one_that_is_not_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    on_standard_input(monkeypatch, b"x" * 2_000_000)
    assert len(text_of(["-"])) == 2_000_000
    on_standard_input(monkeypatch, b"x" * 2_000_001)
    with pytest.raises(HeroError, match="longer than 2,000,000 bytes"):
        text_of(["-"])


def test_without_standard_input_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert text_of(["-"]) == unseen_line("A token") == ""


@pytest.mark.parametrize("given", [b"a secret ", b"a secret \n", b"a secret \r\n"])
def test_a_line_is_taken_without_its_end(monkeypatch: pytest.MonkeyPatch, given: bytes) -> None:
    on_standard_input(monkeypatch, given)
    assert unseen_line("A token") == "a secret "


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (b"secret\nsecret", "more than one line"),
        (b"\nsecret", "more than one"),
        (b"secret" * 1000, "longer than 4,096"),
    ],
)
def test_what_is_no_line_is_refused_unseen(monkeypatch: pytest.MonkeyPatch, given: bytes, why: str) -> None:
    on_standard_input(monkeypatch, given)
    with pytest.raises(HeroError, match=why) as refused:
        unseen_line("A token")
    assert "secret" not in str(refused.value)
