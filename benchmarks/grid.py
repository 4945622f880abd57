"""The fleet grid against Textual's DataTable in the same run: build, one changed cell, a hundred, ten scrolls.

Run it with `python -m benchmarks.grid`. Times are CPU milliseconds up to the painted frame, bytes are what the
terminal would get; the ratio is what counts, the figures depend on the machine.
"""

from __future__ import annotations

import asyncio
import gc
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from rich.color import ColorSystem
from rich.text import Text
from textual._compositor import ChopsUpdate
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import DataTable

from screens.driver import pen_of, render
from screens.frame_bytes import Shown
from screens.widgets.grid import FleetGrid
from screens.widgets.grid_data import GridCell, GridColumn, GridRow
from styles import themes

STYLES = Path(themes.__file__).parent
SIZE = (200, 50)
USERS = [f"user{number:02d}" for number in range(50)]
SERVICES = [f"service{number:02d}" for number in range(40)]
REPEATS = 9
HEALTH = ("healthy", "starting", "unhealthy", "crashed", "stopped")
SIGNS = ("●", "◐", "▲", "✖", "○")
COLOURS = ("green", "yellow", "dark_orange", "red", "grey50")


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds up to the painted frame, and bytes for the terminal."""

    ms: float
    sent: int


class Bench(App[None]):
    """Counts what a terminal would receive."""

    ENABLE_COMMAND_PALETTE = False
    CSS_PATH: ClassVar[list[str | Path]] = [STYLES / "base.tcss", STYLES / "first.tcss"]  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.console._color_system = ColorSystem.TRUECOLOR
        themes.register(self)

    def render_frame(self, renderable: Any) -> str:
        """What Textual sends for a frame."""
        return str(renderable.render_segments(self.console))

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if renderable is not None:
            self.sent += len(self.render_frame(renderable).encode())
        super()._display(screen, renderable)

    def fill(self) -> None:
        """Show the whole fleet."""
        raise NotImplementedError

    def change(self, user: int, service: int, state: int) -> None:
        """Change one cell."""
        raise NotImplementedError


class GridBench(Bench):
    """Our grid with our driver; one line a cell, as DataTable shows it."""

    def compose(self) -> ComposeResult:
        """The grid."""
        self.grid = FleetGrid()
        self.grid.set_density("compact")
        yield self.grid

    def render_frame(self, renderable: Any) -> str:
        """What our driver sends for a frame."""
        partial = isinstance(renderable, ChopsUpdate)
        return render(renderable, pen_of(self.console), Shown()) if partial else super().render_frame(renderable)

    def fill(self) -> None:
        """Show the whole fleet."""
        self.grid.set_shape([GridRow(user, user) for user in USERS], [GridColumn(name, name) for name in SERVICES])
        for user in range(len(USERS)):
            for service in range(len(SERVICES)):
                self.change(user, service, user * service % 5)

    def change(self, user: int, service: int, state: int) -> None:
        """Change one cell."""
        self.grid.set_cell(
            USERS[user], SERVICES[service], GridCell("dev", "9f3c21ab", "release", "current", HEALTH[state])
        )


class TableBench(Bench):
    """The same with DataTable and stock Textual."""

    def compose(self) -> ComposeResult:
        """The table."""
        self.table: DataTable[Text] = DataTable()
        yield self.table

    def fill(self) -> None:
        """Show the whole fleet."""
        for name in SERVICES:
            self.table.add_column(name, key=name, width=8)
        for user, name in enumerate(USERS):
            states = [user * service % 5 for service in range(len(SERVICES))]
            self.table.add_row(*[_text(state) for state in states], key=name, label=name)

    def change(self, user: int, service: int, state: int) -> None:
        """Change one cell."""
        self.table.update_cell(USERS[user], SERVICES[service], _text(state))


def _text(state: int) -> Text:
    return Text.assemble((SIGNS[state], COLOURS[state]), " dev")


async def measure(app: Bench, pilot: Pilot[None], deed: Callable[[], None]) -> Cost:
    """What one deed costs until its frame is painted."""
    await pilot.pause()
    app.sent = 0
    gc.collect()
    start = time.process_time()
    deed()
    await pilot.pause()
    return Cost((time.process_time() - start) * 1000, app.sent)


async def run(app: Bench) -> dict[str, Cost]:
    """Build, then changes of cells that are on the screen, medians of several."""
    rng = random.Random(1)

    def changes(count: int) -> Callable[[], None]:
        def deed() -> None:
            for _ in range(count):
                app.change(rng.randrange(40), rng.randrange(14), rng.randrange(5))

        return deed

    async with app.run_test(size=SIZE) as pilot:
        idle = statistics.median([(await measure(app, pilot, lambda: None)).ms for _ in range(REPEATS)])
        costs = {"build": await measure(app, pilot, app.fill)}
        for name, count in (("1 cell", 1), ("100 cells", 100)):
            repeats = [await measure(app, pilot, changes(count)) for _ in range(REPEATS)]
            costs[name] = Cost(
                statistics.median(cost.ms for cost in repeats),
                round(statistics.median(cost.sent for cost in repeats)),
            )
    return {name: Cost(max(0.1, cost.ms - idle), cost.sent) for name, cost in costs.items()}


def main() -> None:
    """Print a table of both and their ratio."""
    table, grid = asyncio.run(run(TableBench())), asyncio.run(run(GridBench()))
    print(f"{len(USERS)} users x {len(SERVICES)} services, {SIZE[0]}x{SIZE[1]}, medians of {REPEATS}")
    print(f"{'':10} {'DataTable':>22} {'FleetGrid':>22} {'grid / table':>18}")
    for name, theirs in table.items():
        ours = grid[name]
        ratio = f"{ours.ms / theirs.ms:.3f} CPU {ours.sent / max(1, theirs.sent):.3f} B"
        print(f"{name:10} {theirs.ms:9.1f} ms {theirs.sent:8} B {ours.ms:9.1f} ms {ours.sent:8} B {ratio:>18}")


if __name__ == "__main__":
    main()
