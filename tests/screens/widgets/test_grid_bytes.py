"""What an update of the grid costs on the wire, in bytes, on a whole 200×50 screen."""

from __future__ import annotations

import random
from dataclasses import replace

from screens.widgets.grid_data import GridCell
from tests.screens.widgets.samples import fleet_cell
from tests.screens.widgets.test_grid import MANY_SERVICES, MANY_USERS, GridApp, running

SERVICES = MANY_SERVICES[:10]


def healthy(age: str = "3h") -> GridCell:
    return GridCell("development", "9f3c21ab", "release", "current", "healthy", "succeeded", age)


async def test_one_changed_cell_costs_few_bytes() -> None:
    app = GridApp(MANY_USERS, SERVICES)
    async with running(app, (200, 50)) as (pilot, _):
        app.grid.set_cell("user03", SERVICES[4], healthy())
        await app.all_sent(pilot)
        app.grid.set_cell("user03", SERVICES[4], replace(healthy(), health="crashed"))
        sent = await app.all_sent(pilot)
        assert "✖" in sent
        assert len(sent) < 200 + 150  # the cell, and the row's count of faults


async def test_an_age_costs_only_its_own_cells() -> None:
    app = GridApp(MANY_USERS, SERVICES)
    async with running(app, (200, 50)) as (pilot, _):
        app.grid.set_cell("user03", SERVICES[4], healthy("3h"))
        await app.all_sent(pilot)
        app.grid.set_cell("user03", SERVICES[4], healthy("4h"))
        sent = await app.all_sent(pilot)
        assert "4h" in sent
        assert len(sent) < 80


async def test_what_is_not_seen_costs_nothing() -> None:
    app = GridApp(MANY_USERS, SERVICES)
    async with running(app, (200, 50)) as (pilot, _):
        app.grid.set_cell("user40", SERVICES[4], replace(healthy(), health="crashed"))
        assert await app.all_sent(pilot) == ""
        app.grid.set_density("compact")
        app.grid.set_cell("user02", SERVICES[4], healthy("3h"))
        await app.all_sent(pilot)
        app.grid.set_cell("user02", SERVICES[4], healthy("4h"))
        app.grid.set_cell("user02", SERVICES[4], healthy("4h"))
        assert await app.all_sent(pilot) == ""  # no age is shown in this density


async def test_a_hundred_changed_cells_cost_a_part_of_the_screen() -> None:
    app = GridApp(MANY_USERS, SERVICES)
    rng = random.Random(1)
    async with running(app, (200, 50)) as (pilot, _):
        app.grid.refresh()
        whole = len(await app.all_sent(pilot))
        app.grid.set_density("compact")
        await app.all_sent(pilot)
        for user in MANY_USERS[:10]:
            for service in SERVICES:
                app.grid.set_cell(user, service, fleet_cell(rng, user))
        assert len(await app.all_sent(pilot)) < whole / 2


async def test_a_step_of_the_cursor_costs_its_cross_alone() -> None:
    app = GridApp(MANY_USERS, SERVICES)
    async with running(app, (200, 50)) as (pilot, _):
        await pilot.press("j")
        await app.all_sent(pilot)
        await pilot.press("l")
        assert len(await app.all_sent(pilot)) < 1500
