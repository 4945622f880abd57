"""The index of shown rows is the same whether it is built at once, in slices, or around late lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.widgets.log_buffer import LogBuffer, LogLine
from screens.widgets.log_filter import parse_filter
from screens.widgets.log_index import LogIndex
from screens.widgets.log_scene import LogScene
from screens.widgets.sgr import plain, wrap_points

LINE = st.tuples(st.floats(0, 50), st.text(alphabet="ab漢 ", max_size=30))
BATCHES = st.lists(st.lists(LINE, max_size=10), max_size=6)


def layout(index: LogIndex) -> list[tuple[int, int] | None]:
    return [index.locate(row) for row in range(index.rows)]


def expected(buffer: LogBuffer, needle: str, width: int | None) -> list[tuple[int, int]]:
    rows = []
    for number in range(buffer.first, buffer.end):
        text = plain(buffer.line(number).text)
        if needle in text:
            parts = len(wrap_points(text, width)) if width else 1
            rows += [(number, part) for part in range(parts)]
    return rows


@given(
    BATCHES, st.sampled_from(["", "a", "ab"]), st.sampled_from([None, 4, 9]), st.integers(3, 40), st.integers(1, 7)
)
def test_slices_late_lines_and_a_full_buffer_come_to_the_same(
    batches: list[list[tuple[float, str]]], needle: str, width: int | None, limit: int, piece: int
) -> None:
    scene = LogScene(limit)
    scene.matcher = parse_filter(needle)
    scene.restart(width)
    for batch in batches:
        scene.append([LogLine("s", time, text) for time, text in batch])
        scene.advance(piece)
    while not scene.complete:
        scene.advance(piece)
    scene.advance(0)
    rows = expected(scene.buffer, needle, width)
    assert layout(scene.shown) == rows
    for row, (number, part) in enumerate(rows):
        assert scene.shown.row_of(number) == row - part


def test_next_and_previous_lines_are_found_from_anywhere() -> None:
    buffer = LogBuffer()
    buffer.append([LogLine("s", None, "hit" if n % 3 == 0 else "miss") for n in range(10)])
    index = LogIndex(buffer, parse_filter("hit"))
    index.advance(100)
    assert [index.next_line(4, 1), index.next_line(4, -1), index.next_line(9, 1), index.next_line(0, -1)] == [
        6,
        3,
        None,
        None,
    ]


def test_the_held_line_stays_the_same_when_late_lines_come_before_it() -> None:
    scene = LogScene(100)
    scene.append([LogLine("a", float(n), str(n)) for n in range(0, 20, 2)])
    scene.keep_top(5)
    assert scene.append([LogLine("b", 3.0, "late"), LogLine("b", 5.0, "late")])
    row = scene.top_row()
    assert row == 7
    place = scene.shown.locate(row)
    assert place is not None
    assert scene.buffer.line(place[0]).text == "10"


def test_progress_tells_how_much_was_looked_at() -> None:
    buffer = LogBuffer()
    buffer.append([LogLine("s", None, "x")] * 10)
    index = LogIndex(buffer, parse_filter("x"))
    assert (index.progress, index.complete) == (0.0, False)
    index.advance(5)
    assert index.progress == pytest.approx(0.5)
    index.advance(5)
    assert (index.progress, index.complete) == (1.0, True)
