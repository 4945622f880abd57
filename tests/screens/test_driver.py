"""The private parts of Textual that the driver touches: screens stay equal, keys quick, the loop free."""

from __future__ import annotations

import asyncio
import gc
import importlib.metadata
import importlib.util
import itertools
import os
import pty
import random
import re
import select
import subprocess
import sys
import time
import tomllib
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pyte
import pytest
from rich.segment import Segment
from textual import constants
from textual._compositor import Compositor, CompositorUpdate
from textual._styles_cache import StylesCache
from textual._xterm_parser import XTermParser
from textual.app import App, ComposeResult
from textual.color import Color
from textual.css.stylesheet import Stylesheet
from textual.notifications import Notification
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea
from textual.widgets._toast import Toast

from screens import driver, textual_gate
from screens.frame_bytes import Shown
from screens.widgets.grid import FleetGrid
from screens.widgets.grid_data import GridCell, GridRow
from tests.screens.widgets.samples import RecordingApp, fill, fleet_cell, fleet_columns, fleet_rows

ROOT = Path(__file__).resolve().parents[2]
USERS = ("alice", "日本語", "mik", "e\u0301mile", "thabet", *(f"user{n}" for n in range(20)))
WIDTH, HEIGHT = 120, 30
DEADLINE = 20.0


def test_textual_is_the_version_whose_private_api_is_known() -> None:
    assert importlib.metadata.version("textual") == textual_gate.TEXTUAL_VERSION
    assert textual_gate.is_known()
    pinned = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert f"textual=={textual_gate.TEXTUAL_VERSION}" in pinned


def test_another_textual_is_used_as_it_is_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "textual-8.2.9.dist-info").mkdir()
    assert not textual_gate.is_known(tmp_path / "textual")
    monkeypatch.setattr(textual_gate, "is_known", lambda: False)
    display = App._display
    assert textual_gate.TEXTUAL_VERSION in textual_gate.install()
    assert App._display is display


def test_no_other_module_reaches_into_textual() -> None:
    private = re.compile(
        r"textual\._[a-z]|from textual import _|\._(compositor|driver|display|dirty_\w+|writer_thread)\b"
    )
    found = [
        path.name
        for folder in ("screens", "hero_tui", "backends")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "driver.py" and private.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


class Box(ModalScreen[None]):
    CSS = "Box { align: center middle; background: transparent; } Box Static { width: 33; height: 9; }"

    def compose(self) -> ComposeResult:
        yield Static("漢字 modal é " * 20, classes="dialog")


class FleetApp(RecordingApp):
    def compose(self) -> ComposeResult:
        yield Static("漢字 head", id="head")
        yield FleetGrid()

    def on_mount(self) -> None:
        fill(self.query_one(FleetGrid), USERS)


class Terminal:
    """An emulated terminal that says what each of its cells looks like; a blank has no colour but its ground's."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)

    def feed(self, data: str) -> None:
        self.stream.feed(re.sub(r"\x1b\[[<>=?][0-9;]*[uh$pl]+", "", data))

    def cells(self) -> list[Any]:
        rows = (self.screen.buffer[y] for y in range(HEIGHT))
        return [
            (
                cell.data,
                cell.fg if cell.data.strip() or cell.reverse else "",
                cell.bg,
                cell.bold,
                cell.italics,
                cell.reverse,
            )
            for row in rows
            for cell in (row[x] for x in range(WIDTH))
        ]


@pytest.mark.parametrize("seed", range(6))
async def test_partial_repaints_leave_the_same_screen_as_a_whole_one(seed: int) -> None:
    rng = random.Random(seed)
    app = FleetApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        await app.all_sent(pilot)
        seen = Terminal()
        seen.feed(app.screen._compositor.render_full_update().render_segments(app.console))
        for step in range(25):
            await pilot.pause()
            if step in (8, 16):
                _ = app.push_screen(Box()) if len(app.screen_stack) == 1 else app.pop_screen()
            _change_something(rng, app.screen_stack[0].query_one(FleetGrid))
            seen.feed(await app.all_sent(pilot))
        whole = Terminal()
        whole.feed(app.screen._compositor.render_full_update().render_segments(app.console))
        assert seen.cells() == whole.cells()


class Both(CompositorUpdate):
    """What is dirty, as Textual renders it and as our driver does."""

    def __init__(self, stock: CompositorUpdate, ours: CompositorUpdate):
        self.stock, self.ours = stock, ours

    def render_segments(self, console: Any) -> str:
        return self.stock.render_segments(console)


class TwinApp(FleetApp):
    """Shows each frame on two terminals: as Textual sends it, and as our driver does."""

    def __init__(self) -> None:
        super().__init__()
        self.shown, self.pen = Shown(), driver.pen_of(self.console)
        self.stock, self.ours = Terminal(), Terminal()
        self.sent = [0, 0]

    def partial(self, compositor: Compositor) -> CompositorUpdate | None:
        dirty = set(compositor._dirty_regions)
        stock = Compositor.render_partial_update(compositor)
        compositor._dirty_regions |= dirty
        ours = driver.partial_update(compositor)
        assert not compositor._dirty_regions
        return Both(stock, ours) if stock and ours else None

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None and not self._batch_count:
            pair = (renderable.stock, renderable.ours) if isinstance(renderable, Both) else (renderable,) * 2
            for place, (terminal, text) in enumerate(
                (
                    (self.stock, pair[0].render_segments(self.console)),
                    (self.ours, driver.render(pair[1], self.pen, self.shown)),
                )
            ):
                terminal.feed(text)
                self.sent[place] += len(text)
        super()._display(screen, renderable)


@pytest.mark.parametrize("seed", range(6))
async def test_the_driver_shows_what_textual_shows_with_dialogs_other_sizes_and_wide_glyphs(seed: int) -> None:
    rng = random.Random(seed)
    app = TwinApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        for step in range(25):
            await pilot.pause()
            if step in (4, 8, 16, 20):
                _ = app.push_screen(Box()) if len(app.screen_stack) == 1 else app.pop_screen()
            if step == 12:
                app.screen.refresh(layout=True)
            _change_something(rng, app.screen_stack[0].query_one(FleetGrid))
            await pilot.pause()
            assert app.ours.cells() == app.stock.cells()
        assert app.sent[1] < app.sent[0]


async def test_what_the_terminal_shows_already_is_not_sent_again() -> None:
    app = TwinApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        app.screen.refresh()
        await pilot.pause()
        app.sent = [0, 0]
        app.screen.refresh()
        await pilot.pause()
        assert app.sent[0] > 2000
        assert app.sent[1] == 0
        app.shown.forget()
        app.screen.refresh()
        await pilot.pause()
        assert app.sent[1] > 2000


def _change_something(rng: random.Random, grid: FleetGrid) -> None:
    deed = rng.randrange(8)
    if deed == 0:
        grid.action_move(rng.randint(-3, 9), rng.randint(-2, 2))
    elif deed == 1:
        grid.action_cycle_density()
    elif deed == 2:
        grid.set_rows([GridRow(rng.choice(USERS), rng.choice(USERS) * 2, tag="漢", stale=True)])
    for _ in range(rng.choice([1, 3, 40])):
        user = rng.choice(USERS)
        cell = fleet_cell(rng, user)
        if cell and rng.random() < 0.2:
            cell = GridCell("漢字/ブランチ", cell.hash8, cell.source, cell.drift, cell.health)
        grid.set_cell(user, rng.choice(fleet_columns()).key, cell)


async def test_many_cells_on_one_line_cost_their_sum_not_their_square() -> None:
    app = FleetApp()
    async with app.run_test(size=(WIDTH, HEIGHT)) as pilot:
        grid = app.query_one(FleetGrid)
        grid.set_shape(fleet_rows(("alice",)), fleet_columns())
        grid.set_density("full")

        async def cost(columns: int, health: str) -> int:
            for column in fleet_columns()[:columns]:
                grid.set_cell("alice", column.key, GridCell("development", health=health))
            return len(await app.all_sent(pilot))

        await cost(6, "healthy")
        one = await cost(1, "starting")
        await cost(6, "healthy")
        assert await cost(6, "starting") <= 6 * one + 60


class ManyParts(Widget, can_focus=True):
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"part--{number}" for number in range(3)}
    DEFAULT_CSS = """
    ManyParts { height: 3; }
    ManyParts > .part--0 { color: $primary; }
    ManyParts:focus > .part--1 { background: $surface; text-style: bold; }
    ManyParts.loud > .part--2 { color: $error; }
    """

    def render_line(self, y: int) -> Strip:
        style = self.get_component_rich_style(f"part--{y}")
        return Strip([Segment("part", style)])


class PartsApp(App[None]):
    def compose(self) -> ComposeResult:
        yield ManyParts()
        yield Input()


async def _shown_after_changes() -> list[list[list[Segment]]]:
    """What is on the screen after each change of focus, theme and classes."""
    app = PartsApp()
    seen = []
    async with app.run_test(size=(20, 8)) as pilot:
        many = app.query_one(ManyParts)
        changes: tuple[Callable[[], object], ...] = (
            lambda: many.focus(),
            lambda: setattr(app, "theme", "textual-light"),
            lambda: app.query_one(Input).focus(),
            lambda: many.add_class("loud"),
            lambda: setattr(app, "theme", "nord"),
            lambda: many.remove_class("loud"),
        )
        for change in changes:
            change()
            await pilot.pause()
            seen.append([list(strip) for strip in driver.painted(app.screen)])
        with pytest.raises(KeyError, match="COMPONENT_CLASSES"):
            many.get_component_styles("part--3")
    return seen


async def test_a_part_of_a_widget_has_the_style_that_textual_gives_it_after_every_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver.mend()
    ours = await _shown_after_changes()
    untouched = importlib.util.find_spec("textual.css.stylesheet")
    assert untouched is not None
    assert untouched.loader is not None
    textuals = importlib.util.module_from_spec(untouched)
    untouched.loader.exec_module(textuals)
    for name in ("_process_component_classes", "reparse"):
        monkeypatch.setattr(Stylesheet, name, getattr(textuals.Stylesheet, name))
    stock = await _shown_after_changes()
    assert ours == stock
    assert all(now != then for then, now in itertools.pairwise(stock))


def test_the_styles_of_two_grounds_do_not_keep_the_lines_of_a_widget_that_is_gone() -> None:
    driver.mend()
    cache, base, ground = StylesCache(), Color(10, 20, 30), Color(200, 100, 50, 0.5)
    lines = weakref.ref(cache)
    assert cache.get_inner_outer(base, ground) == (Style(background=base + ground), Style(background=base))
    del cache
    assert lines() is None


async def test_who_watched_the_app_and_is_closed_does_not_stay_in_memory() -> None:
    driver.mend()
    app: App[None] = App()
    closed = []
    async with app.run_test() as pilot:
        for _ in range(3):
            screen: Screen[None] = Screen()
            await app.push_screen(screen)
            await screen.mount(TextArea())
            await pilot.pause()
            closed.append(weakref.ref(screen.query_one(TextArea)))
            await app.pop_screen()
        del screen
        gc.collect()
        assert [area() is None for area in closed] == [True, True, False]  # until the next one watches


@pytest.mark.timeout(60)
async def test_a_toast_whose_time_has_run_out_goes_and_stops_nothing_else() -> None:
    driver.mend()
    late = Notification("too late", timeout=-0.001)
    async with App[None]().run_test() as pilot:
        await pilot.app.mount(Toast(late))
        async with asyncio.timeout(30):
            while pilot.app.query(Toast):
                await pilot.pause(0.01)


def test_a_lone_escape_waits_no_longer_than_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 0.02)
    parser = XTermParser()
    assert driver.rest_seconds(parser) == 0
    assert list(parser.feed("\x1b")) == []
    assert 0 < driver.rest_seconds(parser) <= 0.02
    assert [event.key for event in parser.feed("[A")] == ["up"]  # type: ignore[attr-defined]
    assert driver.rest_seconds(parser) == 0


APP = """
import os, sys
from screens import driver, textual_gate
from screens.frame_bytes import Shown
driver.install()
from textual.app import App
from textual.widgets import Static

class Probe(App):
    ENABLE_COMMAND_PALETTE = False
    def compose(self):
        yield Static()
    def say(self, text):
        os.write(int(sys.argv[1]), (text + "\\n").encode())
    def on_mount(self):
        self.call_after_refresh(self.say, type(self._driver).__name__)
    def on_key(self, event):
        self.say(event.key)
        if event.key == "s":
            self.frames = 0
            self.timer = self.set_interval(0.001, self.flood)
        if event.key == "z":
            self.exit()
    def flood(self):
        if self.frames == 300:
            return
        self.frames += 1
        row = "".join(chr(97 + (self.frames + n) % 26) for n in range(120))
        self.query_one(Static).update("\\n".join([row] * 29) + f"\\nframe {self.frames}")
        if self.frames == 300:
            self.timer.stop()
            self.say("flooded")

Probe().run()
"""


class Probe:
    """A program on a real terminal of which the test is the far end, and the pipe on which it talks."""

    def __init__(self, terminal: int, talk: int) -> None:
        self.terminal = terminal
        self.talk = talk
        self.heard = ""

    def send(self, keys: bytes) -> None:
        """Type."""
        os.write(self.terminal, keys)

    def wait_for(self, text: str, read_terminal: bool = True) -> str:
        """Wait until the program says `text`; returns what came to the terminal meanwhile."""
        return self._wait(lambda _: text in self.heard, read_terminal)

    def wait_for_screen(self, text: str) -> str:
        """Wait until `text` is sent to the terminal."""
        return self._wait(lambda output: text in output, True)

    def _wait(self, done: Any, read_terminal: bool) -> str:
        output = b""
        end = time.monotonic() + DEADLINE
        while not done(output.decode(errors="replace")):
            assert time.monotonic() < end, (self.heard, output[-400:])
            watched = [self.talk, self.terminal] if read_terminal else [self.talk]
            for ready in select.select(watched, [], [], 0.2)[0]:
                if ready == self.talk:
                    self.heard += os.read(self.talk, 4096).decode()
                else:
                    output += os.read(self.terminal, 65536)
        return output.decode(errors="replace")


@contextmanager
def probing() -> Iterator[Probe]:
    main, far = pty.openpty()
    talk, say = os.pipe()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": str(WIDTH), "LINES": str(HEIGHT)}
    environment.pop("ESCDELAY", None)
    process = subprocess.Popen(
        [sys.executable, "-c", APP, str(say)],
        stdin=far, stdout=far, stderr=far, pass_fds=(say,), env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(far)
    os.close(say)
    try:
        yield Probe(main, talk)
    finally:
        process.kill()
        process.wait()
        os.close(main)
        os.close(talk)


def test_keys_reach_the_app_through_the_driver() -> None:
    with probing() as probe:
        probe.wait_for("HeroDriver")
        probe.send(b"a")
        probe.wait_for("a\n")
        probe.send(b"\x1b")
        probe.wait_for("escape\n")
        probe.send(b"\x1b[A\xff\xc3\xa9b")
        probe.wait_for("b\n")
        assert "up\n" in probe.heard


def test_a_terminal_that_stands_still_does_not_stop_the_app() -> None:
    with probing() as probe:
        probe.wait_for("HeroDriver")
        probe.send(b"s")
        # Nothing is read from the terminal here: 300 frames are more than any pty holds.
        probe.wait_for("flooded", read_terminal=False)
        probe.send(b"k")
        probe.wait_for("k\n", read_terminal=False)
        last = probe.wait_for_screen("frame 300")
        screen = Terminal()
        screen.feed(last)
        rows = screen.screen.display
        expected = "".join(chr(97 + (300 + n) % 26) for n in range(WIDTH))
        assert rows[:29] == [expected] * 29
        assert rows[29].startswith("frame 300")


def test_installing_twice_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "from screens import driver; from textual.app import App; from textual import constants\n"
        "driver.install(); first = App._display; driver.install()\n"
        "assert App._display is first; print(constants.ESCAPE_DELAY, constants.DRIVER)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ESCDELAY": "35"}
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert result.stdout.split() == ["0.035", "screens.driver:HeroDriver"]
