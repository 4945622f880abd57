"""A prompt arrives as text: nothing in it is a command, an escape, or a way to have a file read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.claude.prompt import ARGUMENT_LIMIT, as_prompt, is_long


@pytest.mark.parametrize(
    "text", ["/clear", "  /clear", "\n/clear\n", "\t/clear", "exit", " quit ", ":wq!", "\x1b[A/clear"]
)
def test_what_would_be_a_command_is_made_a_task(text: str) -> None:
    assert as_prompt(text).startswith("Task: ")


@pytest.mark.parametrize(
    "text", ["fix it", "-p hi", "--help", "two\nlines\twith a tab", '\'; rm -rf "$(pwd)" `id`', ""]
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert as_prompt(text) == text


def test_only_foreign_text_loses_its_way_to_have_files_read() -> None:
    text = 'see @/etc/passwd, (@~/.ssh/id_rsa) and @"a b"; ask me@example.test'
    assert as_prompt(text) == text
    assert as_prompt(text, foreign=True) == 'see @ /etc/passwd, (@ ~/.ssh/id_rsa) and @ "a b"; ask me@example.test'


@given(st.text(), st.booleans())
def test_no_text_brings_a_control_character_or_a_command_along(text: str, foreign: bool) -> None:
    prompt = as_prompt(text, foreign=foreign)
    assert all(one in "\n\t" or ord(one) >= 32 for one in prompt)
    assert "\x7f" not in prompt
    assert not any("\x80" <= one <= "\x9f" for one in prompt)
    assert not prompt.lstrip().startswith("/")
    prompt.encode("utf-8")


@given(st.text(alphabet="@ /~.a\u200b\n", max_size=20))
def test_foreign_text_mentions_no_file(text: str) -> None:
    prompt = as_prompt(text, foreign=True)
    assert not any(word.startswith("@") and len(word) > 1 for word in prompt.split())


def test_the_limit_is_in_bytes() -> None:
    assert not is_long("a" * ARGUMENT_LIMIT)
    assert is_long("ä" * (ARGUMENT_LIMIT // 2 + 1))
