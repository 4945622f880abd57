"""Nothing that cannot be taken back happens by a stray key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Button

from screens.widgets.confirm import Confirm
from tests.conftest import screen_text
from tests.screens.widgets.samples import HarnessApp


@asynccontextmanager
async def asking(question: Confirm) -> AsyncIterator[tuple[Pilot[None], list[bool | None]]]:
    app, answers = HarnessApp(), list[bool | None]()
    async with app.run_test(size=(80, 20)) as pilot:
        app.push_screen(question, answers.append)
        await pilot.pause()
        yield pilot, answers


def stop() -> Confirm:
    return Confirm(
        "Stop hero_router?", ["Two services depend on it:", "hero_slides, [b]hero_books[/b]"], action="Stop"
    )


def destroy() -> Confirm:
    return Confirm("Destroy?", ["All worktrees of alice are removed."], action="Destroy", typed="alice")


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["enter"], False),
        (["escape"], False),
        (["n"], False),
        (["q"], False),
        (["right", "left", "enter"], False),
        (["right", "enter"], True),
        (["l", "enter"], True),
        (["tab", "enter"], True),
        (["y"], True),
    ],
)
async def test_it_stands_on_cancel(keys: list[str], answer: bool) -> None:
    async with asking(stop()) as (pilot, answers):
        await pilot.press(*keys)
        assert answers == [answer]


@pytest.mark.parametrize("typed", ["", "y", "ali", "alicee", "ALICE"])
async def test_only_the_right_name_unlocks(typed: str) -> None:
    async with asking(destroy()) as (pilot, answers):
        await pilot.press(*typed, "enter")
        assert answers == []
        assert pilot.app.screen.query_one("#confirm-action", Button).disabled
        await pilot.press("tab", "enter")
        assert answers == [False]


async def test_the_typed_name_does_it() -> None:
    async with asking(destroy()) as (pilot, answers):
        await pilot.press(*"alice", "enter")
        assert answers == [True]


@pytest.mark.parametrize("question", [stop, destroy])
async def test_it_says_what_will_happen(
    snap_text: Callable[[App[Any]], bool], question: Callable[[], Confirm]
) -> None:
    async with asking(question()) as (pilot, _):
        assert snap_text(pilot.app)


async def test_hostile_texts_are_only_text() -> None:
    evil = "\x1b[2J[@click=app.quit]x[/] [/b]"
    async with asking(Confirm(evil, [evil], action=evil, typed=evil)) as (pilot, _):
        text = screen_text(pilot.app)
        assert text.count("[@click=app.quit]x") >= 3
        assert "\x1b" not in text
