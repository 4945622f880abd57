"""A log read at any place of its files: the same lines from everywhere, whatever is in them or becomes of them."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from backends.client.log_file import LogFile
from backends.client.log_files import LogFiles
from backends.client.log_filter import parse_filter
from backends.client.log_finder import MatchingLines, beginnings
from backends.client.log_lines import Lines
from backends.client.log_scan import Scan
from backends.client.log_segment import CHUNK, FOLD

DEADLINE = 30.0
PIECES = st.one_of(
    st.sampled_from([b"\n", b"\n\n", b"hit\n", b"Hit me\r\n", b"\x1b[31mh\x1b[0mit\n", b"over\rwritten hit\n"]),
    st.binary(max_size=30),
    st.sampled_from([b"x" * FOLD, b"y" * (3 * FOLD + 5), b"\xe6\xbc\xa2" * FOLD, b"z" * (FOLD - 1), b"\n" * 90]),
)
CONTENT = st.lists(PIECES, max_size=14).map(b"".join)
QUICK = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
    max_examples=60,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "service.log"


def expected(content: bytes) -> list[int]:
    """Where lines begin, found in the slow and obvious way."""
    starts = []
    for place in range(len(content)):
        folded = place and place % FOLD == 0 and b"\n" not in content[place - FOLD : place]
        if place == 0 or content[place - 1 : place] == b"\n" or folded:
            starts.append(place)
    return starts


def downwards(lines: Lines) -> list[int]:
    return list(_walk(lines.first, lines.after))


def upwards(lines: Lines) -> list[int]:
    return list(_walk(lines.last, lines.before))[::-1]


def _walk(place: int | None, step: object) -> Iterator[int]:
    while place is not None:
        yield place
        place = step(place)  # type: ignore[operator]


def texts(log: LogFile) -> list[str]:
    return [log.line(place).text for place in downwards(log.lines)]


def complete(lines: Lines) -> Lines:
    end = time.monotonic() + DEADLINE
    while lines.progress < 1.0:
        assert time.monotonic() < end
        time.sleep(0.001)
    return lines


@QUICK
@given(CONTENT)
@example(b"x" * FOLD + b"\n" + b"a\n")
@example(b"x" * (2 * FOLD) + b"\nend")
def test_lines_begin_where_they_begin_from_above_from_below_and_from_anywhere(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    files = LogFiles(path)
    starts = expected(content)
    segment = files._segments[0]
    assert list(_walk(segment.first_from(0), segment.after)) == starts
    assert list(_walk(segment.before(len(content)), segment.before))[::-1] == starts
    for place in {0, 1, len(content) // 2, *(max(0, start - 1) for start in starts[:40])}:
        assert segment.first_from(place) == next((start for start in starts if start >= place), None)
    assert beginnings(content, 0) == starts
    files.close()


@QUICK
@given(CONTENT, st.integers(1, 3))
def test_chunks_have_every_line_once(path: Path, content: bytes, times: int) -> None:
    content *= times
    path.write_bytes(content)
    files = LogFiles(path)
    found = []
    for number in range(len(content) // CHUNK + 1):
        place, base, data = files.chunk(number)
        assert content[base : base + len(data)] == data
        found += [place + start for start in beginnings(data, base)] if data else []
    assert found == expected(content)
    files.close()


@QUICK
@example(b"\n\x00" + b"x" * FOLD + b"hit\n\x1b[31mh\x1b[0mit\n", "hit")  # told by its neighbour's colour
@given(CONTENT, st.sampled_from(["hit", "Hit", "!hit", "~h.?t", "~^over", "!~x$", "漢", "~^.it$"]))
def test_a_scan_keeps_the_lines_that_the_filter_keeps(path: Path, content: bytes, typed: str) -> None:
    matcher = parse_filter(typed)
    assert matcher is not None
    # Where a line is broken for its length, ^ and $ may match or not.
    assume(max(map(len, content.split(b"\n"))) < FOLD or not set(typed) & set("^$"))
    path.write_bytes(content)
    files = LogFiles(path)
    scan = Scan(files, MatchingLines(matcher))
    while scan.step():
        pass
    finder = MatchingLines(matcher)
    borders = pairwise([*expected(content), len(content)])
    kept = [start for start, end in borders if finder.hits(content[start:end], start)]
    assert downwards(scan) == upwards(scan) == kept
    assert scan.count == len(kept)
    assert bool(scan.ticks(10)) == bool(kept)
    files.close()


@QUICK
@given(
    st.lists(st.sampled_from([b"hit\n", b"x" * 700 + b"\n", b"y" * CHUNK + b"\n"]), max_size=12),
    st.integers(0, 12),
)
def test_what_is_known_before_all_has_been_looked_at_stays_so(path: Path, lines: list[bytes], steps: int) -> None:
    path.write_bytes(b"".join(lines))
    files = LogFiles(path)
    matcher = parse_filter("hit")
    assert matcher is not None
    scan = Scan(files, MatchingLines(matcher))
    for _ in range(steps):
        scan.step()
    begin, end = files.span
    places = [*range(begin - 1, end + 1, max(1, (end - begin) // 40)), end]
    known = {
        (place, step): nearest(scan, place, step)
        for place in places
        for step in (1, -1)
        if scan.knows(place, step)
    }
    while scan.step():
        pass
    assert known == {(place, step): nearest(scan, place, step) for place, step in known}
    assert all(scan.knows(place, step) for place in places for step in (1, -1))
    files.close()


def nearest(lines: Lines, place: int, step: int) -> int | None:
    return lines.after(place) if step > 0 else lines.before(place)


def test_a_file_that_has_grown_while_it_is_looked_through_is_no_surprise(path: Path) -> None:
    path.write_bytes(b"hit\n")
    files = LogFiles(path)
    matcher = parse_filter("hit")
    assert matcher is not None
    scan = Scan(files, MatchingLines(matcher))
    with path.open("ab") as more:
        more.write(b"hit\n" * CHUNK)
    change = files.refresh()
    assert change
    while scan.step():  # as the thread may, before the loop has told the scan of it
        pass
    scan.rewind(change.place)
    while scan.step():
        pass
    assert scan.count == CHUNK + 1
    files.close()


@pytest.mark.parametrize(
    ("typed", "line", "kept"),
    [
        ("needle", b"a NEEDLE", True),
        ("Needle", b"a needle", False),
        ("needle", b"nee\x1b[1;31mdle", True),
        ("31", b"\x1b[31mred", False),
        ("gone", b"gone\rhere", False),
        ("~here$", b"gone\rhere", True),
        ("~here$", b"here\r", True),
        ("straße", "STRASSE straße".encode(), True),
        ("~(?<=a)b", b"ab", True),
        ("~^\\S+ b$", b"a b", True),
        ("needle", b"nee\x1b]0;title\x07dle", True),
        ("needle", b"\x1b[1mred" + b"x" * FOLD + b"needle", True),
        ("needle", b"x" * FOLD + b"needle\rgone", False),
    ],
)
def test_what_is_searched_is_what_is_seen(typed: str, line: bytes, kept: bool) -> None:
    matcher = parse_filter(typed)
    assert matcher is not None
    data = b"first\n" + line + b"\nlast\n"
    assert MatchingLines(matcher).count(data, 0) == len(MatchingLines(matcher).hits(data, 0)) == kept


def test_a_line_of_many_megabytes_is_shown_whole_in_pieces(path: Path) -> None:
    path.write_bytes(b"before\n" + b"0123456789abcdef" * (1 << 20) + b"Needle at the end\nafter")
    log = LogFile(path, "s")
    last = log.lines.last
    assert last is not None
    assert log.line(last).text == "after"
    above = log.lines.before(last)
    assert above is not None
    assert log.line(above).text.endswith("Needle at the end")
    found = complete(log.kept(parse_filter("Needle at")))  # type: ignore[arg-type]
    assert downwards(found) == [above]
    assert sum(len(text) for text in texts(log)) == path.stat().st_size - 2
    log.close()


def test_a_character_that_a_long_line_is_broken_in_stays_whole(path: Path) -> None:
    path.write_text("x" + "漢" * FOLD + "\n")
    log = LogFile(path, "s")
    assert "".join(texts(log)) == "x" + "漢" * FOLD
    log.close()


def test_what_is_appended_is_found(path: Path) -> None:
    path.write_bytes(b"hit one\nno\nhal")
    log = LogFile(path, "s")
    hits = complete(log.kept(parse_filter("hit")))  # type: ignore[arg-type]
    assert hits.count == 1
    with path.open("ab") as file:
        file.write(b"f of a hit\n" + b"other\n" * 50_000 + b"hit\n")
    change = log.refresh()
    assert change is not None
    assert (change.came, change.place) == (50_002, 11)
    assert complete(hits).count == 3
    assert complete(log.lines).count == 50_004
    assert log.line(hits.last or 0).text == "hit"
    assert log.refresh() is None
    log.close()


def test_what_comes_after_a_filter_was_taken_back_is_counted(path: Path) -> None:
    path.write_bytes(b"hit\n")
    log = LogFile(path, "s")
    complete(log.kept(parse_filter("hit"))).close()  # type: ignore[arg-type]
    with path.open("ab") as file:
        file.write(b"ERROR\n")
    log.refresh()
    assert (complete(log.lines).count, complete(log.errors).count) == (2, 1)
    assert log.work() is None  # and its thread rests
    log.close()


def test_older_rotations_stand_above(path: Path) -> None:
    path.with_name("service.log.2").write_text("1\n2")
    path.with_name("service.log.1").write_text("3\n")
    path.write_text("4\n5\n")
    log = LogFile(path, "s")
    assert texts(log) == ["1", "2", "3", "4", "5"]
    assert [log.line(place).text for place in upwards(log.lines)] == ["1", "2", "3", "4", "5"]
    assert complete(log.lines).count == 5
    last = log.lines.last
    assert last is not None
    assert log.lines.number(last) == 5
    log.close()


def test_a_rotation_while_one_looks_loses_nothing(path: Path) -> None:
    path.write_text("1\n2\n")
    log = LogFile(path, "s")
    with path.open("a") as writer:
        path.rename(path.with_name("service.log.1"))
        writer.write("3\n")
        path.write_text("4\n")
    change = log.refresh()
    assert change is not None
    assert change.came == 2
    assert texts(log) == ["1", "2", "3", "4"]
    assert complete(log.lines).count == 4
    log.close()


@pytest.mark.parametrize("anew", ["", "short\n", "much longer than it was before\nand more\n"])
def test_a_file_that_is_cut_off_begins_anew(path: Path, anew: str) -> None:
    path.write_text("old content\n" * 2)
    log = LogFile(path, "s")
    before = log.lines.last
    complete(log.errors)
    path.write_text(anew)
    assert log.refresh() is not None
    assert texts(log) == anew.splitlines()
    assert complete(log.lines).count == len(anew.splitlines())
    assert before is not None
    assert log.lines.before(before) is None
    log.close()


def test_a_file_that_shrinks_between_two_looks_just_ends_earlier(path: Path) -> None:
    path.write_bytes(b"line\n" * 100_000)
    log = LogFile(path, "s")
    with path.open("r+b") as file:
        file.truncate(12)
    places = upwards(log.lines)
    assert all(log.line(place).text in ("line", "li", "") for place in places[:50] + places[-50:])
    complete(log.lines)
    log.close()


def test_a_file_that_comes_later_and_one_that_goes_are_followed(path: Path) -> None:
    log = LogFile(path, "s")
    assert (log.lines.first, log.refresh()) == (None, None)
    path.write_text("here\n")
    assert log.refresh() is not None
    assert texts(log) == ["here"]
    path.unlink()
    assert log.refresh() is None
    path.write_text("again\n")
    assert log.refresh() is not None
    assert texts(log) == ["here", "again"]
    log.close()


def test_a_folder_or_a_pipe_is_no_log(tmp_path: Path) -> None:
    log = LogFile(tmp_path, "s")
    assert (log.lines.first, log.lines.last, log.at_share(0.5)) == (None, None, None)
    log.close()


def test_a_pipe_that_has_taken_the_name_is_not_read_from_whoever_writes_to_it(path: Path) -> None:
    path.write_text("here\n")
    log = LogFile(path, "s")
    path.unlink()
    os.mkfifo(path)
    written: list[int] = []

    def write() -> None:
        with path.open("wb") as pipe:
            written.append(pipe.write(b"for another reader\n"))

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    for _ in range(200):
        assert log.refresh() is None
        time.sleep(0.0005)
    assert not written
    with path.open("rb") as reader:
        assert reader.read() == b"for another reader\n"
    writer.join(DEADLINE)
    assert texts(log) == ["here"]
    log.close()


def test_a_name_as_long_as_names_may_be_is_a_log_like_others(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    path.write_text("here\n")
    log = LogFile(path, "s")
    assert texts(log) == ["here"]
    log.close()


def test_a_time_is_found_between_lines_that_tell_none(path: Path) -> None:
    frames = "    at frame 1\n    at frame 2\n"
    lines = [f"2026-11-20T10:{n // 60:02d}:{n % 60:02d}Z tick {n}\n{frames}" for n in range(3000)]
    path.write_text("".join(lines))
    log = LogFile(path, "s")
    first = log.line(log.lines.first or 0).time
    assert first is not None
    for wanted in (0, 1, 1234, 2999):
        place = log.at_time(first + wanted - 0.5)
        assert place is not None
        assert log.line(place).text.endswith(f"tick {wanted}")
    assert log.at_time(first + 5000) is None
    log.close()


def test_a_time_is_found_behind_a_trace_that_is_longer_than_what_comes_after_it(path: Path) -> None:
    ticks = [f"2026-11-20T10:00:{n:02d}Z tick {n}\n" for n in range(60)]
    path.write_text("".join([*ticks[:50], "    at frame\n" * 5000, *ticks[50:]]))
    log = LogFile(path, "s")
    first = log.line(log.lines.first or 0).time
    assert first is not None
    for wanted in (1, 49, 50, 55, 59):
        place = log.at_time(first + wanted)
        assert place is not None
        assert log.line(place).text.endswith(f"tick {wanted}")
    log.close()


def test_a_time_is_found_where_the_clock_was_set_back(path: Path) -> None:
    seconds = [10, 20, 5, 6, 30]
    path.write_text("".join(f"2026-11-20T10:00:{n:02d}Z tick {n}\n" for n in seconds))
    log = LogFile(path, "s")
    first = log.line(0).time
    assert first is not None
    found = {after: log.at_time(first - 10 + after) for after in (0, 11, 21, 31)}
    shown = {after: None if place is None else log.line(place).text[-2:] for after, place in found.items()}
    assert shown == {0: "10", 11: "20", 21: "30", 31: None}
    log.close()


def test_a_log_without_times_has_no_place_for_one(path: Path) -> None:
    path.write_text("no time here\n" * 5000)
    log = LogFile(path, "s")
    assert log.at_time(0.0) is None
    log.close()


def test_errors_are_told_by_where_they_are(path: Path) -> None:
    path.write_text("".join(f"n={n} {'ERROR' if n in (5, 9000) else 'INFO'}\n" for n in range(10_000)))
    log = LogFile(path, "s")
    errors = complete(log.errors)
    assert [re.sub(r" .*", "", log.line(place).text) for place in downwards(errors)] == ["n=5", "n=9000"]
    assert errors.ticks(10) == {0, 9} or errors.ticks(10) == {0, 8}
    log.close()


def test_every_place_is_further_down_than_the_one_above(path: Path) -> None:
    path.write_bytes(b"a\n" * 1000)
    log = LogFile(path, "s")
    shares = [log.share(place) for place in downwards(log.lines)]
    assert all(above < below for above, below in pairwise(shares))
    assert log.at_share(0.0) == log.lines.first
    assert log.at_share(1.0) == log.lines.last
    log.close()
