"""Logs of services as people read them: the last lines, then what comes, whatever the files do."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.log_text import LINE_LIMIT, Search, shown, time_of, without_colour
from backends.model.state import LogLine
from backends.slot.log_files import CHUNK, lines_backwards
from backends.slot.logs import follow, merged, tail

DEADLINE = 20.0


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


def backwards(path: Path) -> list[bytes]:
    handle = os.open(path, os.O_RDONLY)
    try:
        return list(lines_backwards(handle, path.stat().st_size))
    finally:
        os.close(handle)


class Reader:
    """Collects what `follow` gives until a line is there."""

    def __init__(self, lines: AsyncIterator[list[LogLine]]):
        self._batches = lines
        self.lines: list[LogLine] = []

    async def until(self, text: str) -> list[str]:
        async with asyncio.timeout(DEADLINE):
            while text not in texts(self.lines):
                self.lines += await anext(self._batches)
        return texts(self.lines)

    async def close(self) -> None:
        await self._batches.aclose()  # type: ignore[attr-defined]


async def test_the_last_lines_of_several_services_are_merged_by_time(tmp_path: Path) -> None:
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    a.write_text("2026-11-20T10:00:00Z a1\n2026-11-20T10:00:02Z a2\n")
    b.write_text("2026-11-20T10:00:01Z b1\n1795168803.5 b2\n")
    lines = await tail([("a", a), ("b", b)], lines=10)
    assert [(line.source, line.text[-2:]) for line in lines] == [
        ("a", "a1"),
        ("b", "b1"),
        ("a", "a2"),
        ("b", "b2"),
    ]
    assert texts(await tail([("a", a), ("b", b)], lines=1)) == ["1795168803.5 b2"]


async def test_a_line_without_a_time_has_that_of_the_line_before_it(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("2026-11-20T10:00:00Z Traceback\n  File x\nValueError\n")
    lines = await tail([("a", log)], lines=2)
    assert texts(lines) == ["  File x", "ValueError"]
    assert {line.time for line in lines} == {time_of("2026-11-20T10:00:00Z")}


async def test_a_log_without_any_time_has_that_of_its_file(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\ntwo\n" * 500)
    os.utime(log, (1000, 1000))
    lines = await tail([("a", log)], lines=700)
    assert len(lines) == 700
    assert {line.time for line in lines} == {1000.0}


async def test_rotated_files_go_on_where_the_newest_begins(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    (tmp_path / "a.log.2").write_text("1\n2\n")
    (tmp_path / "a.log.1").write_text("3\n4\n")
    log.write_text("5\n6\n")
    assert texts(await tail([("a", log)], lines=5)) == ["2", "3", "4", "5", "6"]


async def test_since_leaves_out_what_is_older(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"{1795000000 + n} line {n}\n" for n in range(100)))
    lines = await tail([("a", log)], lines=1000, since=1795000095)
    assert texts(lines) == [f"{1795000000 + n} line {n}" for n in range(95, 100)]


async def test_a_missing_log_is_empty(tmp_path: Path) -> None:
    assert await tail([("a", tmp_path / "none" / "a.log")]) == []


async def test_no_lines_can_be_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x\n")
    assert await tail([("a", log)], lines=0) == []


async def test_a_pipe_in_the_place_of_a_log_does_not_hold_the_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.log")
    assert await tail([("a", tmp_path / "a.log")]) == []


async def test_a_single_line_of_a_hundred_megabytes_costs_no_memory(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("wb") as file:
        file.write(b"first\n")
        for _ in range(100):
            file.write(b"x" * 1_000_000)
        file.write(b"\nlast\n")
    lines = texts(await tail([("a", log)], lines=3))
    assert lines[0] == "first"
    assert lines[1] == "x" * LINE_LIMIT + "…"
    assert lines[2] == "last"


async def test_a_rare_line_is_found_in_a_long_log(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    filler = "".join(f"1795000000 nothing to see in line {n}\n" for n in range(20_000))
    log.write_text("1795000000 needle 1\n" + filler + "1795000000 needle 2\n" + filler)
    for pattern in ("needle", r"needle \d$", "NEEDLE|needle"):
        found = texts(await tail([("a", log)], lines=10, grep=pattern))
        assert found == ["1795000000 needle 1", "1795000000 needle 2"], pattern


async def test_a_search_that_is_no_regular_expression_is_taken_literally(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("call f(x\ncall g\n")
    assert texts(await tail([("a", log)], grep="f(x")) == ["call f(x"]


async def test_a_catastrophic_search_ends(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("a" * 8000 + "!\n")
    assert await tail([("a", log)], grep=r"^(a+)+$") == []
    assert await tail([("a", log)], grep="(a|aa)+$" * 10) == []


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_search_either_finds_or_does_not(pattern: str, line: str) -> None:
    search = Search(pattern)
    assert search.finds(line) in (True, False)
    if search.literal:
        assert search.finds(line) == (pattern in line)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20)), st.text(max_size=6))
def test_a_chunk_that_is_passed_over_has_no_line_that_matches(lines: list[str], pattern: str) -> None:
    search = Search(pattern)
    if any(search.finds(shown(line.encode())) for line in lines):
        assert search.may_find("\n".join(lines).encode())


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        (b"\x1b[1;38:2::1:2:3mred", "\x1b[1;38:2::1:2:3mred\x1b[0m"),
        (b"\x1b[2Jcleared\x1b]0;title\x07", "cleared"),
        (b"\x1b]52;c;ZXZpbA==\x1b\\x", "x"),
        (b"10%\r50%\r100%\r\n", "100%"),
        (b"bad \xff\xfe utf", "bad \ufffd\ufffd utf"),
        (b"a\tb\x00\x07", "a\tb\ufffd\ufffd"),
        ("\u202eevil".encode(), "\ufffdevil"),
    ],
)
def test_only_colours_reach_the_terminal(raw: bytes, text: str) -> None:
    assert shown(raw) == text


@given(st.binary(max_size=300))
def test_no_bytes_get_a_control_character_through(raw: bytes) -> None:
    plain = without_colour(shown(b"\x1b[" + raw))
    assert all(char in "\t\n" or char >= " " for char in plain)
    assert "\x9b" not in plain


@given(st.binary(min_size=1, max_size=50), st.booleans())
def test_a_long_line_stays_within_the_limit_whatever_its_bytes(raw: bytes, coloured: bool) -> None:
    line = (raw + b"\x1b[31m" * coloured) * LINE_LIMIT
    assert len(shown(line).encode()) <= LINE_LIMIT + len("…\x1b[0m".encode())
    assert "\x1b" not in without_colour(shown(line))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-20T10:00:00Z x", 1795168800.0),
        ("2026-11-20 10:00:00.250Z x", 1795168800.25),
        ("2026-11-20T12:00:00,5+02:00 x", 1795168800.5),
        ("2026-11-20T12:00:00+0200 x", 1795168800.0),
        ("[2026-11-20T10:00:00Z] x", 1795168800.0),
        ("\x1b[2m2026-11-20T10:00:00Z\x1b[0m x", 1795168800.0),
        ("1795168800 x", 1795168800.0),
        ("1795168800.5 x", 1795168800.5),
        ("1795168800500 x", 1795168800.5),
        ("2026-13-40T10:00:00Z x", None),
        ("12345 x", None),
        ("hello 2026-11-20T10:00:00Z", None),
        ("", None),
    ],
)
def test_a_time_is_read_from_the_beginning_of_a_line(text: str, seconds: float | None) -> None:
    assert time_of(text) == seconds


@given(st.text())
def test_any_text_has_a_time_or_none(text: str) -> None:
    assert time_of(text) is None or isinstance(time_of(text), float)


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=30), st.booleans())
def test_reading_backwards_gives_the_lines_of_the_file(lines: list[bytes], ended: bool) -> None:
    content = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.log")
        path.write_bytes(content)
        expected = content.split(b"\n")
        if expected[-1] == b"":
            expected.pop()
        assert backwards(path)[::-1] == expected


def test_lines_across_chunks_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    lines = [b"%d " % n + b"y" * 97 for n in range(CHUNK // 20)]
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert backwards(path)[::-1] == lines


def test_a_clock_that_goes_back_does_not_turn_a_log_around() -> None:
    a = [LogLine(source="a", time=t, text=str(t)) for t in (10.0, 5.0, 11.0)]
    b = [LogLine(source="b", time=t, text=str(t)) for t in (7.0, 10.5)]
    assert [line.time for line in merged([a, b])] == [7.0, 10.0, 5.0, 10.5, 11.0]


async def test_new_lines_come_after_the_tail_and_none_twice(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\ntwo\nhalf")
    reader = Reader(follow([("a", log)], lines=1))
    assert await reader.until("two") == ["two"]
    with log.open("a") as file:
        file.write(" and half\nthree\n")
    assert await reader.until("three") == ["two", "half and half", "three"]
    await reader.close()


async def test_only_lines_that_match_are_followed(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    reader = Reader(follow([("a", log)], grep="yes"))
    waiting = asyncio.create_task(reader.until("yes 2"))
    await asyncio.sleep(0)
    log.write_text("yes 1\nno\nyes 2\n")
    assert await waiting == ["yes 1", "yes 2"]
    await reader.close()


async def test_a_log_that_is_not_there_yet_is_followed_once_it_is(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    reader = Reader(follow([("a", log)]))
    waiting = asyncio.create_task(reader.until("hello"))
    while not log.parent.is_dir():
        await asyncio.sleep(0)
    log.write_text("hello\n")
    assert await waiting == ["hello"]
    await reader.close()


async def test_following_survives_rotation_and_loses_nothing(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("start\n")
    reader = Reader(follow([("a", log)], lines=1))
    await reader.until("start")
    with log.open("a") as file:
        file.write("before\nunfinished")
    log.rename(tmp_path / "a.log.1")
    log.write_text("after\n")
    assert await reader.until("after") == ["start", "before", "unfinished", "after"]
    with log.open("a") as file:
        file.write("more\n")
    await reader.until("more")
    await reader.close()


async def test_following_survives_truncation(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("a long first line\n")
    reader = Reader(follow([("a", log)], lines=1))
    await reader.until("a long first line")
    log.write_text("new\n")
    assert await reader.until("new") == ["a long first line", "new"]
    await reader.close()


async def test_following_survives_removal_of_the_file_and_of_the_folder(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "a.log"
    log.parent.mkdir()
    log.write_text("one\n")
    reader = Reader(follow([("a", log)], lines=1))
    await reader.until("one")
    log.unlink()
    log.write_text("two\n")
    await reader.until("two")
    log.unlink()
    log.parent.rmdir()
    waiting = asyncio.create_task(reader.until("three"))
    async with asyncio.timeout(DEADLINE):
        while not log.parent.is_dir():
            await asyncio.sleep(0)
    log.write_text("three\n")
    assert await waiting == ["one", "two", "three"]
    await reader.close()


async def test_a_flood_comes_whole_and_in_order(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.touch()
    reader = Reader(follow([("a", log)]))
    waiting = asyncio.create_task(reader.until("line 99999"))
    await asyncio.sleep(0)
    with log.open("a") as file:
        file.writelines(f"line {n}\n" for n in range(100_000))
    lines = await waiting
    assert lines[-1] == "line 99999"
    first = int(lines[0].split()[1])
    assert lines == [f"line {n}" for n in range(first, 100_000)]
    await reader.close()


async def test_a_follower_that_is_cancelled_leaves_no_descriptor(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("x\n")
    before = len(list(Path("/proc/self/fd").iterdir()))

    async def read_on() -> None:
        async for _ in follow([("a", log)], lines=1):
            started.set()

    started = asyncio.Event()
    task = asyncio.create_task(read_on())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
