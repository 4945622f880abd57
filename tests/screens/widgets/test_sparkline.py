"""Sparklines: as wide as asked, no louder than the numbers are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.widgets.glyphs import ASCII, UNICODE
from screens.widgets.sparkline import sparkline


@given(st.lists(st.floats(0, 1e9), max_size=60), st.integers(0, 40), st.sampled_from([UNICODE, ASCII]))
def test_it_takes_exactly_its_width(values: list[float], width: int, glyphs: object) -> None:
    assert cell_len(sparkline(values, width, glyphs)) == width  # type: ignore[arg-type]


def test_the_newest_stand_at_the_right() -> None:
    assert sparkline([1, 100, 1, 50, 100], 3) == "▁▄█"
    assert sparkline([1, 100], 4) == "  ▁█"


def test_what_hardly_differs_is_no_peak() -> None:
    assert set(sparkline([40, 41, 42, 40], 4)) <= {"▄", "▅"}


def test_nothing_and_zero_are_drawn_too() -> None:
    assert sparkline([], 3) == "   "
    assert sparkline([0, 0], 2) == "▁▁"


def test_a_poor_terminal_gets_ascii() -> None:
    assert sparkline([1, 100], 2, ASCII) == "_#"


def test_figures_beyond_all_measure_are_left_out() -> None:
    assert sparkline([1.7e308, -1.7e308], 2) == "  "
