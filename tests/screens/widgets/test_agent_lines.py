"""Entries of an agent's log as rows: broken at spaces, harmless, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.widgets.agent_lines import KINDS, LONGEST, rows_of, wrapped
from tests.hero_tui.agents import entry
from tests.screens.widgets.samples import is_harmless


def text_of(kind: str, text: str, width: int = 40, *, tool: str = "", brief: bool = False) -> list[str]:
    rows = rows_of(entry(1, kind, text, tool), width, brief=brief)
    return ["".join(part for part, _ in row) for row in rows]


def test_words_are_broken_at_spaces_and_keep_their_indent() -> None:
    assert list(wrapped("    one two three four", 14)) == ["    one two", "    three four"]
    assert list(wrapped("x" * 25, 10)) == ["x" * 10, "x" * 10, "x" * 5]
    assert list(wrapped("漢字漢字漢字", 5)) == ["漢字", "漢字", "漢字"]


def test_lines_stay_lines_and_empty_ones_at_the_end_are_left_out() -> None:
    assert text_of("answer", "one\n\ntwo\n\n\n") == ["● one", "  ", "  two"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_own_style_and_at_least_a_row(kind: str) -> None:
    ((lead, _), *_) = rows_of(entry(1, kind, ""), 40)
    assert lead[1] == f"said--sign-{kind}"


def test_a_tools_name_stands_out() -> None:
    row = rows_of(entry(1, "tool", "cargo test", "Bash"), 40)[0]
    assert row[1:] == (("Bash ", "said--name"), ("cargo test", "said--tool"))


def test_tools_and_results_are_short_where_they_are_glanced_at() -> None:
    assert text_of("result", "one\ntwo\nthree", brief=True) == ["╰ one (+2 lines)"]
    assert len(text_of("result", "\n".join("abcdefghijklmnopqrstuvwxyz"))) == 12
    assert text_of("tool", "x " * 90, tool="Bash", brief=True)[0].endswith("lines)")


def test_an_entry_without_end_is_cut_and_says_so() -> None:
    shown = text_of("answer", "word " * LONGEST)
    assert shown[-1].strip() == f"… {4 * LONGEST:,} more characters"


def test_escapes_and_overrides_do_not_get_through() -> None:
    shown = "".join(text_of("answer", "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b1m\u202eevil\r\x00 \u200b[red]x"))
    assert shown.isprintable()
    assert "[red]x" in shown


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.integers(1, 60), st.sampled_from(KINDS), st.booleans())
def test_no_row_is_wider_than_its_room(text: str, width: int, kind: str, brief: bool) -> None:
    for row in rows_of(entry(1, kind, text, "Bash"), width, brief=brief):
        assert sum(cell_len(part) for part, _ in row) <= max(width, 6)
        assert all(is_harmless(part) for part, _ in row)
