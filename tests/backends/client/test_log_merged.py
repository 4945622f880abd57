"""Several files read as one log: the merge equals what sorting all lines gives, whatever becomes of the files."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backends.client.log_clock import MICROSECONDS, LogClock
from backends.client.log_file import LogFile
from backends.client.log_files import LogFiles
from backends.client.log_filter import parse_filter
from backends.client.log_finder import MatchingLines
from backends.client.log_lines import Lines
from backends.client.log_merge import MergedLines, parts_of, place_of
from backends.client.log_merged import MergedLog, open_logs
from backends.client.log_scan import Scan
from backends.client.log_segment import CHUNK, FOLD
from backends.model.log_text import time_of, without_colour

DEADLINE = 30.0
START = 1_700_000_000
QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)

Line = tuple[int | None, str]
"""Seconds since START (None tells no time), and what follows."""
TEXTS = st.sampled_from(["", "one", "a hit", "\x1b[31mh\x1b[0mit", "tab\there", "漢"])
STEPS = st.one_of(st.none(), st.integers(0, 3))
LOGS = st.lists(st.lists(st.tuples(STEPS, TEXTS), max_size=12), min_size=2, max_size=4)
FILLER = ("\tat shelf.rs:88 " + "x" * 100 + "\n") * 3


def stamp(seconds: float) -> str:
    return datetime.fromtimestamp(START + seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rendered(lines: Sequence[Line]) -> str:
    return "".join(f"{'' if when is None else stamp(when) + ' '}{text}\n" for when, text in lines)


def walked(steps: Sequence[Line], begin: int = 0) -> list[Line]:
    """Steps as times that never go back; the first line tells one."""
    lines: list[Line] = [(begin, "first")]
    now = begin
    for step, text in steps:
        now += step or 0
        lines.append((None if step is None else now, text))
    return lines


def opened(folder: Path, *contents: str | bytes) -> MergedLog:
    files = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.log"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        files.append(LogFile(path, str(number)))
    return MergedLog(files)


def reference(*contents: str) -> list[tuple[int, str]]:
    """Source and text of every line, sorted in the obvious way: each bears the last time told above it."""
    keyed = []
    for source, content in enumerate(contents):
        lines = content.removesuffix("\n").split("\n") if content else []
        latest = next((told for line in lines if (told := time_of(line)) is not None), 0.0)
        for number, line in enumerate(lines):
            told = time_of(line)
            latest = latest if told is None else max(latest, told)
            keyed.append((latest, source, number, line))
    return [(source, line) for _, source, _, line in sorted(keyed)]


def walk(place: int | None, step: object) -> Iterator[int]:
    while place is not None:
        yield place
        place = step(place)  # type: ignore[operator]


def downwards(lines: Lines) -> list[int]:
    return list(walk(lines.first, lines.after))


def upwards(lines: Lines) -> list[int]:
    return list(walk(lines.last, lines.before))[::-1]


def told(log: MergedLog, places: Sequence[int]) -> list[tuple[int, str]]:
    return [(int(line.source), line.text) for line in map(log.line, places)]


def complete(lines: Lines) -> Lines:
    end = time.monotonic() + DEADLINE
    while lines.progress < 1.0:
        assert time.monotonic() < end
        time.sleep(0.001)
    return lines


@QUICK
@given(LOGS)
@example([[], [], []])
@example([[(None, "a"), (0, "b")], [(0, "c"), (None, "d"), (1, "e")]])
def test_the_merge_equals_sorting_all_lines(tmp_path: Path, logs: list[list[Line]]) -> None:
    contents = [rendered(walked(steps, number % 2)) for number, steps in enumerate(logs)]
    log = opened(tmp_path, *contents)
    wanted = reference(*contents)
    places = downwards(log.lines)
    assert told(log, places) == wanted
    assert upwards(log.lines) == places
    assert complete(log.lines).count == len(wanted)
    assert [log.lines.number(place) for place in places] == list(range(1, len(places) + 1))
    for place, below in zip(places, [*places[1:], None], strict=True):
        assert log.lines.after(place) == below  # from anywhere, and not only on a walk
        assert log.lines.after(place - 1) == log.lines.before(place + 1) == place
    log.close()


@QUICK
@given(LOGS, st.sampled_from(["hit", "!hit", "~^2023.*hit", "漢"]))
def test_what_is_searched_is_found_in_the_order_of_the_merge(
    tmp_path: Path, logs: list[list[Line]], typed: str
) -> None:
    contents = [rendered(walked(steps)) for steps in logs]
    log = opened(tmp_path, *contents)
    matcher = parse_filter(typed)
    assert matcher is not None
    found = complete(log.kept(matcher))
    wanted = [(one, text) for one, text in reference(*contents) if matcher.keeps(without_colour(text))]
    assert told(log, downwards(found)) == told(log, upwards(found)) == wanted
    assert found.count == len(wanted)
    assert bool(found.ticks(10)) == bool(wanted)
    log.close()


WILD = st.lists(
    st.one_of(
        st.tuples(st.integers(-1000, 1000), st.sampled_from(["x", "y" * 3000, "z" * 9000])),
        st.tuples(st.none(), st.sampled_from(["", "\tat x", "w" * 20_000, "[", "2023-11-14", "1700000000"])),
    ),
    max_size=60,
)


@QUICK
@given(st.lists(WILD, min_size=2, max_size=3))
def test_clocks_that_go_back_and_long_lines_lose_no_line_and_double_none(
    tmp_path: Path, logs: list[list[Line]]
) -> None:
    log = opened(tmp_path, *map(rendered, logs))
    places = downwards(log.lines)
    assert upwards(log.lines) == places
    assert places == sorted(set(places))
    for number in range(len(logs)):
        alone = LogFile(tmp_path / f"{number}.log", "s")
        assert [parts_of(place)[2] for place in places if parts_of(place)[1] == number] == downwards(alone.lines)
        alone.close()
    log.close()


def large(seed: int, chunks: int, step: float = 0.013, gap: int = 0) -> str:
    """Lines of several chunks; of `gap` bytes in their middle none tells a time."""
    lines, size = [], 0
    number = 0
    while size < chunks * CHUNK:
        number += 1
        text = f"{stamp(seed + number * step)} n={number} {'x' * (number * 37 % 300)}\n"
        text += FILLER * (number % 50 == 7)
        if gap and size < chunks * CHUNK // 2 <= size + len(text):
            text += "\tno time\n" * (gap // 9)
        lines.append(text)
        size += len(text)
    return "".join(lines)


def test_a_source_that_has_not_been_looked_at_may_have_what_is_nearer(tmp_path: Path) -> None:
    log = opened(tmp_path, *(f"2026-11-20T10:00:0{second}Z hit\n" for second in range(3)))
    matcher = parse_filter("hit")
    assert matcher is not None
    scans = [Scan(file.files, MatchingLines(matcher)) for file in log._files]
    lines = MergedLines(scans, log._clocks, log._sizes, log._ticks, lambda: 0)
    first, second, third = downwards(log.lines)
    while scans[1].step():
        pass
    assert lines.before(third + 1) == lines.after(first - 1) == second
    assert not lines.knows(third + 1, -1)
    assert not lines.knows(first - 1, 1)
    for scan in scans:
        while scan.step():
            pass
    assert (lines.knows(third + 1, -1), lines.before(third + 1)) == (True, third)
    assert (lines.knows(first - 1, 1), lines.after(first - 1)) == (True, first)
    log.close()


def test_files_of_many_chunks_are_merged_exactly_as_small_ones(tmp_path: Path) -> None:
    contents = [large(0, 5), large(3, 9, 0.007), large(20, 2, gap=3 * CHUNK)]
    log = opened(tmp_path, *contents)
    wanted = reference(*contents)
    places = downwards(log.lines)
    assert told(log, places) == wanted
    fresh = opened(tmp_path, *contents)
    assert upwards(fresh.lines) == places
    for place in places[:: len(places) // 97]:
        assert fresh.lines.after(place) == log.lines.after(place)
        assert fresh.moved(place, fresh.line(place)) == place
    fresh.close()
    log.close()


def test_the_end_of_large_files_is_told_from_a_few_of_their_chunks(tmp_path: Path) -> None:
    content = large(0, 64).encode()
    log = opened(tmp_path, content, content)
    files = log._files[0].files
    read: set[int] = set()
    chunk, reader = files.chunk, threading.get_ident()

    def watched(number: int) -> tuple[int, int, bytes]:
        if threading.get_ident() == reader:  # the threads that count lines read everything
            read.add(number)
        return chunk(number)

    files.chunk = watched  # type: ignore[method-assign]
    place = MergedLog(log._files).lines.last
    assert place is not None
    for _ in range(50):
        place = log.lines.before(place)
        assert place is not None
    assert len(read) < 20
    log.close()


def test_shares_go_down_the_log_and_lead_back_to_where_they_are_of(tmp_path: Path) -> None:
    log = opened(tmp_path, large(0, 3), large(10, 20, 0.002), "no time\n" * 5000)
    places = [place for number in range(21) if (place := log.at_share(number / 20)) is not None]
    assert places == sorted(places)
    shares = [log.share(place) for place in places]
    assert all(abs(share - number / 20) < 0.03 for number, share in enumerate(shares))
    assert log.at_share(0.0) == log.lines.first
    assert log.at_share(1.0) == log.lines.last
    log.close()


def test_errors_stand_on_the_bar_where_they_are_in_the_whole(tmp_path: Path) -> None:
    early = "".join(f"{stamp(number)} n={number}\n" for number in range(1000))
    late = "".join(f"{stamp(2000 + number)} {'ERROR' * (number == 999)} n={number}\n" for number in range(1000))
    log = opened(tmp_path, late, early)
    complete(log.errors)
    assert log.errors.ticks(10) == {9}
    found = log.errors.first
    assert found is not None
    assert log.share(found) > 0.9
    log.close()


def test_a_time_is_found_in_all_sources(tmp_path: Path) -> None:
    log = opened(tmp_path, rendered([(0, "a"), (10, "b")]), rendered([(5, "c"), (15, "d")]))
    place = log.at_time(START + 5)
    assert place is not None
    assert log.line(place).text.endswith("c")
    assert log.at_time(START + 16) is None
    log.close()


def test_logs_that_tell_no_time_have_none_and_stand_by_their_age(tmp_path: Path) -> None:
    log = opened(tmp_path, "a\nb\n", "c\n")
    assert log.at_time(0.0) is None
    assert sorted(text for _, text in told(log, downwards(log.lines))) == ["a", "b", "c"]
    log.close()


# -- what becomes of the files ----------------------------------------------------------------------


def append(log: MergedLog, number: int, text: str) -> None:
    with log.paths[number].open("a") as file:
        file.write(text)


@QUICK
@given(LOGS, st.lists(st.tuples(st.integers(0, 3), st.lists(st.tuples(STEPS, TEXTS), max_size=5)), max_size=5))
def test_what_is_appended_stands_where_its_time_is(
    tmp_path: Path, logs: list[list[Line]], later: list[tuple[int, list[Line]]]
) -> None:
    contents = [rendered(walked(steps)) for steps in logs]
    log = opened(tmp_path, *contents)
    for number, steps in later:
        source = number % len(contents)
        before = downwards(log.lines)
        latest = time_of(contents[source].rstrip("\n").rpartition("\n")[2]) or START + 40
        more = rendered(walked(steps, int(latest) - START + 1))
        append(log, source, more)
        contents[source] += more
        change = log.refresh()
        assert change is not None
        assert change.came == len(steps) + 1
        after = downwards(log.lines)
        assert told(log, after) == reference(*contents)
        assert [place for place in before if place < change.place] == [one for one in after if one < change.place]
    log.close()


def test_what_is_appended_beyond_chunks_is_merged_as_if_it_had_been_there(tmp_path: Path) -> None:
    contents = [large(0, 4).splitlines(keepends=True), large(1, 3, 0.017).splitlines(keepends=True)]
    log = opened(tmp_path, "".join(contents[0][:10]), "".join(contents[1][:10]))
    done = 10
    while done < max(map(len, contents)):
        for number, lines in enumerate(contents):
            text = "".join(lines[done : done + 37])
            append(log, number, text[: len(text) // 2])  # which ends within a line
            log.refresh()
            assert log.lines.last is not None
            append(log, number, text[len(text) // 2 :])
            log.refresh()
        last = log.lines.last
        assert last is not None
        assert log.lines.before(last) is not None
        done += 37
    places = downwards(log.lines)
    assert told(log, places) == reference(*map("".join, contents))
    assert upwards(log.lines) == places
    log.close()


def test_a_clock_that_goes_back_tells_that_places_are_others(tmp_path: Path) -> None:
    log = opened(tmp_path, large(1000, 2), rendered([(0, "x")]))
    top = log.lines.last
    assert top is not None
    line = log.line(top)
    append(log, 0, large(0, 2))
    change = log.refresh()
    assert change is not None
    assert change.place == 0
    assert log.line(log.moved(top, line)) == line
    places = downwards(log.lines)
    assert upwards(log.lines) == places
    assert len(places) == complete(log.lines).count
    log.close()


def test_lines_without_times_that_come_later_stand_at_the_end(tmp_path: Path) -> None:
    now = time.time()
    log = opened(tmp_path, rendered([(int(now) - START - 60, "told")]), "untold\n")
    append(log, 1, "now\n")
    log.refresh()
    assert told(log, downwards(log.lines))[-1] == (1, "now")
    log.close()


def test_a_log_that_begins_to_tell_times_is_put_in_order(tmp_path: Path) -> None:
    log = opened(tmp_path, rendered([(5, "a")]), "")
    append(log, 1, "banner\n")
    log.refresh()
    append(log, 1, rendered([(3, "b")]))
    log.refresh()
    assert [text.split()[-1] for _, text in told(log, downwards(log.lines))] == ["banner", "b", "a"]
    log.close()


def test_a_file_that_is_cut_off_or_rotated_is_merged_anew(tmp_path: Path) -> None:
    log = opened(tmp_path, rendered([(1, "old"), (2, "older")]), rendered([(1, "b"), (9, "c")]))
    log.paths[0].write_text(rendered([(5, "anew")]))
    assert log.refresh() is not None
    assert [text.split()[-1] for _, text in told(log, downwards(log.lines))] == ["b", "anew", "c"]
    log.paths[0].rename(tmp_path / "0.log.1")
    log.paths[0].write_text(rendered([(12, "next")]))
    assert log.refresh() is not None
    assert [text.split()[-1] for _, text in told(log, downwards(log.lines))] == ["b", "anew", "c", "next"]
    assert complete(log.lines).count == 4
    log.close()


def test_a_file_that_shrinks_between_two_looks_breaks_nothing(tmp_path: Path) -> None:
    log = opened(tmp_path, large(0, 3), large(1, 3))
    with log.paths[0].open("r+b") as file:
        file.truncate(30)
    place = log.lines.last
    for _ in range(200):
        assert place is not None
        log.line(place)
        place = log.lines.before(place)
    log.refresh()
    assert upwards(log.lines) == downwards(log.lines)
    log.close()


def test_one_file_is_a_log_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("x\n")
    log = open_logs({"a": path})
    assert isinstance(log, LogFile)
    log.close()


@pytest.mark.parametrize("time", [-(10**16), -1, 0, 1, START * MICROSECONDS, 253 * 10**15])
def test_a_place_has_its_parts_and_stands_by_its_time(time: int) -> None:
    place = place_of(time, 3, FOLD)
    assert parts_of(place) == (time, 3, FOLD)
    assert place_of(time, 2, 1 << 60) < place < place_of(time, 4, 0) < place_of(time + 1, 0, 0)


def test_times_of_small_and_of_large_logs_are_about_the_same_by_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    path.write_text(large(0, 24))
    files = LogFiles(path)
    clock = LogClock(files)
    for share in range(1, 10):
        place = files.first_from(files.span[1] * share // 10)
        assert place is not None
        exact = clock.time(place)
        assert abs(clock.about_at(exact) - clock.first_at(exact)) < CHUNK
        assert abs(clock.about_time(place) - exact) < 20 * MICROSECONDS
    files.close()
