"""Whatever is done to the grid in whatever order: it shows what one made anew does, its cursor where one looks."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from textual._compositor import CompositorUpdate, LayoutUpdate
from textual.app import ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen

from screens.driver import Pieces
from screens.widgets.grid import FleetGrid
from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow, GridView
from screens.widgets.grid_layout import DENSITIES
from screens.widgets.grid_order import GROUPS, SORTS, Order, is_head, state_of_cell
from tests.screens.widgets.samples import RecordingApp, fleet_cell

STEPS = int(os.environ.get("HERO_TEST_STEPS", "48"))
"""With each seed; some thousands take minutes."""
SIZES = ((1, 1), (3, 2), (20, 6), (80, 1), (60, 9), (90, 20), (120, 40), (200, 50), (1, 50), (500, 200))
TEXTS = ("", "", "u1", "s0", "!u", "u1 s1", "-f u1", "nobody", "!s")
KEYS = [
    "j",
    "k",
    "h",
    "l",
    "g",
    "G",
    "z",
    "O",
    "V",
    "up",
    "down",
    "home",
    "end",
    "ctrl+d",
    "ctrl+u",
    "pageup",
    "pagedown",
    "enter",
    "tab",
    "shift+tab",
]


class World:
    """What a fleet is now, and what of it the grid has not been told yet."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.users: list[str] = []
        self.services: list[str] = []
        self.rows: dict[str, GridRow] = {}
        self.cells: dict[tuple[str, str], GridCell] = {}
        self.untold: set[tuple[str, str]] = set()
        self.age = 0
        for number in range(12):
            self.add_user(f"u{number}")
        for number in range(8):
            self.add_service(f"s{number}")

    def add_user(self, name: str) -> None:
        self.users.append(name)
        self.row(name)
        for service in self.services:
            self.change(name, service)

    def add_service(self, name: str) -> None:
        self.services.append(name)
        for user in self.users:
            self.change(user, name)

    def take_or_add_user(self, name: str) -> None:
        if len(self.users) > 3 and name != "u0":
            self.users.remove(name)
        else:
            self.add_user(f"{name}x")

    def take_or_add_service(self, name: str) -> None:
        if len(self.services) > 2:
            self.services.remove(name)
        else:
            self.add_service(f"{name}y")

    def row(self, name: str) -> GridRow:
        rng, first = self.rng, name == "u0"
        title = name if rng.random() < 0.8 else name + rng.choice(("漢字", "_of_the_long_name"))
        self.rows[name] = GridRow(
            name,
            title,
            pinned=first,
            tag=rng.choice(("", "", "none", "org-key-1")),
            stale=rng.random() < 0.2,
            agents=rng.choice((0, 0, 1, 12)),
            agents_state=rng.choice(("working", "waiting", "error")),
            waits=rng.choice((0, 0, 2)),
            role=rng.choice(("developer", "lead")),
            box=rng.choice(("north", "south", "south")),
        )
        return self.rows[name]

    def change(self, user: str, service: str) -> None:
        cell = fleet_cell(self.rng, user)
        self.untold.add((user, service))
        if cell is None:
            self.cells.pop((user, service), None)
        else:
            branch = self.rng.choice((cell.branch, cell.branch, "漢字/ブランチ"))
            self.cells[user, service] = replace(cell, branch=branch)

    def cell(self, user: str, service: str) -> GridCell | None:
        cell = self.cells.get((user, service))
        return cell and replace(cell, age_text=f"{self.age + int(cell.hash8 or '0', 16) % 7}m")

    def states(self, users: Sequence[str], service: str) -> list[str]:
        return [state_of_cell(self.cells.get((user, service))) for user in users]

    def faults(self, user: str) -> int:
        return sum(cell.faulty for (owner, _), cell in self.cells.items() if owner == user)

    def feed(self, grid: FleetGrid) -> None:
        self.untold.clear()
        columns = [GridColumn(name, f"hero_{name}") for name in self.services]
        grid.set_shape([self.rows[name] for name in self.users], columns)


class Terminal:
    """What a terminal shows that has been sent every frame, cell by cell."""

    def __init__(self) -> None:
        self.lines: list[list[tuple[str, Style | None]]] = []

    def take(self, update: CompositorUpdate) -> None:
        if isinstance(update, LayoutUpdate):
            self.lines = [[] for _ in range(update.region.bottom)]
            for y, strips in enumerate(update.strips, update.region.y):
                self._put(update.region.x, y, [segment for strip in strips for segment in strip])
        elif isinstance(update, Pieces):
            for x, y, strip in update.found:
                self._put(x, y, list(strip))

    def _put(self, x: int, y: int, segments: Sequence[Segment]) -> None:
        put = spelled(segments)
        line = self.lines[y]
        line.extend([(" ", None)] * (x + len(put) - len(line)))
        line[x : x + len(put)] = put


def spelled(segments: Sequence[Segment]) -> list[tuple[str, Style | None]]:
    """A terminal cell each; the second of a wide character is empty."""
    found: list[tuple[str, Style | None]] = []
    for text, style, _ in segments:
        for character in text:
            width = Segment(character).cell_length
            found += [(character, style), ("", style)][: max(1, width)] if width else []
    return found


class WorldApp(RecordingApp):
    """A grid that shows a world, on a terminal."""

    def __init__(self, world: World, dress: Callable[[FleetGrid], None] = lambda _: None) -> None:
        super().__init__()
        self.world, self.dress = world, dress
        self.grid = FleetGrid()
        self.terminal = Terminal()

    def compose(self) -> ComposeResult:
        yield self.grid

    def on_mount(self) -> None:
        self.grid.show_from(self.world)
        self.world.feed(self.grid)
        self.dress(self.grid)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None:
            self.terminal.take(renderable)
        super()._display(screen, renderable)


async def lines_of_one_made_anew(app: WorldApp) -> list[list[tuple[str, Style | None]]]:
    """What a grid shows that is made now, filtered, sorted, and scrolled as that of `app`."""
    grid = app.grid

    def dress(fresh: FleetGrid) -> None:
        fresh.set_density(grid.density_choice)
        fresh.set_filters(grid.filters)
        fresh.set_order(grid.order)
        if grid.cursor:
            fresh.cursor = grid.cursor

    fresh = WorldApp(app.world, dress)
    async with fresh.run_test(size=app.size) as pilot:
        await pilot.pause()
        fresh.grid.scroll_to(*grid.scroll_offset, animate=False, force=True)
        await pilot.pause()
        return [spelled(list(strip)) for strip in fresh.screen._compositor.render_strips()]


def near(before: GridView, cursor: tuple[str, str], view: GridView, now: tuple[str, str]) -> bool:
    """Whether a cursor that nobody moved is where one looks for it."""
    row, column = cursor
    if column in view.column_at and now[1] != column:
        return False
    if row in view.row_at:
        return now[0] == row
    if view.heads.get(row) in view.row_at:
        return now[0] == view.heads[row]
    if is_head(row):
        return not is_head(now[0]) or not any(before.heads.get(one) == row for one in view.row_at)
    kept = [one.key for one in before.rows if one.key in view.row_at]
    gap = sorted([*kept, row], key=lambda key: before.row_at[key])
    place = gap.index(row)
    return not kept or now[0] in gap[max(0, place - 1) : place + 2]


async def act(rng: random.Random, app: WorldApp, pilot: Pilot[None]) -> bool:
    """Do something; True if it may have moved the cursor otherwise than by taking its cell away."""
    grid, world = app.grid, app.world
    user, service = rng.choice(world.users), rng.choice(world.services)
    deed = rng.randrange(16)
    if deed < 4:
        key = rng.choice(KEYS)
        await pilot.press(key)
        return True
    if deed < 7:
        for _ in range(rng.choice((1, 1, 5, 40))):
            world.change(rng.choice(world.users), rng.choice(world.services))
        if rng.random() < 0.6:
            told, world.untold = world.untold, set()
            grid.look_again(told)
    elif deed == 7:
        grid.set_rows([world.row(rng.choice(world.users)) for _ in range(rng.choice((1, 3)))])
    elif deed == 8:
        world.age += 1
        if rng.random() < 0.7:
            grid.grow_older()
    elif deed == 9:
        world.take_or_add_user(user)
        world.feed(grid)
    elif deed == 10:
        world.take_or_add_service(service)
        world.feed(grid)
    elif deed == 11:
        choice = Filters(rng.choice(TEXTS), rng.random() < 0.2, rng.random() < 0.1, rng.choice(("", "", user)))
        grid.set_filters(choice)
    elif deed == 12:
        heads = [row.key for row in grid.view.rows if row.head]
        folded = frozenset(key for key in heads if rng.random() < 0.4)
        grid.set_order(Order(rng.choice(SORTS), rng.choice(GROUPS), folded))
    elif deed == 13:
        grid.set_density(rng.choice((None, *DENSITIES)))
    elif deed == 14:
        await pilot.resize_terminal(*rng.choice(SIZES))
    else:
        width, height = app.size - (1, 1)  # beside the scroll bars, which show that they were clicked
        x, y = rng.randrange(width or 1), rng.randrange(height or 1)
        await pilot.click(offset=(x, y), times=rng.choice((1, 2)))
        return True
    return False


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_steps_the_screen_is_that_of_a_grid_made_anew(seed: int) -> None:
    rng = random.Random(seed)
    app = WorldApp(World(rng))
    async with app.run_test(size=(90, 20)) as pilot:
        await pilot.pause()
        for step in range(STEPS):
            before, cursor = app.grid.view, app.grid.cursor
            moved = await act(rng, app, pilot)
            await pilot.pause()
            now = app.grid.cursor
            if cursor and now and not moved:
                assert near(before, cursor, app.grid.view, now), (seed, step, cursor, now)
            if step % 4 == 3:
                told, app.world.untold = app.world.untold, set()
                app.grid.look_again(told)
                app.grid.grow_older()
                await pilot.pause()
                shown, fresh = app.terminal.lines, await lines_of_one_made_anew(app)
                for y, (line, wanted) in enumerate(zip(shown, fresh, strict=True)):
                    assert line == wanted, (seed, step, y, "".join(one[0] for one in line))


async def test_a_bar_goes_when_what_is_left_has_room_and_stands_where_the_grid_is() -> None:
    app = WorldApp(World(random.Random(1)))
    async with app.run_test(size=(60, 20)) as pilot:
        grid = app.grid
        grid.set_filters(Filters("s1"))
        grid.set_density("full")
        await pilot.pause()
        assert not grid.show_horizontal_scrollbar
        grid.cursor = ("u1", "s1")
        grid.set_filters(Filters())
        grid.action_move_to_column(-1)
        await pilot.pause()
        assert grid.show_horizontal_scrollbar
        assert grid.horizontal_scrollbar.position == grid.scroll_x > 0
        grid.set_filters(Filters("s1"))
        await pilot.pause()
        assert not grid.show_horizontal_scrollbar


async def test_an_age_that_a_move_of_the_cursor_came_by_is_painted_when_ages_are() -> None:
    world = World(random.Random(2))
    world.cells = {key: replace(cell, hash8="00000000") for key, cell in world.cells.items()}
    app = WorldApp(world)
    async with app.run_test(size=(200, 50)) as pilot:
        app.grid.set_density("full")
        for number in range(3):
            app.grid.grow_older()
            world.age += 1
            await pilot.press("j")
            app.grid.grow_older()
            await pilot.pause()
            text = "\n".join("".join(one[0] for one in line) for line in app.terminal.lines)
            assert f"{world.age}m" in text
            assert f"{number}m" not in text
