"""Log lines keep their colours and lose everything else that could steer a terminal."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from screens.widgets.sgr import cut, overlay, plain, segments, wrap_points

NULL = Style.null()
ESCAPES = st.sampled_from(
    [
        "\x1b",
        "\x1b[",
        "\x1b[31m",
        "\x1b[0m",
        "\x1b]0;",
        "\x07",
        "\x1b\\",
        "\x1b[2J",
        "\x9b",
        "\t",
        "\r",
        "\n",
        "\ud800",
    ]
)
LINES = st.lists(ESCAPES | st.text(max_size=6), max_size=12).map("".join)


@given(LINES)
@example("\x1b]0;a\x1b[31mb\x07c")
@example("\x1b\x1b[31m[2J")
@example("a\u3000b\u00adc")
def test_no_line_can_steer_the_terminal(line: str) -> None:
    shown = plain(line)
    shown.encode()
    assert all(character.isprintable() or unicodedata.category(character) == "Co" for character in shown)


@given(LINES)
@example("\x1b]0;a\x1b[31mb\x07c")
def test_what_is_painted_is_what_is_searched(line: str) -> None:
    assert "".join(segment.text for segment in segments(line, NULL)) == plain(line)


@pytest.mark.parametrize(
    ("codes", "style"),
    [
        ("31", "color(1)"),
        ("1;31", "bold color(1)"),
        ("92", "color(10)"),
        ("41", "on color(1)"),
        ("38;5;201", "color(201)"),
        ("38;2;1;2;3", "#010203"),
        ("48;2;1;2;300", "on #0102ff"),
        ("38:5:201", "color(201)"),
        ("7;9", "reverse strike"),
        ("1;31;0", ""),
        ("", ""),
        ("1;22;3", "italic"),
        ("31;39", ""),
        ("38;5", ""),
        ("5;8;999", ""),
    ],
)
def test_colours_are_kept(codes: str, style: str) -> None:
    (segment,) = segments(f"\x1b[{codes}mx", NULL)
    assert segment.style == Style.parse(style)


def test_blinking_and_hidden_text_are_not_kept() -> None:
    (segment,) = segments("\x1b[5m\x1b[8mpassword", NULL)
    assert segment.style == NULL


def test_a_progress_bar_shows_its_last_state() -> None:
    assert plain("10%\r55%\r100%\r\n") == "100%"


def test_tabs_reach_the_same_columns_with_and_without_colours() -> None:
    assert plain("ab\tc") == plain("a\x1b[31mb\x1b[0m\tc") == "ab      c"


@given(st.text(alphabet="ab漢字é ", max_size=80), st.integers(2, 20))
def test_wrapped_rows_fit_and_lose_nothing(text: str, width: int) -> None:
    points = [*wrap_points(text, width), len(text)]
    rows = [text[start:stop] for start, stop in pairwise(points)]
    assert "".join(rows) == text
    assert all(cell_len(row) <= width for row in rows)


@given(LINES, st.data())
def test_an_overlay_changes_no_text(line: str, data: st.DataObject) -> None:
    painted = segments(line, NULL)
    size = len(plain(line))
    start = data.draw(st.integers(0, size))
    stop = data.draw(st.integers(start, size))
    marked = overlay(painted, [(start, stop)] if stop > start else [], Style.parse("reverse"))
    assert "".join(segment.text for segment in marked) == plain(line)
    assert sum(len(s.text) for s in marked if s.style and s.style.reverse) == stop - start or "\x1b" in line
    assert "".join(segment.text for segment in cut(painted, start, stop)) == plain(line)[start:stop]
