"""A row of a log is exactly as wide as its look, and shows what there is in it, whatever that is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size
from rich.style import Style

from backends.client.log_filter import parse_filter
from backends.client.log_lines import LogLine
from screens.widgets.log_paint import PARTS, LogLook, LogRows

LOOK = LogLook(styles=dict.fromkeys(PARTS, Style.null()), base=Style.null(), width=80, sources={"a": 0})
PIECES = st.one_of(
    st.text(max_size=10),
    st.sampled_from(["\x1b[31m", "\x1b[0m", "\x1b[38;2;1;2;3m", "\x1b]0;x", "\t", "\r", "x" * 50]),
    st.sampled_from(
        ["漢", "e\u0301", "\u0301", "👍🏻", "🇩🇪", "👩\u200d🚀", "☎\ufe0f", "\u202e", '{"a": [1, "', '"]}']
    ),
)


def painted(text: str, look: LogLook) -> list[str]:
    rows = LogRows(LogLine("a", 1.0, text), look)
    return ["".join(segment.text for segment in rows.paint(part, False)) for part in range(len(rows))]


@settings(deadline=None, max_examples=200)
@given(
    st.lists(PIECES, max_size=12).map("".join),
    st.integers(1, 60),
    st.integers(0, 40),
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
    st.sampled_from(["", "x", "漢", "~."]),
)
def test_every_row_is_as_wide_as_it_should_be(
    text: str, width: int, shift: int, modes: tuple[bool, bool, bool], typed: str
) -> None:
    wrap, json, times = modes
    look = replace(LOOK, width=width, wrap=wrap, json=json, times=times, matcher=parse_filter(typed))
    look = replace(look, shift=0 if wrap else shift)
    for row in painted(text, look):
        if look.gutter < width:
            assert cell_len(row) == sum(map(get_character_cell_size, row)) == width


@pytest.mark.parametrize("shift", [0, 40])
@pytest.mark.parametrize(
    "letter", ["\x1b[38;5;{0}mx\x1b[39m", "\x1b[38;2;{0};2;3mx", "x\u0300\u0301\u0302\u0303\u0304"]
)
def test_a_line_with_more_escapes_or_accents_than_letters_is_shown_to_the_edge(letter: str, shift: int) -> None:
    text = "".join(letter.format(100 + number % 100) for number in range(400))
    (row,) = painted(text, replace(LOOK, shift=shift))
    assert row.count("x") == 79
    assert row.endswith("›")


def test_a_progress_bar_of_any_length_shows_its_last_state() -> None:
    (row,) = painted("".join(f"\r{percent}% {'#' * percent}" for percent in range(101)), LOOK)
    assert row.startswith("100% ###")


def test_a_source_of_wide_letters_is_named_whole() -> None:
    look = replace(LOOK, sources={"漢字": 0, "b": 1})
    rows = LogRows(LogLine("漢字", None, "text"), look)
    assert "".join(segment.text for segment in rows.paint(0, False)).startswith("漢字 │ text")
