"""Choosing with the fuzzy picker while items still arrive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from screens.widgets.picker import FuzzyPicker, PickerList
from screens.widgets.picker_model import PickerItem, PickerModel
from tests.conftest import screen_text
from tests.screens.widgets.samples import HarnessApp, Heard, mash

BRANCHES = ["development", "development_mik", "development_thabet", "feature/wide-search"]


def branches() -> list[PickerItem]:
    return [
        PickerItem(name, name, f"commit of {place}", f"{place}h", "Branches")
        for place, name in enumerate(BRANCHES)
    ]


def releases(count: int = 12) -> list[PickerItem]:
    return [PickerItem(f"r{n}", f"development-{n:08x}", "20.1 MB", f"{n}d", "Releases") for n in range(count)]


class PickerApp(HarnessApp):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.picker = FuzzyPicker(**options)

    def compose(self) -> ComposeResult:
        yield self.picker

    def on_mount(self) -> None:
        self.picker.focus_query()


@asynccontextmanager
async def running(app: PickerApp, size: tuple[int, int] = (70, 14)) -> AsyncIterator[tuple[Pilot[None], Heard]]:
    heard = Heard()
    async with app.run_test(size=size, message_hook=heard) as pilot:
        await pilot.pause()
        yield pilot, heard


def highlighted(app: PickerApp) -> str:
    assert app.picker.highlighted is not None
    return app.picker.highlighted.key


async def test_it_opens_empty_and_fills(snap_text: Callable[[App[Any]], bool]) -> None:
    app = PickerApp(loading=True, placeholder="branch, release or hash")
    async with running(app) as (pilot, heard):
        assert "loading…" in screen_text(app)
        await pilot.press("enter")
        assert heard.of(FuzzyPicker.Selected) == []
        app.picker.add_items(branches())
        app.picker.add_items(releases())
        app.picker.set_waiting(False)
        await pilot.pause()
        assert snap_text(app)


async def test_the_best_match_is_highlighted_and_enter_takes_it() -> None:
    app = PickerApp()
    async with running(app) as (pilot, heard):
        app.picker.add_items([*releases(), *branches()])
        await pilot.press(*"dmik")
        assert highlighted(app) == "development_mik"
        await pilot.press("enter")
        (chosen,) = heard.of(FuzzyPicker.Selected)
        assert chosen.item.key == "development_mik"


async def test_a_match_in_the_text_comes_before_one_in_the_detail() -> None:
    model = PickerModel()
    model.add([PickerItem("1", "development-0001", "by mik"), PickerItem("2", "development_mik-0002", "by omar")])
    model.search("dmik")
    assert [row.item.key for row in model.rows if row.item] == ["2", "1"]


async def test_the_highlighted_item_stays_where_it_is_while_more_arrive() -> None:
    app = PickerApp(sections=["Releases", "Branches"])
    async with running(app) as (pilot, _):
        more = [PickerItem(f"b{n}", f"branch {n}", section="Branches") for n in range(30)]
        app.picker.add_items([*branches(), *more])
        await pilot.press("down", "down")
        await pilot.pause()
        line = next(n for n, text in enumerate(screen_text(app).splitlines()) if "▌" in text)
        app.picker.add_items(releases(40))
        await pilot.pause()
        assert highlighted(app) == "development_thabet"
        lines = screen_text(app).splitlines()
        assert "▌" in lines[line]
        assert "development_thabet" in lines[line]


async def test_keys_move_the_highlight_past_section_titles() -> None:
    app = PickerApp()
    async with running(app) as (pilot, _):
        app.picker.add_items([*branches(), *releases()])
        await pilot.press("up")
        assert highlighted(app) == "development"
        await pilot.press(*["down"] * 4)
        assert highlighted(app) == "r0"
        await pilot.press("ctrl+p")
        assert highlighted(app) == "feature/wide-search"
        await pilot.press("pagedown", "pagedown", "pagedown")
        assert highlighted(app) == "r11"
        assert "▌" in screen_text(app)


async def test_escape_chooses_nothing() -> None:
    app = PickerApp()
    async with running(app) as (pilot, heard):
        app.picker.add_items(branches())
        await pilot.press("escape")
        assert len(heard.of(FuzzyPicker.Cancelled)) == 1
        assert heard.of(FuzzyPicker.Selected) == []


async def test_the_mouse_highlights_and_chooses() -> None:
    app = PickerApp()
    async with running(app) as (pilot, heard):
        app.picker.add_items(branches())
        await pilot.click(PickerList, offset=(5, 2))
        assert highlighted(app) == "development_mik"
        await pilot.click(PickerList, offset=(5, 0))
        assert highlighted(app) == "development_mik"
        await pilot.click(PickerList, offset=(5, 3), times=2)
        assert [message.item.key for message in heard.of(FuzzyPicker.Selected)] == ["development_thabet"]


async def test_no_match_is_said() -> None:
    app = PickerApp()
    async with running(app) as (pilot, heard):
        app.picker.add_items(branches())
        await pilot.press(*"zzz")
        await pilot.pause()
        assert "no match in 4" in screen_text(app)
        assert heard.of(FuzzyPicker.Highlighted)[-1].item is None
        await pilot.press("backspace", "backspace", "backspace", "enter")
        assert heard.of(FuzzyPicker.Selected)[-1].item.key == "development"


async def test_the_cursor_does_not_blink() -> None:
    app = PickerApp()
    async with running(app):
        assert app.query_one(Input).cursor_blink is False


async def test_hostile_and_wide_items_are_drawn_harmlessly() -> None:
    app = PickerApp()
    async with running(app) as (pilot, _):
        names = ["\x1b[2J[bold]x[/]", "漢字" * 60, "e\u0301" * 9, "", "\u202ertl"]
        app.picker.add_items([PickerItem(f"{n}", name, name, name, name) for n, name in enumerate(names)])
        await pilot.press("x")
        await pilot.pause()
        text = screen_text(app)
        assert "[bold]x[/]" in text
        assert not set(text) & set("\x1b\u202e")


async def test_mashed_keys_raise_nothing() -> None:
    app = PickerApp()
    keys = [*"dev mik/-", "up", "down", "pageup", "pagedown", "backspace", "home", "end", "ctrl+n", "ctrl+u"]
    async with running(app, (40, 8)) as (pilot, _):
        for step in range(40):
            app.picker.add_items(releases(step))
            await mash(pilot, [keys[(step * 7 + n * n) % len(keys)] for n in range(20)])
            if step % 9 == 8:
                app.picker.clear_items()


SECTIONS = st.sampled_from(["", "x", "y"])
TEXTS = st.text("abAB_-", max_size=6)
ITEM = st.builds(PickerItem, key=st.sampled_from("abcdefgh"), text=TEXTS, section=SECTIONS)


@given(st.lists(st.lists(ITEM, max_size=5), max_size=5), st.lists(st.text("ab ", max_size=3), max_size=3))
def test_arriving_in_pieces_comes_to_the_same_as_at_once(
    batches: list[list[PickerItem]], queries: list[str]
) -> None:
    model = PickerModel(["y", "x", ""])
    queries = ["", *queries]
    for batch, query in zip(batches, queries * 5, strict=False):
        model.search(query)
        before = model.highlighted
        model.add(batch)
        if before is not None and any(row.item and row.item.key == before for row in model.rows):
            assert model.highlighted == before
    whole = PickerModel(["y", "x", ""])
    for batch in batches:
        whole.add(batch)
    whole.search(model.query)
    assert whole.rows == model.rows
    assert (model.position is None) == (model.matching == 0)


@pytest.mark.parametrize("steps", [-5, -1, 0, 1, 5])
def test_moving_in_an_empty_list_is_harmless(steps: int) -> None:
    model = PickerModel()
    model.move(steps)
    assert model.highlighted is None
