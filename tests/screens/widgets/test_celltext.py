"""Text from outside is cut to an exact width and cannot steer the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.widgets.celltext import (
    byte_count,
    clean,
    coarse_age,
    duration,
    fit,
    fit_middle,
    fit_right,
    short_branch,
)

HOSTILE = "\x1b]0;owned\x07\x1b[2Jbad\r\n\x9b31m\u202eevil\u202c\ud800"


@given(st.text(max_size=60), st.integers(0, 40))
def test_every_cut_is_exactly_as_wide_as_asked(text: str, width: int) -> None:
    for cut in (fit, fit_middle, fit_right, short_branch):
        assert cell_len(cut(text, width)) == width


@given(st.text(max_size=60))
def test_what_is_left_of_any_text_can_be_printed(text: str) -> None:
    shown = clean(text)
    shown.encode()
    assert all(character.isprintable() or unicodedata.category(character) == "Co" for character in shown)


def test_escapes_and_direction_marks_are_gone() -> None:
    shown = clean(HOSTILE)
    assert "owned" not in shown
    assert not set(shown) & set("\x1b\x9b\x07\r\n\u202e\u202c")


def test_a_combining_mark_cannot_reach_the_cell_before() -> None:
    assert cell_len(clean("\u0301x")[0]) == 1


def test_joined_emoji_have_a_width_that_every_terminal_agrees_on() -> None:
    assert "\u200d" not in clean("👩\u200d💻")
    assert "\ufe0f" not in clean("❤\ufe0f")


@pytest.mark.parametrize(
    ("branch", "width", "shown"),
    [
        ("development", 11, "development"),
        ("development", 10, "dev       "),
        ("development_mik", 10, "dev_mik   "),
        ("development_thabet", 8, "…thabet "),
        ("development_thabet", 6, "thabet"),
        ("feature/wide-search", 9, "feat…arch"),
    ],
)
def test_a_branch_keeps_the_part_that_tells_it_apart(branch: str, width: int, shown: str) -> None:
    assert short_branch(branch, width) == shown


AGES = {-5: "now", 0: "now", 59: "now", 60: "1m", 3599: "59m", 3600: "1h", 172799: "47h", 172800: "2d"}
OLD = {1209599: "13d", 1209600: "2w", 604800 * 104: "2y", 10**12: "99y"}


@pytest.mark.parametrize(("seconds", "age"), [*AGES.items(), *OLD.items()])
def test_ages_are_coarse_and_short(seconds: float, age: str) -> None:
    assert coarse_age(seconds) == age


@given(st.floats(0, 1e10))
def test_an_age_has_at_most_three_characters(seconds: float) -> None:
    assert len(coarse_age(seconds)) <= 3


def test_sizes_and_durations_read_well() -> None:
    assert [byte_count(n) for n in (0, 999, 1000, 20_100_000, 5e12)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "20.1 MB",
        "5.0 TB",
    ]
    assert [duration(n) for n in (-1, 4.9, 125, 4320)] == ["0s", "4s", "2m05s", "1h12m"]
