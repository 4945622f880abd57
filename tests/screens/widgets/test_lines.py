"""The one-line widgets: operation bar, status bar, key footer, filter bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input

from screens.widgets.filterbar import FilterBar
from screens.widgets.glyphs import ASCII
from screens.widgets.keyfooter import KeyFooter, KeyHint
from screens.widgets.progress import OperationBar, OperationView
from screens.widgets.statusbar import StatusBar, StatusView
from tests.conftest import screen_text
from tests.screens.widgets.samples import Heard, RecordingApp

SWITCH = OperationView("op1", "switch hero_router", "downloading", done=8_600_000, total=20_000_000, elapsed=4.2)
STATUS = StatusView("demo", "connected", "fleet", faults=3, waiting=2, running=1, read_only=True, note="4 slots")
HINTS = [KeyHint(key, f"action {key}") for key in "abcdefgh"] + [KeyHint("?", "help", always=True)]


class LinesApp(RecordingApp):
    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self.widgets = widgets

    def compose(self) -> ComposeResult:
        yield from self.widgets


def operations() -> list[Widget]:
    return [
        OperationBar(SWITCH),
        OperationBar(replace(SWITCH, total=None, cancellable=False)),
        OperationBar(replace(SWITCH, bytes=False, done=2, total=5)),
        OperationBar(replace(SWITCH, state="succeeded", elapsed=64)),
        OperationBar(replace(SWITCH, state="failed", message="did not get healthy in 20 s; 9f3c21ab runs again")),
        OperationBar(replace(SWITCH, state="cancelled")),
        OperationBar(replace(SWITCH, title="\x1b[31mevil\n" + "漢" * 80)),
        OperationBar(SWITCH, glyphs=ASCII),
        OperationBar(),
        StatusBar(STATUS),
        StatusBar(StatusView("demo", "reconnecting")),
        StatusBar(StatusView("demo", "offline", place="\x1b[2Jalice"), glyphs=ASCII),
        KeyFooter(HINTS),
    ]


@pytest.mark.parametrize("width", [40, 80, 140])
async def test_they_use_the_room_there_is(snap_text: Callable[[App[Any]], bool], width: int) -> None:
    app = LinesApp(*operations())
    async with app.run_test(size=(width, 14)) as pilot:
        await pilot.pause()
        assert snap_text(app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
def test_colours(snap_compare: Callable[..., bool], theme: str) -> None:
    app = LinesApp(*operations())

    def dress(pilot: Pilot[None]) -> None:
        app.theme = theme

    assert snap_compare(app, terminal_size=(100, 14), run_before=dress)


async def test_x_and_a_click_on_the_hint_ask_to_cancel() -> None:
    bar = OperationBar(SWITCH)
    app, heard = LinesApp(bar), Heard()
    async with app.run_test(size=(80, 4), message_hook=heard) as pilot:
        bar.focus()
        await pilot.press("x")
        await pilot.click(OperationBar, offset=(74, 0))
        assert [message.operation_id for message in heard.of(OperationBar.CancelRequested)] == ["op1", "op1"]
        await pilot.click(OperationBar, offset=(10, 0))
        await pilot.press("enter")
        assert len(heard.of(OperationBar.Opened)) == 2


async def test_what_is_over_or_cannot_be_cancelled_does_not_ask() -> None:
    bar = OperationBar(replace(SWITCH, cancellable=False))
    app, heard = LinesApp(bar), Heard()
    async with app.run_test(size=(80, 4), message_hook=heard) as pilot:
        bar.focus()
        await pilot.press("x")
        bar.show(replace(SWITCH, state="failed"))
        await pilot.press("x")
        bar.show(None)
        await pilot.press("x", "enter")
        assert heard.of(OperationBar.CancelRequested) == []


async def test_showing_the_same_again_sends_nothing() -> None:
    bar, status, footer = OperationBar(SWITCH), StatusBar(STATUS), KeyFooter(HINTS)
    app = LinesApp(bar, status, footer)
    async with app.run_test(size=(80, 4)) as pilot:
        await app.all_sent(pilot)
        bar.show(replace(SWITCH))
        status.show(replace(STATUS))
        footer.set_keys(list(HINTS))
        assert await app.all_sent(pilot) == ""
        status.show(replace(STATUS, faults=0))
        assert await app.all_sent(pilot) != ""
        assert "fault" not in screen_text(app)


@pytest.mark.parametrize(
    ("done", "total", "share"), [(5, 10, 0.5), (20, 10, 1.0), (-3, 10, 0.0), (5, 0, None), (5, -1, None)]
)
def test_odd_figures_make_no_odd_bar(done: int, total: int, share: float | None) -> None:
    assert replace(SWITCH, done=done, total=total).share == share


async def test_a_click_on_a_hint_tells_its_key() -> None:
    app, heard = LinesApp(KeyFooter(HINTS)), Heard()
    async with app.run_test(size=(60, 2), message_hook=heard) as pilot:
        await pilot.click(KeyFooter, offset=(1, 0))
        await pilot.click(KeyFooter, offset=(15, 0))
        await pilot.click(KeyFooter, offset=(58, 0))
        await pilot.click(KeyFooter, offset=(50, 0))
        assert [message.key for message in heard.of(KeyFooter.Pressed)] == ["a", "b", "?"]


async def test_the_filter_bar_opens_types_and_closes() -> None:
    bar = FilterBar()
    app, heard = LinesApp(bar), Heard()
    async with app.run_test(size=(60, 4), message_hook=heard) as pilot:
        assert not bar.display
        bar.open("mik")
        await pilot.press("e", "enter")
        closed = heard.of(FilterBar.Closed)[-1]
        assert (closed.text, closed.kept, bar.display) == ("mike", True, False)
        assert heard.of(Input.Changed)[-1].value == "mike"
        bar.open("mike")
        await pilot.press("x", "y", "escape")
        closed = heard.of(FilterBar.Closed)[-1]
        assert (closed.text, closed.kept, bar.display) == ("mike", False, False)
        assert bar.cursor_blink is False


async def test_the_mouse_is_told_what_a_hint_and_a_part_of_the_status_line_mean() -> None:
    app = LinesApp(StatusBar(STATUS), KeyFooter())
    async with app.run_test(size=(100, 14)) as pilot:
        footer, status = app.query_one(KeyFooter), app.query_one(StatusBar)
        footer.set_keys([KeyHint("r", "restart", help="Restart it (r)"), KeyHint("?", "help", always=True)])
        await pilot.pause()
        await pilot.hover(footer, offset=(2, 0))
        assert str(footer.tooltip) == "Restart it (r)"
        await pilot.hover(footer, offset=(60, 0))
        assert footer.tooltip is None
        await pilot.hover(status, offset=(2, 0))
        assert "? shows the keys" in str(status.tooltip)
