"""1,000 slots of 50 services against 10 of 12: what the fleet costs to build, filter and sort, and in memory.

Run: python -m benchmarks.cockpit.large. CPU milliseconds up to the painted frame, in one process without a
terminal; memory of the cockpit on a real one.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

from textual.pilot import Pilot

from backends.client.fleet import whole_fleet
from backends.model.box_calls import SnapshotParams
from backends.model.state import FleetSnapshot
from benchmarks.cockpit.fake_box import FakeBox, user
from benchmarks.cockpit.scene import LARGE, SMALL, cockpit, fake_box
from benchmarks.cockpit.terminal import load_told, memory
from screens.fleet import FleetScreen
from screens.fleet_view import Changes
from screens.widgets.grid_data import Filters
from tests.hero_tui.fleets import Cockpit

REPEATS = 7
BAR_MS, BAR_MB = 150, 60


def main() -> None:
    """Print both sizes and their ratios."""
    small, large = asyncio.run(_deeds(SMALL)), asyncio.run(_deeds(LARGE))
    for name, figure in large.items():
        ratio = f"{figure / small[name]:6.1f} x (bar {BAR_MS} ms)"
        print(f"{name:22} {small[name]:7.1f} ms  large {figure:7.1f} ms  {ratio}")
    memories = [_memory(size) for size in (SMALL, LARGE)]
    print(
        f"memory (PSS)           {memories[0]:7.1f} MB  large {memories[1]:7.1f} MB  "
        f"{memories[1] - memories[0]:+.1f} MB (bar +{BAR_MB})"
    )
    print(load_told())


async def _deeds(size: tuple[int, int]) -> dict[str, float]:
    box = FakeBox(*size)

    async def page(params: SnapshotParams) -> FleetSnapshot:
        return FleetSnapshot.model_validate(box.snapshot(params.after, params.limit))

    opened = Cockpit(first=await whole_fleet(page), user=user(0))
    async with opened.running((200, 50)) as pilot:
        fleet = opened.app.screen
        assert isinstance(fleet, FleetScreen)
        grid, words = fleet.grid, iter(f"user{number:04d}"[:-1] for number in range(10**4))
        deeds: dict[str, Callable[[], object]] = {
            "nothing": lambda: None,
            "build of the screen": lambda: fleet.show(Changes()),
            "filter by name": lambda: grid.set_filters(Filters(next(words))),
            "only faults, and back": fleet.action_faults,
            "sort": grid.action_cycle_sort,
            "group": grid.action_cycle_group,
        }
        found = {name: await _cost(pilot, deed) for name, deed in deeds.items()}
    idle = found.pop("nothing")
    return {name: max(0.1, figure - idle) for name, figure in found.items()}


async def _cost(pilot: Pilot[int], deed: Callable[[], object]) -> float:
    taken = []
    for _ in range(REPEATS):
        await pilot.pause()
        begun = time.process_time()
        deed()
        await pilot.pause()
        taken.append((time.process_time() - begun) * 1000)
    return statistics.median(taken)


def _memory(size: tuple[int, int]) -> float:
    with fake_box(size) as box, cockpit(box) as seen:
        seen.watch(3.0)
        return memory(seen.pid)


if __name__ == "__main__":
    main()
