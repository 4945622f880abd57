"""The log screen: lines as they come, merged, filtered, through a restart of the daemon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.client.log_save import saved_logs
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.model.state import LogLine
from hero_tui import terminal
from screens.widgets.logview import LogView
from tests.hero_tui.fleets import NOW, Cockpit
from tests.screens.widgets.samples import mash


def line(text: str, time: float = 1.0, source: str = "hero_db") -> LogLine:
    return LogLine(source=source, time=time, text=text)


async def open_logs(cockpit: Cockpit, pilot: Pilot[int], *lines: LogLine) -> None:
    await cockpit.press(pilot, "l")
    cockpit.line.log.put_nowait(lines)
    await told(cockpit, pilot)


async def told(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    await cockpit.settle(pilot)
    cockpit.app.screen.query_one(LogView).flush()
    await cockpit.settle(pilot)


async def test_lines_are_shown_as_they_come() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "l")
        assert "Reading the log…" in cockpit.text
        await told(cockpit, pilot)
        cockpit.line.log.put_nowait((line("checkpoint 1"), line("checkpoint 2", 2.0)))
        await told(cockpit, pilot)
        assert "checkpoint 1" in cockpit.text
        assert "following  2 lines" in cockpit.text


async def test_sources_are_told_apart() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "space", "space")
        await open_logs(cockpit, pilot, line("one"), line("two", 2.0, "hero_router"))
        assert "hero_db     │ one" in cockpit.text
        assert "hero_router │ two" in cockpit.text


async def test_a_restart_of_the_daemon_loses_no_line_and_doubles_none() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("first", 1.0), line("second", 2.0))
        cockpit.line.log.put_nowait(HeroError("unreachable", "The daemon has gone."))
        await told(cockpit, pilot)
        assert "reconnecting… The daemon has gone." in cockpit.text
        cockpit.now += timedelta(seconds=12)
        cockpit.app._tick()
        await cockpit.settle(pilot)
        assert "12s old, reconnecting… The daemon has gone." in cockpit.text
        cockpit.line.log.put_nowait((line("second", 2.0), line("at the same time", 2.0), line("third", 3.0)))
        await cockpit.until(pilot, lambda: "third" in cockpit.text)
        assert cockpit.text.count("second") == 1
        assert "at the same time" in cockpit.text
        assert "reconnecting" not in cockpit.text
        assert cockpit.line.called("slot.logs")[-1]["since"] == 2.0


async def test_logs_that_are_not_shown_say_why() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "j", "l")
        cockpit.line.log.put_nowait(
            HeroError("denied", "mik does not show the logs.", hint="users/mik.toml says so.")
        )
        await told(cockpit, pilot)
        assert "mik does not show the logs." in cockpit.text
        assert "users/mik.toml says so." in cockpit.text
        await cockpit.press(pilot, "ctrl+r")
        assert "Reading the log…" in cockpit.text
        cockpit.line.log.put_nowait((line("checkpoint 1"),))
        await cockpit.until(pilot, lambda: "checkpoint 1" in cockpit.text)


async def test_the_filter_hides_and_escape_brings_back() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"), line("pears", 2.0))
        await cockpit.press(pilot, "slash", *"pear", "enter")
        await told(cockpit, pilot)
        assert "apples" not in cockpit.text
        await cockpit.press(pilot, "escape")
        await told(cockpit, pilot)
        assert "apples" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "FleetScreen"


async def test_a_wrong_regex_is_told_and_nothing_breaks() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        await cockpit.press(pilot, "slash", *"~(", "enter")
        assert "not a regular expression" in cockpit.text


async def test_space_pauses_and_new_lines_are_counted() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        await cockpit.press(pilot, "space")
        cockpit.line.log.put_nowait((line("pears", 2.0),))
        await told(cockpit, pilot)
        assert "paused · 1 new" in cockpit.text


async def test_keys_that_act_on_a_service_are_not_offered_in_its_log() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        assert "r restart" not in cockpit.text
        await cockpit.press(pilot, "r", "x", "s")
        assert [name for _, name, _ in cockpit.line.calls] == ["slot.logs"]


async def test_the_visible_lines_are_copied() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"), line("pears", 2.0))
        await cockpit.press(pilot, "c")
        assert cockpit.app.clipboard == "apples\npears"


async def test_leaving_the_screen_ends_the_stream() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        assert cockpit.line.following == 1
        await cockpit.press(pilot, "escape")
        await cockpit.settle(pilot)
        assert cockpit.line.following == 0


# -- one's own log, which is a file -----------------------------------------------------------------


def written(root: Path, *lines: str, user: str = "alice", service: str = "hero_db") -> Path:
    """The log of a service in a slot."""
    path = BoxPaths(root).slot(user).service_log(service)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def ago(minutes: float, text: str) -> str:
    """A line of that many minutes before now."""
    return f"{(NOW - timedelta(minutes=minutes)).isoformat()} {text}"


@asynccontextmanager
async def on_file(root: Path, *lines: str, keys: str = "l") -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The cockpit with the log of hero_db, all of it looked at."""
    written(root, *lines)
    cockpit = Cockpit(root)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, *keys)
        await looked(cockpit, pilot)
        yield cockpit, pilot


async def looked(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Until the whole log has been looked at."""
    await told(cockpit, pilot)
    await cockpit.until(pilot, lambda: not cockpit.app.screen.query_one(LogView).busy)


async def test_ones_own_log_is_read_from_its_file_and_followed(tmp_path: Path) -> None:
    async with on_file(tmp_path, "first", "second") as (cockpit, pilot):
        assert "following  2 lines" in cockpit.text
        with BoxPaths(tmp_path).slot("alice").service_log("hero_db").open("a") as file:
            file.write("third\n")
        await cockpit.until(pilot, lambda: "third" in cockpit.text)
        assert cockpit.line.called("slot.logs") == []


@asynccontextmanager
async def on_files(root: Path) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The cockpit with the logs of two marked services, all of them looked at."""
    written(root, ago(3, "first"), "  of two rows", ago(1, "third"))
    written(root, ago(2, "second"), service="hero_router")
    cockpit = Cockpit(root)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "space", "space", "l")
        await looked(cockpit, pilot)
        yield cockpit, pilot


async def test_ones_own_logs_are_merged_from_their_files_and_followed(tmp_path: Path) -> None:
    async with on_files(tmp_path) as (cockpit, pilot):
        log = BoxPaths(tmp_path).slot("alice").service_log
        assert "following  4 lines · 2 sources" in cockpit.text
        with log("hero_db").open("a") as one, log("hero_router").open("a") as other:
            one.write(f"{ago(-2, 'fifth')}\n")
            other.write(f"{ago(-1, 'fourth')}\n")
        await cockpit.until(pilot, lambda: "fifth" in cockpit.text and "fourth" in cockpit.text)
        rows = [line.split(" │ ") for line in cockpit.text.splitlines() if " │ " in line]
        assert [source.strip("│ ") for source, _ in rows] == [
            "hero_db", "hero_db", "hero_router", "hero_db", "hero_router", "hero_db",
        ]  # fmt: skip
        assert [text.rstrip("│ ").split()[-1] for _, text in rows] == [
            "first", "rows", "second", "third", "fourth", "fifth",
        ]  # fmt: skip
        assert cockpit.line.called("slot.logs") == []


async def test_a_window_of_several_files_is_of_their_times(tmp_path: Path) -> None:
    async with on_files(tmp_path) as (cockpit, pilot):
        await cockpit.press(pilot, "2")
        await looked(cockpit, pilot)
        assert "last 5 minutes" in cockpit.text
        await cockpit.press(pilot, "1")
        await looked(cockpit, pilot)
        assert ("third" in cockpit.text, "second" in cockpit.text) == (True, False)


async def test_a_teammates_log_is_asked_of_the_box_even_where_its_file_lies_open(tmp_path: Path) -> None:
    written(tmp_path, "not for you", user="mik")
    cockpit = Cockpit(tmp_path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "j", "j", "l")
        user = cockpit.app.target.user if cockpit.app.target else ""
        assert user != "alice"
        assert len(cockpit.line.called("peek.logs")) == 1
        assert "not for you" not in cockpit.text


async def test_a_log_that_is_empty_says_so_until_something_is_written(tmp_path: Path) -> None:
    async with on_file(tmp_path) as (cockpit, pilot):
        assert "Nothing has been logged yet." in cockpit.text
        with BoxPaths(tmp_path).slot("alice").service_log("hero_db").open("a") as file:
            file.write("at last\n")
        await cockpit.until(pilot, lambda: "at last" in cockpit.text)


async def test_digits_are_windows_of_time_and_escape_opens_them(tmp_path: Path) -> None:
    async with on_file(tmp_path, ago(120, "old"), ago(10, "newer"), ago(2, "new")) as (cockpit, pilot):
        await cockpit.press(pilot, "2")
        await looked(cockpit, pilot)
        assert "last 5 minutes" in cockpit.text
        assert (" newer" in cockpit.text, " new " in cockpit.text) == (False, True)
        await cockpit.press(pilot, "1")
        await looked(cockpit, pilot)
        assert cockpit.screen_name == "LogsScreen"
        assert " new " not in cockpit.text
        await cockpit.press(pilot, "escape")
        await looked(cockpit, pilot)
        assert " old" in cockpit.text


async def test_a_window_on_lines_without_times_is_refused_in_words(tmp_path: Path) -> None:
    async with on_file(tmp_path, "no time") as (cockpit, pilot):
        await cockpit.press(pilot, "3")
        assert "The lines of this log tell no times." in cockpit.text
        assert "no time" in cockpit.text


async def test_a_window_of_a_stream_is_asked_of_the_daemon() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        await cockpit.press(pilot, "2")
        await told(cockpit, pilot)
        assert cockpit.line.called("slot.logs")[-1]["since"] == NOW.timestamp() - 300
        assert cockpit.line.following == 1
        await cockpit.press(pilot, "6")
        await told(cockpit, pilot)
        assert cockpit.line.called("slot.logs")[-1]["lines"] == 100_000


async def test_the_run_before_ends_where_the_present_one_began(tmp_path: Path) -> None:
    async with on_file(tmp_path, ago(20, "panicked"), ago(11, "listening")) as (cockpit, pilot):
        await cockpit.press(pilot, "p")
        await looked(cockpit, pilot)
        assert "previous run" in cockpit.text
        assert ("panicked" in cockpit.text, "listening" in cockpit.text) == (True, False)
        await cockpit.press(pilot, "p")
        await looked(cockpit, pilot)
        assert "listening" in cockpit.text


async def test_the_run_before_of_a_stream_is_asked_for_with_more_lines() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await open_logs(cockpit, pilot, line("apples"))
        await cockpit.press(pilot, "p")
        start = NOW.timestamp() - 12 * 60
        cockpit.line.log.put_nowait((line("panicked", start - 5), line("listening", start + 1)))
        await told(cockpit, pilot)
        await told(cockpit, pilot)
        assert ("panicked" in cockpit.text, "listening" in cockpit.text) == (True, False)


async def test_a_first_run_has_none_before(tmp_path: Path) -> None:
    async with on_file(tmp_path, ago(11, "listening")) as (cockpit, pilot):
        await cockpit.press(pilot, "p")
        assert "Nothing is kept of a run before." in cockpit.text
        assert "listening" in cockpit.text


async def test_a_search_that_comes_in_one_piece_goes_to_its_match(tmp_path: Path) -> None:
    lines = [f"n={number} {'needle' if number == 7 else ''}" for number in range(400)]
    async with on_file(tmp_path, *lines) as (cockpit, pilot):
        await mash(pilot, ["backslash", *"needle", "enter"])
        await looked(cockpit, pilot)
        await cockpit.until(pilot, lambda: "n=7 needle" in cockpit.text)
        assert "/needle 1 of 1 match" in cockpit.text
        assert "n=8" in cockpit.text


async def test_what_is_shown_is_saved_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with on_file(tmp_path, "apples", "\x1b[31mpears\x1b[0m", "apples too") as (cockpit, pilot):
        await cockpit.press(pilot, "slash", *"pear", "enter")
        await looked(cockpit, pilot)
        await cockpit.press(pilot, "s")
        await cockpit.until(pilot, lambda: bool(list(saved_logs().glob("alice-hero_db-*.log"))))
        (saved,) = saved_logs().glob("*.log")
        assert saved.read_text() == "pears\n"
        assert saved.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("key", "tool"), [("o", "pager"), ("e", "editor")])
async def test_the_file_is_opened_in_pager_and_editor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, tool: str
) -> None:
    opened: list[list[str]] = []

    async def hand_over(_: object, argv: list[str], *__: object) -> None:
        opened.append(argv)

    monkeypatch.setenv("PAGER", "true -R")
    monkeypatch.setenv("EDITOR", "true -w")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr(terminal, "hand_over", hand_over)
    async with on_file(tmp_path, "apples") as (cockpit, pilot):
        await cockpit.press(pilot, key)
        await cockpit.until(pilot, lambda: bool(opened))
        path = str(BoxPaths(tmp_path).slot("alice").service_log("hero_db"))
        assert opened == [["true", "-R" if tool == "pager" else "-w", path]]


async def test_a_filtered_log_is_opened_as_it_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[list[str]] = []

    async def hand_over(_: object, argv: list[str], *__: object) -> None:
        opened.append(argv)

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PAGER", "true")
    monkeypatch.setattr(terminal, "hand_over", hand_over)
    async with on_file(tmp_path, "apples", "pears") as (cockpit, pilot):
        await cockpit.press(pilot, "slash", *"pear", "enter")
        await looked(cockpit, pilot)
        await cockpit.press(pilot, "o")
        await cockpit.until(pilot, lambda: bool(opened))
        assert Path(opened[0][1]).read_text() == "pears\n"


async def test_what_came_since_the_mark_is_copied(tmp_path: Path) -> None:
    async with on_file(tmp_path, "before") as (cockpit, pilot):
        await cockpit.press(pilot, "m")
        with BoxPaths(tmp_path).slot("alice").service_log("hero_db").open("a") as file:
            file.write("after 1\nafter 2\n")
        await cockpit.until(pilot, lambda: "after 2" in cockpit.text)
        await cockpit.press(pilot, "y")
        assert cockpit.app.clipboard == "after 1\nafter 2"
