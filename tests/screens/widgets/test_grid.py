"""The fleet grid under keys, mouse and updates."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual.app import ComposeResult
from textual.pilot import Pilot

from screens.widgets.glyphs import ASCII
from screens.widgets.grid import FleetGrid
from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow
from screens.widgets.grid_layout import DENSITIES
from tests.conftest import screen_text
from tests.screens.widgets.samples import (
    SERVICES,
    USERS,
    Heard,
    RecordingApp,
    fill,
    fleet_columns,
    fleet_rows,
    mash,
)

MANY_USERS = tuple(f"user{number:02d}" for number in range(50))
MANY_SERVICES = tuple(f"hero_service{number:02d}" for number in range(40))


class GridApp(RecordingApp):
    def __init__(self, users: tuple[str, ...] = USERS, services: tuple[str, ...] = SERVICES) -> None:
        super().__init__()
        self.fleet = (users, services)
        self.grid = FleetGrid()

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_mount(self) -> None:
        fill(self.grid, *self.fleet)


@asynccontextmanager
async def running(app: GridApp, size: tuple[int, int] = (120, 40)) -> AsyncIterator[tuple[Pilot[None], Heard]]:
    heard = Heard()
    async with app.run_test(size=size, message_hook=heard) as pilot:
        await app.all_sent(pilot)
        yield pilot, heard


async def test_the_cursor_starts_on_the_pinned_row() -> None:
    app = GridApp()
    async with running(app) as (_, heard):
        assert app.grid.cursor == ("integration", "hero_router")
        assert heard.of(FleetGrid.CellHighlighted)[-1].row_key == "integration"


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        (["j"], ("alice", "hero_router")),
        (["down", "down", "up"], ("alice", "hero_router")),
        (["l", "right", "h"], ("integration", "hero_slides")),
        (["k", "h"], ("integration", "hero_router")),
        (["G"], ("jan", "hero_router")),
        (["G", "g"], ("integration", "hero_router")),
        (["end"], ("integration", "hero_mail")),
        (["end", "home", "left"], ("integration", "hero_router")),
        (["pagedown"], ("jan", "hero_router")),
        (["pagedown", "pageup"], ("integration", "hero_router")),
        (["ctrl+d"], ("jan", "hero_router")),
        (["ctrl+d", "ctrl+u"], ("integration", "hero_router")),
    ],
)
async def test_keys_move_the_cursor(keys: list[str], cursor: tuple[str, str]) -> None:
    app = GridApp()
    async with running(app) as (pilot, heard):
        await pilot.press(*keys)
        assert app.grid.cursor == cursor
        last = heard.of(FleetGrid.CellHighlighted)[-1]
        assert (last.row_key, last.column_key, last.cell) == (*cursor, app.grid.cell(*cursor))


async def test_enter_chooses_the_cell() -> None:
    app = GridApp()
    async with running(app) as (pilot, heard):
        await pilot.press("j", "l", "enter")
        (chosen,) = heard.of(FleetGrid.CellSelected)
        assert (chosen.row_key, chosen.column_key) == ("alice", "hero_slides")
        assert chosen.control is app.grid


async def test_a_click_moves_and_a_double_click_chooses() -> None:
    app = GridApp()
    async with running(app, (80, 24)) as (pilot, heard):
        await pilot.click(FleetGrid, offset=(21 + 2 * 9 + 1, 5))
        moved = app.grid.cursor
        assert moved is not None
        assert moved[0] == "thabet"
        await pilot.click(FleetGrid, offset=(0, 4))
        assert app.grid.cursor == ("mik", moved[1])
        await pilot.click(FleetGrid, offset=(60, 0))
        assert app.grid.cursor != ("mik", moved[1])
        assert heard.of(FleetGrid.CellSelected) == []
        await pilot.click(FleetGrid, offset=(60, 6), times=2)
        assert len(heard.of(FleetGrid.CellSelected)) == 1


async def test_a_click_beside_the_cells_does_nothing() -> None:
    app = GridApp()
    async with running(app, (250, 70)) as (pilot, _):
        await pilot.click(FleetGrid, offset=(100, 60))
        await pilot.click(FleetGrid, offset=(100, 3))
        assert app.grid.cursor is not None


@pytest.mark.parametrize(
    ("size", "services", "density"),
    [
        ((80, 24), SERVICES, "compact"),
        ((120, 40), SERVICES, "full"),
        ((250, 70), SERVICES, "full"),
        ((250, 70), MANY_SERVICES, "heat"),
        ((80, 24), MANY_SERVICES, "heat"),
        ((40, 10), SERVICES, "heat"),
    ],
)
async def test_the_width_chooses_the_density(
    size: tuple[int, int], services: tuple[str, ...], density: str
) -> None:
    app = GridApp(services=services)
    async with running(app, size):
        assert (app.grid.density, app.grid.density_choice) == (density, None)


async def test_z_goes_through_the_densities_and_back_to_the_width() -> None:
    app = GridApp()
    async with running(app) as (pilot, heard):
        seen = []
        for _ in range(4):
            await pilot.press("z")
            seen.append((app.grid.density, app.grid.density_choice))
        assert seen == [("full", "full"), ("compact", "compact"), ("heat", "heat"), ("full", None)]
        assert heard.of(FleetGrid.DensityChanged)[-1].choice is None


async def test_the_pinned_row_stays_while_the_rest_scrolls() -> None:
    app = GridApp(MANY_USERS, MANY_SERVICES)
    async with running(app, (80, 24)) as (pilot, _):
        await pilot.press("G", "end")
        await pilot.pause()
        lines = screen_text(app).splitlines()
        assert any(line.startswith("integration") for line in lines[:10])
        assert any(line.startswith("user49") for line in lines)
        assert not any(line.startswith("user00") for line in lines)


async def test_the_cursor_is_always_on_the_screen() -> None:
    app = GridApp(MANY_USERS, MANY_SERVICES)
    async with running(app, (80, 24)) as (pilot, _):
        app.grid.set_density("full")
        rng = random.Random(3)
        for _ in range(60):
            await pilot.press(rng.choice(["j", "k", "h", "l", "g", "G", "end", "home", "ctrl+d", "ctrl+u"]))
            assert "▌" in screen_text(app)


async def test_the_cursor_stays_on_its_cell_when_rows_come_and_go() -> None:
    app = GridApp()
    async with running(app) as (pilot, _):
        app.grid.cursor = ("thabet", "hero_proc")
        app.grid.set_shape(fleet_rows(("aaron", *USERS)), fleet_columns())
        assert app.grid.cursor == ("thabet", "hero_proc")
        app.grid.set_shape(fleet_rows(("mik",)), fleet_columns())
        assert app.grid.cursor == ("mik", "hero_proc")
        app.grid.set_shape([], [])
        assert app.grid.cursor is None
        await pilot.press("j", "enter", "l", "z", "G")


async def test_filters_narrow_what_is_shown() -> None:
    app = GridApp()
    async with running(app) as (pilot, _):
        app.grid.set_filters(Filters("mik"))
        await pilot.pause()
        assert [row.key for row in app.grid.view.rows] == ["mik"]
        app.grid.set_filters(Filters("!hero_mail"))
        assert "hero_mail" not in [column.key for column in app.grid.view.columns]
        app.grid.set_filters(Filters(mine="alice"))
        assert [row.key for row in app.grid.view.rows] == ["integration", "alice"]
        app.grid.set_filters(Filters("nobody at all"))
        assert app.grid.cursor is None


async def test_a_row_joins_the_faults_when_it_breaks() -> None:
    app = GridApp(("alice", "mik"))
    good = GridCell("development", "00000000", "release", "current", "healthy")
    async with running(app) as (pilot, _):
        for user in ("alice", "mik"):
            for service in SERVICES:
                app.grid.set_cell(user, service, good)
        app.grid.set_filters(Filters(only_faults=True))
        assert [row.key for row in app.grid.view.rows] == []
        app.grid.set_cell("mik", "hero_proc", GridCell("development", health="crashed"))
        await pilot.pause()
        assert [row.key for row in app.grid.view.rows] == ["mik"]
        assert "✖" in screen_text(app)


async def test_the_highlighted_cell_tells_when_it_changes() -> None:
    app = GridApp()
    async with running(app) as (pilot, heard):
        cell = GridCell("development", "12345678", "release", "behind", "healthy")
        app.grid.set_cell("integration", "hero_router", cell)
        await pilot.pause()
        assert heard.of(FleetGrid.CellHighlighted)[-1].cell == cell


@pytest.mark.parametrize("density", ["full", "compact", "heat"])
async def test_hostile_and_wide_names_do_not_move_a_column(density: str) -> None:
    app = GridApp()
    names = ["\x1b[31mred\x1b]0;x\x07", "日本語の名前です", "e\u0301\u0301e\u0301", "שלום", "a\tb\nc"]
    names += ["👩\u200d💻 dev", "x" * 300, ""]
    async with running(app) as (pilot, _):
        rows = [GridRow(str(place), name, tag=name) for place, name in enumerate(names)]
        app.grid.set_shape(rows, [GridColumn("a", names[0]), GridColumn("b", names[1]), GridColumn("c", "plain")])
        app.grid.set_density(density)  # type: ignore[arg-type]
        for row in rows:
            name = row.title
            for column in "abc":
                app.grid.set_cell(row.key, column, GridCell(name, name, name, name, name, name, name))
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        assert {cell_len(strip.text) for strip in strips} == {120}
        assert not any(set(strip.text) & set("\x1b\x07\t\n\u202e") for strip in strips)


@pytest.mark.parametrize(
    ("health", "drift", "heat"),
    [
        ("healthy", "current", "✗"),
        ("healthy", "behind", "✗"),
        ("stopped", "", "✗"),
        ("crashed", "behind", "✖"),
        ("unhealthy", "current", "▲"),
        ("unknown", "missing", "∅"),
    ],
)
async def test_a_failed_build_has_its_sign_in_every_density_but_under_what_is_worse(
    health: str, drift: str, heat: str
) -> None:
    app = GridApp(("alice",), ("hero_db",))
    async with running(app) as (pilot, _):
        app.grid.set_cell("alice", "hero_db", GridCell("dev", "12345678", "release", drift, health, "failed"))
        told = {}
        for density in DENSITIES:
            app.grid.set_density(density)
            await pilot.pause()
            told[density] = screen_text(app)
        assert "✗" in told["full"]
        assert "✗" in told["compact"]
        assert set(told["heat"]) & set("✗✖▲∅") == {heat}


async def test_the_ascii_set_draws_only_ascii() -> None:
    app = GridApp(("alice",))
    app.grid = FleetGrid(glyphs=ASCII)
    async with running(app, (60, 12)) as (pilot, _):
        await pilot.press("j")
        assert screen_text(app).replace("…", "").isascii()


async def test_the_theme_can_change_while_it_is_shown() -> None:
    app = GridApp()
    async with running(app) as (pilot, _):
        before = app.screen._compositor.render_strips()[5]
        app.theme = "hero-light"
        await pilot.pause()
        after = app.screen._compositor.render_strips()[5]
        assert before.text == after.text
        assert [segment.style for segment in before] != [segment.style for segment in after]


async def test_five_hundred_random_keys_and_updates_raise_nothing() -> None:
    app = GridApp(MANY_USERS[:20], MANY_SERVICES[:12])
    keys = [
        "j",
        "k",
        "h",
        "l",
        "up",
        "down",
        "left",
        "right",
        "g",
        "G",
        "home",
        "end",
        "ctrl+d",
        "ctrl+u",
        "pageup",
    ]
    keys += ["pagedown", "enter", "z", "x", "?", "tab", "1"]
    rng = random.Random(20)
    async with running(app, (90, 20)) as (pilot, _):
        for _ in range(50):
            await mash(pilot, rng.choices(keys, k=10))
            deed = rng.randrange(8)
            user, service = rng.choice(MANY_USERS[:20]), rng.choice(MANY_SERVICES[:12])
            if deed == 0:
                text = rng.choice(["", "user1", "service0", "!user", "zzz"])
                app.grid.set_filters(replace(app.grid.filters, text=text))
            elif deed == 1:
                app.grid.set_filters(replace(app.grid.filters, only_faults=rng.random() < 0.4))
            elif deed == 2:
                await pilot.resize_terminal(rng.randint(3, 200), rng.randint(2, 60))
            elif deed == 3:
                app.grid.set_rows([GridRow(user, user * rng.randint(1, 4), tag="t", stale=rng.random() < 0.5)])
            else:
                health = rng.choice(["crashed", "healthy"])
                app.grid.set_cell(user, service, rng.choice([None, GridCell(health=health)]))
        cursor = app.grid.cursor
        assert cursor is None or (cursor[0] in app.grid.view.row_at and cursor[1] in app.grid.view.column_at)
