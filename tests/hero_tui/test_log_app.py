"""`hero_tui --log`: the cockpit's log view on any files, with its keys, and nothing of a box."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from backends.client.log_merged import open_logs
from backends.client.log_save import saved_logs
from hero_tui import opening, terminal
from hero_tui.log_app import LogApp
from hero_tui.manners import Facts
from hero_tui.resident import client
from hero_tui.settings import Loaded, Settings
from screens import log_actions
from screens.widgets.logview import LogView
from tests.conftest import screen_text
from tests.hero_tui.fleets import NOW
from tests.hero_tui.terminal_of import Terminal, terminal_of
from tests.screens.widgets.samples import mash

DEADLINE = 30.0
BIN = Path(sys.executable).parent


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is saved lies apart."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def ago(minutes: float, text: str) -> str:
    """A line of that many minutes before now."""
    return f"{(NOW - timedelta(minutes=minutes)).isoformat()} {text}\n"


def written(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("".join(lines))
    return path


async def until(pilot: Pilot[int], condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await pilot.pause(0.01)


async def looked(app: LogApp, pilot: Pilot[int]) -> str:
    """The screen once everything has been looked at."""
    await pilot.pause()
    view = app.screen.query_one(LogView)
    view.flush()
    await until(pilot, lambda: not view.busy)
    await pilot.pause()
    return screen_text(app)


@asynccontextmanager
async def showing(*paths: Path, note: Callable[[], str] = str) -> AsyncIterator[tuple[LogApp, Pilot[int]]]:
    """The app on these files, all of them looked at."""
    logs = open_logs({path.stem: path for path in paths})
    app = LogApp(logs, Loaded(Settings(), ()), Facts(), input_note=note, now=lambda: NOW)
    async with app.run_test(size=(100, 24), notifications=True) as pilot:
        await looked(app, pilot)
        yield app, pilot


async def test_a_file_is_shown_from_its_end_followed_and_left_with_q(tmp_path: Path) -> None:
    path = written(tmp_path, "app.log", "first\n", "second\n")
    async with showing(path) as (app, pilot):
        text = screen_text(app)
        assert "─ app ─" in text
        assert "following  2 lines" in text
        assert "q quit  ? help" in text
        with path.open("a") as file:
            file.write("third\n")
        await until(pilot, lambda: "third" in screen_text(app))
        await pilot.press("q")
    assert app.return_code == 0


async def test_several_files_are_merged_by_time_each_in_its_colour(tmp_path: Path) -> None:
    one = written(tmp_path, "one.log", ago(9, "a"), "\tof a\n", ago(5, "c"))
    two = written(tmp_path, "two.log", ago(7, "b"), ago(3, "d"))
    async with showing(one, two) as (app, _):
        rows = [line.strip("│ ━").split() for line in screen_text(app).splitlines()[1:6]]
        assert [(row[0], row[-1]) for row in rows] == [
            ("one", "a"),
            ("one", "a"),
            ("two", "b"),
            ("one", "c"),
            ("two", "d"),
        ]
        colours = {
            segment.text.strip(): segment.style.color
            for y in range(5)
            for segment in app.screen.query_one(LogView).render_line(y)
            if segment.style is not None
        }
        assert colours["one"] != colours["two"]


async def test_filter_search_window_json_and_wrap_are_those_of_the_cockpit(tmp_path: Path) -> None:
    lines = [ago(60 - number / 10, f'n={number} {{"shelf": {number}}}') for number in range(550)]
    async with showing(written(tmp_path, "app.log", *lines)) as (app, pilot):
        await mash(pilot, ["slash", *"=77", "enter"])
        assert "/=77 1 match" in await looked(app, pilot)
        await pilot.press("escape", "backslash", *"=12", "enter")
        assert "/=12 11 of 11 matches" in await looked(app, pilot)
        await pilot.press("J", "w")
        text = await looked(app, pilot)
        assert '"shelf": 129' in text
        assert "wrap json" in text
        await pilot.press("escape", "J", "3")
        assert "last 15 minutes" in await looked(app, pilot)
        await pilot.press("escape", "escape")
        assert "q ends." in await looked(app, pilot)


async def test_a_window_of_lines_without_times_is_refused_and_a_wrong_pattern_told(tmp_path: Path) -> None:
    async with showing(written(tmp_path, "app.log", "no time\n")) as (app, pilot):
        await pilot.press("3")
        assert "The lines of this log tell no times." in await looked(app, pilot)
        await pilot.press("slash", *"~(", "enter")
        assert "not a regular expression" in await looked(app, pilot)


async def test_a_file_that_goes_is_told_and_what_was_in_it_stays(tmp_path: Path) -> None:
    one, two = written(tmp_path, "one.log", ago(2, "here")), written(tmp_path, "two.log", ago(1, "there"))
    async with showing(one, two) as (app, pilot):
        one.unlink()
        await until(pilot, lambda: "one.log is gone" in screen_text(app))
        assert "here" in screen_text(app)
        written(tmp_path, "one.log", ago(0, "again"))
        await until(pilot, lambda: "again" in screen_text(app))
        assert "gone" not in screen_text(app)


async def test_a_file_that_is_cut_off_to_nothing_says_so_until_there_is_more(tmp_path: Path) -> None:
    path = written(tmp_path, "app.log", "here\n")
    async with showing(path) as (app, pilot):
        path.write_text("")
        await until(pilot, lambda: "Nothing has been logged yet." in screen_text(app))
        path.write_text("again\n")
        await until(pilot, lambda: "again" in screen_text(app))
        await until(pilot, lambda: app.screen.query_one(LogView).has_focus)
        await pilot.press("w")
        assert "wrap" in await looked(app, pilot)


@pytest.mark.parametrize("other", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path)])
async def test_what_is_no_file_any_more_is_told_as_gone(tmp_path: Path, other: Callable[[Path], object]) -> None:
    path = written(tmp_path, "app.log", "here\n")
    async with showing(path) as (app, pilot):
        path.unlink()
        other(path)
        await until(pilot, lambda: "app.log is gone" in screen_text(app))
        assert "here" in screen_text(app)


async def test_what_is_to_be_said_of_the_input_stands_in_the_border(tmp_path: Path) -> None:
    path = written(tmp_path, "stdin", "here\n")
    async with showing(path, note=lambda: "all of the input is here") as (app, _):
        assert "all of the input is here ─╯" in screen_text(app)


async def test_lines_are_copied_saved_and_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[list[str]] = []

    async def hand_over(_: object, argv: list[str], *__: object) -> None:
        opened.append(argv)

    monkeypatch.setenv("PAGER", "true")
    monkeypatch.setattr(terminal, "hand_over", hand_over)
    one, two = written(tmp_path, "one.log", ago(2, "x")), written(tmp_path, "two.log", ago(1, "y"))
    async with showing(one, two) as (app, pilot):
        await pilot.press("c")
        assert app.clipboard == (ago(2, "x") + ago(1, "y")).rstrip()
        await pilot.press("s")
        await until(pilot, lambda: bool(list(saved_logs().glob("one-two-*.log"))))
        await pilot.press("o")
        await until(pilot, lambda: bool(opened))
        assert Path(opened[0][1]).read_text() == f"one: {ago(2, 'x')}two: {ago(1, 'y')}"
    async with showing(one) as (app, pilot):
        await pilot.press("o")
        await until(pilot, lambda: len(opened) == 2)
        assert opened[1] == ["true", str(one)]


async def test_of_more_lines_than_are_saved_the_older_ones_are_told_to_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_actions, "SAVED_LINES", 2)
    async with showing(written(tmp_path, "one.log", "a\n", "b\n", "c\n")) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: "saved the last 2 lines, not the older ones, in" in screen_text(app))
        (saved,) = saved_logs().glob("one-*.log")
        assert saved.read_text() == "b\nc\n"


async def test_of_a_file_that_is_gone_what_was_in_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[list[str]] = []

    async def hand_over(_: object, argv: list[str], *__: object) -> None:
        opened.append(argv)

    monkeypatch.setenv("PAGER", "true")
    monkeypatch.setattr(terminal, "hand_over", hand_over)
    path = written(tmp_path, "app.log", "here\n")
    async with showing(path) as (_, pilot):
        path.unlink()
        await pilot.press("o")
        await until(pilot, lambda: bool(opened))
        assert Path(opened[0][1]).read_text() == "here\n"


async def test_a_pager_that_is_not_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "no-such-pager -R")
    monkeypatch.setenv("TMUX", "/nowhere,1,0")
    async with showing(written(tmp_path, "app.log", "here\n")) as (app, pilot):
        await pilot.press("o")
        await until(pilot, lambda: "no-such-pager is not installed." in screen_text(app))


async def test_what_cannot_be_saved_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(written(tmp_path, "file", "")))
    async with showing(written(tmp_path, "app.log", "here\n")) as (app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: "cannot be saved" in screen_text(app))


async def test_help_and_themes_are_there_and_what_needs_a_box_is_not(tmp_path: Path) -> None:
    async with showing(written(tmp_path, "app.log", "x\n")) as (app, pilot):
        before = app.theme
        await pilot.press("T")
        assert app.theme != before
        await pilot.press("p", "1", "colon", "s")
        await pilot.press("question_mark")
        await pilot.pause()
        text = screen_text(app)
        assert "Follow the end, or pause" in text
        assert "run before" not in text
        await pilot.press("q")
        await pilot.pause()
        assert "─ app ─" in screen_text(app)


async def test_what_is_pasted_into_the_filter_is_harmless(tmp_path: Path) -> None:
    async with showing(written(tmp_path, "app.log", "x\n")) as (app, pilot):
        await pilot.press("slash")
        app.post_message(events.Paste("\x1b[2Jx\x07"))
        await pilot.pause()
        assert not set(await looked(app, pilot)) & set("\x1b\x07")


async def test_any_keys_at_random_break_nothing(tmp_path: Path) -> None:
    one = written(tmp_path, "one.log", *(ago(300 - number, f"n={number}") for number in range(300)))
    two = written(tmp_path, "two.log", *(ago(300 - number, "x" * 300) for number in range(0, 300, 7)))
    async with showing(one, two) as (app, pilot):
        keys = "gGnN<>!mjkhl'wtJ0123456&Cf kkk"
        await mash(pilot, [key if key.isalnum() else "escape" for key in keys * 4] + ["pageup", "ctrl+u", "home"])
        await pilot.resize_terminal(1, 1)
        await pilot.resize_terminal(100, 24)
        await looked(app, pilot)


# -- the command ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (["--log", "nowhere.log"], "nowhere.log is not there.", 1),
        (["--log", "."], ". is a folder.", 2),
        (["--log", "empty.log"], "empty.log is empty.", 1),
        (["--log", "full.log"], "A log is shown on a terminal only.", 2),
        (["--log", "full.log", "--slot", "mik"], "--log shows files, without a box: --slot cannot go with it.", 2),
    ],
)
def test_what_cannot_be_shown_is_said_before_a_screen_opens(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    told: str,
    code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "empty.log")
    written(tmp_path, "full.log", "x\n")
    assert opening.main(words) == code
    assert f"hero_tui: {told}\n" in capsys.readouterr().err


def test_no_resident_cockpit_is_asked_for_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("HERO_RESIDENT", raising=False)
    assert client.is_wanted(["--screen", "logs"])
    assert not client.is_wanted(["--log", "x"])
    assert not client.is_wanted(["--lo=x"])


def environment(folder: Path) -> dict[str, str]:
    usual = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR")}
    return {**usual, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": str(folder / "config")}


def test_the_command_shows_files_on_a_terminal_without_a_box(tmp_path: Path) -> None:
    one, two = written(tmp_path, "one.log", ago(2, "a")), written(tmp_path, "two.log", ago(1, "b"))
    argv = [str(BIN / "hero_tui"), "--log", str(one), "--log", str(two)]
    with terminal_of(argv, {**environment(tmp_path), "HERO_BOX": "/nowhere"}) as seen:
        seen.shows("2 sources")
        assert b"hero one two" in seen.raw
        with two.open("a") as file:
            file.write(ago(0, "more"))
        seen.shows("more")
        seen.press("q")
        assert seen.ends() == 0


def test_what_is_piped_in_is_shown_while_the_keys_come_from_the_terminal(tmp_path: Path) -> None:
    script = f"(echo first; read -r more < {tmp_path}/go; echo $more) | {BIN}/hero_tui --log -"
    os.mkfifo(tmp_path / "go")
    with terminal_of(["setsid", "-cw", "sh", "-c", script], environment(tmp_path)) as seen:
        seen.shows("following  1 line")
        (tmp_path / "go").write_text("second\n")
        _shows_all(seen, "second", "following  2 lines", "all of the input is here")
        seen.press("/sec\r")
        seen.shows("/sec 1 match")
        seen.press("q")
        assert seen.ends() == 0


def _shows_all(seen: Terminal, *texts: str) -> None:
    seen.until(lambda screen: all(text in screen for text in texts), repr(texts))


def test_nothing_that_is_piped_in_is_said(tmp_path: Path) -> None:
    argv = [str(BIN / "hero_tui"), "--log", "-"]
    with terminal_of(argv, environment(tmp_path)) as seen:
        seen.shows("Nothing is piped in.")
        assert seen.ends() == 2


def test_what_it_imports_are_no_daemons_and_no_box() -> None:
    unwanted = ("backends.rpc", "backends.client.live", "hero_tui.app", "hero_tui.desk")
    code = f"import sys, hero_tui.log_app; print([one for one in sys.modules if one.startswith({unwanted})])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
