"""The lines that are kept are the same whether they are found at once, in slices, or around late lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.client.log_filter import parse_filter
from screens.widgets.log_buffer import LogBuffer, LogLine
from screens.widgets.log_index import LogIndex
from screens.widgets.log_stream import LogStream

LINE = st.tuples(st.floats(0, 50), st.text(alphabet="ab漢 ", max_size=12))
BATCHES = st.lists(st.lists(LINE, max_size=10), max_size=6)


@given(BATCHES, st.sampled_from(["a", "ab", "!a"]), st.integers(3, 40), st.integers(1, 7))
def test_slices_late_lines_and_a_full_memory_come_to_the_same(
    batches: list[list[tuple[float, str]]], typed: str, limit: int, piece: int
) -> None:
    matcher = parse_filter(typed)
    assert matcher is not None
    stream = LogStream(limit)
    index = stream.kept(matcher)
    assert isinstance(index, LogIndex)
    for batch in batches:
        stream.append([LogLine("s", time, text) for time, text in batch])
        index.advance(piece)
    while not index.complete:
        index.advance(piece)
    index.advance(0)
    buffer = stream.buffer
    kept = [number for number in range(buffer.first, buffer.end) if matcher.keeps(buffer.line(number).text)]
    down, up = [], []
    place = index.first
    while place is not None:
        down.append(place)
        place = index.after(place)
    place = index.last
    while place is not None:
        up.append(place)
        place = index.before(place)
    assert down == up[::-1] == kept
    assert index.count == len(kept)
    assert [index.number(place) for place in kept] == list(range(1, len(kept) + 1))


def test_the_nearest_lines_are_found_from_anywhere() -> None:
    buffer = LogBuffer()
    buffer.append([LogLine("s", None, "hit" if n % 3 == 0 else "miss") for n in range(10)])
    index = LogIndex(buffer, parse_filter("hit"))
    index.advance(100)
    assert [index.after(4), index.before(4), index.after(9), index.before(0)] == [6, 3, None, None]


@given(st.lists(st.booleans(), max_size=30), st.integers(0, 30))
def test_what_is_known_before_all_has_been_looked_at_stays_so(hits: list[bool], looked_at: int) -> None:
    buffer = LogBuffer()
    buffer.append([LogLine("s", None, "hit" if hit else "miss") for hit in hits])
    index = LogIndex(buffer, parse_filter("hit"))
    index.advance(looked_at)
    places = range(-1, len(hits) + 1)
    known = [(place, step) for place in places for step in (1, -1) if index.knows(place, step)]
    before = [index.after(place) if step > 0 else index.before(place) for place, step in known]
    index.advance(100)
    assert before == [index.after(place) if step > 0 else index.before(place) for place, step in known]
    assert all(index.knows(place, step) for place in places for step in (1, -1))


def test_all_lines_need_no_index() -> None:
    buffer = LogBuffer(limit=4)
    buffer.append([LogLine("s", None, str(n)) for n in range(10)])
    index = LogIndex(buffer)
    assert (index.first, index.last, index.count, index.progress) == (6, 9, 4, 1.0)
    assert [index.after(-1), index.before(99), index.after(9), index.before(6)] == [6, 9, None, None]


def test_progress_tells_how_much_was_looked_at() -> None:
    buffer = LogBuffer()
    buffer.append([LogLine("s", None, "x")] * 10)
    index = LogIndex(buffer, parse_filter("x"))
    assert (index.progress, index.complete) == (0.0, False)
    index.advance(5)
    assert index.progress == pytest.approx(0.5)
    index.advance(5)
    assert (index.progress, index.complete) == (1.0, True)


def test_ticks_say_where_in_the_log_the_lines_are() -> None:
    stream = LogStream()
    stream.append([LogLine("s", None, "ERROR" if n in (0, 55) else "INFO") for n in range(100)])
    while stream.work() is not None:
        pass
    assert stream.errors.ticks(10) == {0, 5}
    assert stream.errors.ticks(1000) == {0, 550}


def test_cleared_lines_are_no_longer_counted() -> None:
    stream = LogStream()
    stream.append([LogLine("s", None, "ERROR")] * 3)
    while stream.work() is not None:
        pass
    stream.clear()
    assert (stream.errors.count, stream.lines.count) == (0, 0)


def test_the_held_line_is_found_again_when_late_ones_come_before_it() -> None:
    stream = LogStream()
    stream.append([LogLine("a", float(n), str(n)) for n in range(0, 20, 2)])
    held = stream.line(5)
    change = stream.append([LogLine("b", 3.0, "late"), LogLine("b", 5.0, "late")])
    assert change.place <= 5
    assert stream.line(stream.moved(5, held)) == held


def test_a_time_is_found() -> None:
    stream = LogStream()
    stream.append([LogLine("a", float(n), str(n)) for n in range(10)])
    assert (stream.at_time(4.5), stream.at_time(0.0), stream.at_time(100.0)) == (5, 0, None)
