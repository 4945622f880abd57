"""The log's memory: bounded, in the order of time, with numbers that stay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from screens.widgets.log_buffer import LONGEST, LogBuffer, LogLine

TIMES = st.none() | st.floats(0, 100) | st.sampled_from([float("nan"), float("inf")])
BATCHES = st.lists(st.lists(st.tuples(st.sampled_from("ab"), TIMES), max_size=8), max_size=8)


def texts(buffer: LogBuffer) -> str:
    return "".join(buffer.text(number) for number in range(buffer.first, buffer.end))


def line(text: str, time: float | None, source: str = "a") -> LogLine:
    return LogLine(source, time, text)


def test_lines_of_several_sources_merge_by_time() -> None:
    buffer = LogBuffer()
    buffer.append([line("1", 1), line("4", 4), line("6", 6)])
    changed = buffer.append([line("5", 5, "b"), line("3", 3, "b")])
    assert texts(buffer) == "13456"
    assert changed == 1


def test_lines_without_a_time_follow_their_source() -> None:
    buffer = LogBuffer()
    buffer.append([line("1", 1), line("2", None), line("9", 9, "b"), line("3", None)])
    assert texts(buffer) == "1239"


def test_at_equal_times_what_came_first_stays_first() -> None:
    buffer = LogBuffer()
    buffer.append([line("a", 1), line("b", 1)])
    buffer.append([line("c", 1, "b")])
    assert texts(buffer) == "abc"


def test_the_oldest_lines_go_and_numbers_stay() -> None:
    buffer = LogBuffer(limit=3)
    buffer.append([line(str(n), n) for n in range(5)])
    assert texts(buffer) == "234"
    assert (buffer.first, buffer.end) == (2, 5)
    buffer.append([line("5", 5)])
    assert buffer.line(5).text == "5"
    assert buffer.first == 3


def test_an_endless_line_is_cut_and_says_so() -> None:
    buffer = LogBuffer()
    buffer.append([line("x" * 1_000_000, None)])
    assert len(buffer.text(0)) < LONGEST + 50
    assert buffer.text(0).endswith("… (992,000 more characters)")


def test_a_cleared_buffer_goes_on_counting() -> None:
    buffer = LogBuffer()
    buffer.append([line("a", 1)])
    buffer.clear()
    assert (buffer.first, buffer.end, len(buffer)) == (1, 1, 0)


@given(BATCHES, st.integers(1, 20))
def test_whatever_comes_lines_stay_bounded_ordered_and_numbered(
    batches: list[list[tuple[str, float | None]]], limit: int
) -> None:
    buffer = LogBuffer(limit)
    total = 0
    for batch in batches:
        before = {number: buffer.line(number) for number in range(buffer.first, buffer.end)}
        changed = buffer.append([LogLine(source, time, f"{total + n}") for n, (source, time) in enumerate(batch)])
        total += len(batch)
        assert buffer.end == total
        assert len(buffer) <= limit
        assert list(buffer._times) == sorted(buffer._times)
        for number, old in before.items():
            if buffer.first <= number < changed:
                assert buffer.text(number) == old.text
