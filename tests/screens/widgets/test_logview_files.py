"""The log view over files: of any size from their end on, with windows, marks, errors, JSON, and whatever else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot

from backends.client.log_file import LogFile
from backends.client.log_merged import open_logs
from screens.widgets.log_scene import Window
from screens.widgets.logview import LogView
from tests.conftest import screen_text
from tests.screens.widgets.samples import mash
from tests.screens.widgets.test_logview import LogApp

DEADLINE = 30.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hero_db.log"


def stamped(number: int, text: str = "") -> str:
    level = "ERROR" if number % 100 == 50 else "INFO "
    return f"2026-11-20T10:{number // 60 % 60:02d}:{number % 60:02d}Z {level} n={number} {text}\n"


@asynccontextmanager
async def showing(
    path: Path, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[LogApp, Pilot[None], LogFile]]:
    app = LogApp()
    async with app.run_test(size=size) as pilot:
        log = LogFile(path, "hero_db")
        app.log_view.open(log)
        await settled(app, pilot)
        yield app, pilot, log


async def settled(app: LogApp, pilot: Pilot[None]) -> str:
    """The screen once the whole log has been looked at."""
    await pilot.pause()
    app.log_view.flush()
    async with asyncio.timeout(DEADLINE):
        while app.log_view.busy:
            await pilot.pause(0.01)
    await pilot.pause()
    return screen_text(app)


def rows(text: str) -> list[str]:
    """The rows of the log, without the bar."""
    return [line[:79].rstrip() for line in text.splitlines()[:23]]


async def test_the_end_of_a_log_is_shown_and_what_comes_is_followed(path: Path) -> None:
    path.write_text("".join(stamped(n) for n in range(5000)))
    async with showing(path) as (app, pilot, log):
        text = await settled(app, pilot)
        assert rows(text)[22].endswith("n=4999")
        assert "following  5,000 lines · ✖ 50 errors" in text
        with path.open("a") as file:
            file.write(stamped(5000))
        change = log.refresh()
        assert change is not None
        app.log_view.came(change)
        assert rows(await settled(app, pilot))[22].endswith("n=5000")


async def test_a_pause_counts_what_comes_and_says_where_one_is(path: Path) -> None:
    path.write_text("".join(stamped(n) for n in range(500)))
    async with showing(path) as (app, pilot, log):
        await pilot.press("k")
        before = rows(await settled(app, pilot))
        with path.open("a") as file:
            file.write("".join(stamped(n) for n in range(500, 535)))
        app.log_view.came(log.refresh())  # type: ignore[arg-type]
        text = await settled(app, pilot)
        assert rows(text) == before
        assert "paused · 35 new  line 499 of 535" in text


async def test_top_and_pages_go_through_all_of_it(path: Path) -> None:
    path.write_text("".join(f"line {n}\n" for n in range(100)))
    async with showing(path) as (app, pilot, _):
        await pilot.press("g")
        assert rows(await settled(app, pilot))[0] == "line 0"
        seen = [rows(screen_text(app))[0]]
        while not app.log_view.following:
            await pilot.press("pagedown")
            seen.append(rows(await settled(app, pilot))[0])
        assert seen == ["line 0", "line 23", "line 46", "line 69", "line 77"]
        await pilot.press("k", "k", "j")
        assert not app.log_view.following
        await pilot.press("j")
        assert app.log_view.following


async def test_a_filter_leaves_the_lines_that_match_and_n_goes_through_them(path: Path) -> None:
    path.write_text("".join(stamped(n) for n in range(20_000)))
    async with showing(path) as (app, pilot, _):
        app.log_view.set_filter("=777")
        text = await settled(app, pilot)
        assert "/=777 11 matches" in text
        assert all("=777" in row for row in rows(text) if row)
        app.log_view.set_filter("=777", hide=False)
        await pilot.press("g", "n")
        text = await settled(app, pilot)
        assert "/=777 1 of 11 matches" in text
        assert any(row.endswith("n=777") for row in rows(text))
        await pilot.press("N")
        assert "11 of 11" in await settled(app, pilot)
        app.log_view.set_filter("!ERROR", hide=True)
        assert "19,800 matches" in await settled(app, pilot)


async def test_a_filter_that_nothing_matches_says_so(path: Path) -> None:
    path.write_text("apples\n")
    async with showing(path) as (app, pilot, _):
        app.log_view.set_filter("pears")
        assert "Nothing matches /pears; esc shows all." in await settled(app, pilot)


async def test_filter_and_looks_are_there_again_where_one_comes_back(path: Path) -> None:
    path.write_text("apples\npears\n")
    async with showing(path) as (app, pilot, _):
        app.log_view.set_filter("pears")
        await pilot.press("w")
        memory = app.log_view.memory()
        again = LogApp()
        async with again.run_test(size=(80, 24)) as other:
            again.log_view.recall(memory)
            again.log_view.open(LogFile(path, "hero_db"))
            text = await settled(again, other)
            assert rows(text)[0] == "pears"
            assert "wrap" in text


async def test_what_is_searched_is_gone_to_once_it_is_found(path: Path) -> None:
    path.write_text("".join(stamped(n, "needle" if n == 12 else "") for n in range(30_000)))
    async with showing(path) as (app, pilot, _):
        app.log_view.set_filter("needle", hide=False)
        app.log_view.action_match(-1)
        text = await settled(app, pilot)
        assert "n=12 needle" in text
        assert "paused" in text


async def test_a_search_in_several_files_goes_to_the_last_match_of_all(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.log" for name in ("busy", "quiet")}
    paths["busy"].write_text("".join(stamped(n, "needle" if n == 12 else "") for n in range(30_000)))
    paths["quiet"].write_text(stamped(11, "needle"))
    app = LogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.log_view.open(open_logs(paths))
        app.log_view.set_filter("needle", hide=False)
        app.log_view.action_match(-1)
        assert "n=12 needle" in await settled(app, pilot)
        assert "/needle 2 of 2 matches" in screen_text(app)


async def test_errors_are_gone_to_and_stand_on_the_bar(path: Path) -> None:
    path.write_text("".join(stamped(n) for n in range(1000)))
    async with showing(path) as (app, pilot, _):
        text = await settled(app, pilot)
        assert [line[79:] for line in text.splitlines()].count("━") == 10
        await pilot.press("less_than_sign")
        assert any(row.endswith("ERROR n=950") for row in rows(await settled(app, pilot)))
        await pilot.press("exclamation_mark")
        assert any(row.endswith("ERROR n=850") for row in rows(await settled(app, pilot)))
        await pilot.press("greater_than_sign")
        assert any(row.endswith("ERROR n=950") for row in rows(await settled(app, pilot)))


async def test_the_bar_is_a_way_through_the_log(path: Path) -> None:
    path.write_text("".join(f"line {n:04d}\n" for n in range(1000)))
    async with showing(path) as (app, pilot, _):
        await pilot.click(LogView, offset=(79, 11))
        assert rows(await settled(app, pilot))[0] == "line 0500"
        await pilot.click(LogView, offset=(79, 0))
        assert rows(await settled(app, pilot))[0] == "line 0000"
        await pilot.click(LogView, offset=(79, 22))
        assert app.log_view.following


async def test_marks_are_rules_under_lines_and_are_come_back_to(path: Path) -> None:
    path.write_text("".join(stamped(n) for n in range(300)))
    async with showing(path) as (app, pilot, log):
        await pilot.press("m")
        text = await settled(app, pilot)
        assert rows(text)[22].startswith("── mark 1 · 10:04:59.000 ──")
        with path.open("a") as file:
            file.write("".join(stamped(n) for n in range(300, 400)))
        app.log_view.came(log.refresh())  # type: ignore[arg-type]
        assert "mark 1" not in await settled(app, pilot)
        await pilot.press("apostrophe")
        assert "mark 1" in await settled(app, pilot)
        await pilot.press("m")
        assert "mark 1" not in await settled(app, pilot)


async def test_json_is_spread_over_rows_and_folded_again(path: Path) -> None:
    path.write_text('10:00 {"level": "error", "count": 3, "ok": false, "who": ["a", "漢"]}\nplain\n')
    async with showing(path) as (app, pilot, _):
        assert rows(screen_text(app))[0].startswith('10:00 {"level"')
        await pilot.press("J")
        text = await settled(app, pilot)
        assert rows(text)[:6] == [
            "10:00 {",
            '  "level": "error",',
            '  "count": 3,',
            '  "ok": false,',
            '  "who": [',
            '    "a",',
        ]
        assert "json" in text
        await pilot.press("J")
        assert rows(await settled(app, pilot))[1] == "plain"


async def test_a_window_shows_a_part_and_clearing_what_comes_from_now_on(path: Path) -> None:
    path.write_text("".join(stamped(n) for n in range(600)))
    async with showing(path) as (app, pilot, log):
        first = log.line(0).time
        assert first is not None
        app.log_view.set_window(Window(log.at_time(first + 590), log.at_time(first + 595)), "five seconds")
        text = await settled(app, pilot)
        assert [row.rsplit("=")[-1] for row in rows(text) if row] == ["590", "591", "592", "593", "594"]
        assert "five seconds" in text
        app.log_view.clear()
        assert "Nothing is there (from now on); esc shows all." in await settled(app, pilot)
        with path.open("a") as file:
            file.write("new\n")
        app.log_view.came(log.refresh())  # type: ignore[arg-type]
        assert rows(await settled(app, pilot))[0] == "new"


async def test_wrapped_lines_are_gone_through_row_by_row(path: Path) -> None:
    path.write_text("".join(f"{n} {'x' * 200}\n" for n in range(50)))
    async with showing(path) as (app, pilot, _):
        await pilot.press("w", "g", "j")
        text = rows(await settled(app, pilot))
        assert text[0] == "x" * 79
        assert text[2].startswith("1 xxx")
        await pilot.press("k", "k")
        assert rows(await settled(app, pilot))[0].startswith("0 xxx")


@pytest.mark.parametrize("name", ["binary", "one_line", "empty", "escapes", "late_newline"])
async def test_any_file_is_survived(path: Path, name: str) -> None:
    rng = random.Random(3)
    contents = {
        "binary": rng.randbytes(300_000),
        "one_line": b"0123456789 error: \xe6\xbc\xa2" * 500_000,
        "empty": b"",
        "escapes": b"\x1b]0;gone\x07\x1b[2J\x1b[31mred\x1b[0m\r\n" * 500,
        "late_newline": b"\x00" * 200_000 + b"\nend",
    }
    path.write_bytes(contents[name])
    async with showing(path) as (app, pilot, _):
        await mash(pilot, [*"gnNwtJGkkhl", "pageup", "pageup", "ctrl+u", "m", "apostrophe", "less_than_sign"])
        app.log_view.set_filter("e")
        text = await settled(app, pilot)
        assert not set(text) & set("\x1b\x07\x00\x08\x7f\r")
        assert {cell_len(strip.text) for strip in app.screen._compositor.render_strips()} == {80}


async def test_a_file_that_is_cut_off_under_the_view_is_shown_anew(path: Path) -> None:
    path.write_text("".join(stamped(n) for n in range(5000)))
    async with showing(path) as (app, pilot, log):
        await pilot.press("pageup", "m", "n")
        path.write_text("anew\n")
        await pilot.press("k", "g", "t")
        await settled(app, pilot)
        app.log_view.came(log.refresh())  # type: ignore[arg-type]
        assert "anew" in rows(await settled(app, pilot))[0]


async def test_random_keys_on_a_file_that_is_written_cut_and_rotated_raise_nothing(path: Path) -> None:
    keys = [*"jkhlgGfwtnNmJ", "space", "ampersand", "ctrl+d", "ctrl+u", "pageup", "pagedown", "apostrophe"]
    keys += ["less_than_sign", "greater_than_sign"]
    rng = random.Random(11)
    path.write_text("begin\n")
    async with showing(path) as (app, pilot, log):
        for _ in range(50):
            await mash(pilot, rng.choices(keys, k=10))
            deed = rng.randrange(8)
            if deed == 0:
                app.log_view.set_filter(rng.choice(["", "1", "!1", "~[0-3]$", "zzz"]), hide=rng.random() < 0.5)
            elif deed == 1:
                await pilot.resize_terminal(rng.randint(1, 160), rng.randint(1, 50))
            elif deed == 2 and rng.random() < 0.3:
                path.write_text("")
            elif deed == 3 and rng.random() < 0.3:
                path.rename(path.with_name("hero_db.log.1"))
                path.write_text("rotated\n")
            elif deed == 4 and rng.random() < 0.3:
                app.log_view.clear()
            else:
                with path.open("ab") as file:
                    file.write(
                        rng.choice([stamped(rng.randrange(9)).encode(), b'{"a": [1, 2]}\n', rng.randbytes(300)])
                        * 9
                    )
            if (change := log.refresh()) is not None:
                app.log_view.came(change)
        await settled(app, pilot)


async def test_each_state_has_its_picture(snap_text: Callable[[App[Any]], bool], path: Path) -> None:
    lines = [stamped(n, '{"took": 3, "path": "/api"}' if n % 7 == 0 else "request") for n in range(400)]
    path.write_text("".join(lines))
    async with showing(path, (100, 24)) as (app, pilot, _):
        app.log_view.set_filter("took", hide=False)
        await pilot.press("less_than_sign", "m", "J", "t")
        await settled(app, pilot)
        assert snap_text(app)
