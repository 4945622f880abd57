"""What the mouse is told where it rests, and that a move within one thing costs nothing and flashes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import product
from typing import Any

import pytest
from textual import events
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Button, Tooltip

from screens.widgets.cell_tip import cell_tip
from screens.widgets.grid import FleetGrid
from screens.widgets.keyfooter import KeyFooter
from tests.hero_tui.fleets import NOW, Cockpit, cell, changed


@asynccontextmanager
async def pointed(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The cockpit with tooltips that come at once."""
    cockpit = Cockpit()
    monkeypatch.setattr(cockpit.app, "TOOLTIP_DELAY", 0.001)
    async with cockpit.running((160, 40), tooltips=True) as pilot:
        yield cockpit, pilot


def told(cockpit: Cockpit) -> str:
    """What the tooltip says, "" while there is none."""
    tip = cockpit.app.screen.get_child_by_type(Tooltip)
    return str(tip.content) if tip.display else ""


async def move(cockpit: Cockpit, pilot: Pilot[int], widget: Widget, x: int, y: int) -> None:
    """A move of the mouse as the terminal tells it: a pilot's own goes past the app."""
    at = widget.region.offset + Offset(x, y)
    cockpit.app.post_message(events.MouseMove(None, at.x, at.y, 0, 0, 0, False, False, False, at.x, at.y))
    await pilot.pause()


def place_of(grid: FleetGrid, user: str, service: str) -> Offset:
    """The first terminal cell of a cell of the grid, in the widget with its padding."""
    cells = product(range(grid.region.width), range(grid.region.height))
    return next(Offset(x, y) for x, y in cells if grid.spot_at(x, y) == (user, service))


async def test_a_cell_tells_all_that_it_has_no_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pointed(monkeypatch) as (cockpit, pilot):
        await move(cockpit, pilot, cockpit.grid, *place_of(cockpit.grid, "thabet", "hero_voice"))
        await cockpit.until(pilot, lambda: bool(told(cockpit)))
        lines = told(cockpit).splitlines()
        assert lines[0] == "thabet · hero_voice"
        assert "branch  development_thabet" in lines
        assert any(line.startswith("version ") and line.endswith("from release") for line in lines)
        assert "health  ✖ crashed 12s ago · exit 101; given up after 3 restarts" in lines
        assert any("2026-11-20 09:59:48 UTC" in line for line in lines)
        await move(cockpit, pilot, cockpit.grid, *place_of(cockpit.grid, "alice", "hero_books"))
        await cockpit.until(pilot, lambda: "alice · hero_books" in told(cockpit))
        assert "↓ behind · development-9f3c21ab is newer" in told(cockpit)


async def test_a_move_within_a_cell_paints_nothing_and_the_tooltip_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pointed(monkeypatch) as (cockpit, pilot):
        at = place_of(cockpit.grid, "mik", "hero_db")
        await move(cockpit, pilot, cockpit.grid, *at)
        await cockpit.until(pilot, lambda: bool(told(cockpit)))
        await cockpit.settle(pilot)
        painted, looked = list[Any](), list[Any]()
        monkeypatch.setattr(cockpit.app, "_display", lambda *args: painted.append(args))
        monkeypatch.setattr(cockpit.grid, "_tip", lambda *args: looked.append(args))
        for step in range(1, 6):
            await move(cockpit, pilot, cockpit.grid, at.x + step, at.y)
            assert "mik · hero_db" in told(cockpit)
        assert (painted, looked) == ([], [])


async def test_what_changes_under_the_mouse_is_told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pointed(monkeypatch) as (cockpit, pilot):
        await move(cockpit, pilot, cockpit.grid, *place_of(cockpit.grid, "mik", "hero_db"))
        await cockpit.until(pilot, lambda: "healthy" in told(cockpit))
        cockpit.tell(changed(11, "mik", cell("hero_db", health="crashed", reason="exit 7")))
        await cockpit.until(pilot, lambda: "exit 7" in told(cockpit))


async def test_beside_the_cells_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pointed(monkeypatch) as (cockpit, pilot):
        grid = cockpit.grid
        await move(cockpit, pilot, grid, *place_of(grid, "mik", "hero_db"))
        for x, y in ((0, 4), (30, grid.region.height - 1)):
            await move(cockpit, pilot, grid, x, y)
            await cockpit.settle(pilot)
            assert grid.tooltip is None


async def test_each_cell_of_the_terminal_tells_of_the_service_that_is_painted_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with pointed(monkeypatch) as (cockpit, pilot):
        grid = cockpit.grid
        await pilot.click(grid, offset=place_of(grid, "mik", "hero_router"))
        before = place_of(grid, "mik", "hero_router") - (1, 0)
        await move(cockpit, pilot, grid, *before)
        assert "mik · hero_db" in str(grid.tooltip)
        assert cockpit.text.splitlines()[grid.region.y + before.y][before.x + 1] == "▌"


async def test_names_that_are_cut_are_told_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pointed(monkeypatch) as (cockpit, pilot):
        grid = cockpit.grid
        await move(cockpit, pilot, grid, *place_of(grid, "", "hero_books"))
        assert str(grid.tooltip).splitlines() == ["hero_books", "repo    lhumina_code/hero_books"]
        await move(cockpit, pilot, grid, *place_of(grid, "thabet", ""))
        told = str(grid.tooltip).splitlines()
        assert told == ["thabet", "name    Thabet Haddad", "role    developer", "claude  none"]
        await move(cockpit, pilot, grid, *place_of(grid, "", ""))
        assert str(grid.tooltip).splitlines() == ["sorted by name", "a click, or O, sorts by trouble"]


async def test_hints_and_buttons_tell_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    async with pointed(monkeypatch) as (cockpit, pilot):
        footer = cockpit.app.screen.query_one(KeyFooter)
        place = next(x for hint, x in footer._spans() if hint.key == "r")
        await move(cockpit, pilot, footer, place + 1, 0)
        await cockpit.until(pilot, lambda: told(cockpit) == "Restart the service, or start it (r)")
        await cockpit.press(pilot, "x")
        buttons = cockpit.app.screen.query(Button)
        assert {str(one.tooltip) for one in buttons} == {"Do nothing (esc, n, q)", "Do it (y)"}


def test_hostile_words_are_only_words() -> None:
    status = cell("hero_db", branch="x\x1b]0;y\x07[b]", health="crashed", reason="\u202e[/]", last_log="\x9b2J")
    tip = cell_tip("m\x1bik", status, NOW)
    assert not set(tip.plain) & set("\x1b\x07\u202e\x9b")
    assert "[b]" in tip.plain
    assert tip.spans == []
