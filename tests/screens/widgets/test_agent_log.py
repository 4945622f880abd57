"""The log of an agent: follows its end, stands still for who reads, breaks only what is new."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from backends.model.agents import AgentLine
from screens.widgets import agent_log
from screens.widgets.agent_lines import Row, rows_of
from screens.widgets.agent_log import AgentLog
from tests.conftest import screen_text
from tests.hero_tui.agents import entry, some_lines


class LogApp(App[None]):
    def compose(self) -> ComposeResult:
        self.log_view = AgentLog()
        yield self.log_view

    def said(self, *texts: str, first: int = 1) -> None:
        self.log_view.append([entry(first + place, "answer", text) for place, text in enumerate(texts)])
        self.log_view.flush()


@asynccontextmanager
async def opened(size: tuple[int, int] = (40, 10)) -> AsyncIterator[tuple[LogApp, Pilot[None]]]:
    app = LogApp()
    async with app.run_test(size=size) as pilot:
        app.log_view.focus()
        await pilot.pause()
        yield app, pilot


async def test_it_follows_the_end() -> None:
    async with opened() as (app, pilot):
        app.said(*(f"entry {number}" for number in range(30)))
        await pilot.pause()
        assert screen_text(app).splitlines()[-1] == "● entry 29"
        assert app.log_view.following


async def test_who_scrolls_up_reads_on_undisturbed_and_follows_again_at_the_end() -> None:
    async with opened() as (app, pilot):
        app.said(*(f"entry {number}" for number in range(30)))
        await pilot.press("ctrl+u")
        before = screen_text(app)
        app.said("news", first=31)
        await pilot.pause()
        assert screen_text(app) == before
        assert not app.log_view.following
        await pilot.press("G")
        assert screen_text(app).splitlines()[-1] == "● news"
        assert app.log_view.following


async def test_a_new_entry_breaks_no_old_one_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as (app, _):
        app.said(*(f"entry {number}" for number in range(500)))
        broken: list[int] = []

        def counted(line: AgentLine, width: int, **options: Any) -> list[Row]:
            broken.append(line.number)
            return rows_of(line, width, **options)

        monkeypatch.setattr(agent_log, "rows_of", counted)
        app.said("news", first=501)
        assert broken == [501]


async def test_many_entries_in_a_moment_are_one_flush() -> None:
    async with opened() as (app, pilot):
        flushed: list[int] = []
        flush = app.log_view.flush
        app.log_view.flush = lambda: (flushed.append(1), flush())[1]  # type: ignore[method-assign, func-returns-value]
        for number in range(200):
            app.log_view.append([entry(number + 1, "tool", f"step {number}")])
        while not flushed:
            await pilot.pause(0.01)
        assert "step 199" in screen_text(app)
        assert len(flushed) == 1


async def test_the_oldest_are_forgotten_and_what_is_read_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_log, "KEPT", 50)
    async with opened() as (app, pilot):
        app.said(*(f"entry {number}" for number in range(50)))
        await pilot.press("ctrl+u")
        before = screen_text(app)
        app.said(*(f"entry {number}" for number in range(50, 70)), first=51)
        await pilot.pause()
        assert screen_text(app) == before
        assert len(app.log_view.entries) == 50


async def test_another_width_breaks_all_anew_and_stays_at_the_end() -> None:
    async with opened() as (app, pilot):
        app.log_view.append(some_lines())
        app.log_view.flush()
        await pilot.resize_terminal(24, 10)
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert "permission" in lines[-1] or "publish" in lines[-1]
        assert max(map(len, lines)) <= 24


async def test_another_log_begins_empty_and_is_followed() -> None:
    async with opened() as (app, pilot):
        app.said(*(f"entry {number}" for number in range(30)))
        await pilot.press("g")
        app.log_view.reset()
        await pilot.pause()
        assert screen_text(app).strip() == ""
        assert app.log_view.following
