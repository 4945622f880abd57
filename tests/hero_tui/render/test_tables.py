"""Tables and text fit the terminal, whatever stands in them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import cells, clean, cut, cut_middle, cut_start, wrap

COLUMNS = (
    Column("service", 0, 8, cut_middle),
    Column("branch", 1, 8, cut_middle),
    Column("health", 2, 1),
    Column("hash", 3),
    Column("where", 4, 10, cut_start),
)
WORDS = st.text(max_size=40).map(clean)


def row(service: str, branch: str, hash8: str = "1c487cb1", where: str = "") -> list[Cell]:
    return [Cell(service), Cell(branch), Cell("● healthy", "good", "●"), Cell(hash8), Cell(where)]


@given(st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS), min_size=1, max_size=4), st.integers(8, 120))
def test_no_line_of_a_table_is_wider_than_the_terminal(rows: list[tuple[str, str, str, str]], width: int) -> None:
    for line in table(COLUMNS, [row(*one) for one in rows], Terminal(width)):
        assert cells(line) <= width


def test_without_a_width_nothing_is_cut() -> None:
    long = "development_" + "x" * 200
    assert long in table(COLUMNS, [row("hero_router", long)], Terminal())[1]


def test_columns_that_say_nothing_are_left_out() -> None:
    assert "WHERE" not in table(COLUMNS, [row("a", "b")], Terminal())[0]


def test_the_least_important_columns_go_first_and_health_stays_as_a_sign() -> None:
    lines = table(COLUMNS, [row("hero_router", "development_mik", where="/a/b/c/d/e/f")], Terminal(34))
    assert lines == ["SERVICE      BRANCH    H  HASH", "hero_router  deve…mik  ●  1c487cb1"]


def test_a_branch_is_cut_in_its_middle_and_a_path_at_its_start() -> None:
    assert cut_middle("development_mikhail", 11) == "devel…khail"
    assert cut_start("/home/alice/web.sock", 9) == "…web.sock"
    assert cut("abcdef", 4) == "abc…"


def test_wide_characters_count_as_two_cells() -> None:
    assert cells("箱箱") == 4
    assert cells(cut("箱箱箱", 4)) <= 4


@given(st.text(max_size=80))
def test_no_escape_sequence_gets_through(text: str) -> None:
    shown = clean(f"\x1b]0;title\x07{text}\x1b[2J\x9b1m\r\n\u202e")
    assert not set(shown) & set("\x1b\x07\x9b\r\n\u202e")


@given(st.text("abc ", max_size=80), st.integers(6, 40))
def test_wrapped_lines_fit(text: str, width: int) -> None:
    assert all(cells(line) <= width for line in wrap(text, width, "  "))
