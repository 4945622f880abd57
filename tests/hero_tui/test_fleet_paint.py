"""The fleet is painted at once, then now and then; of very much, one part after the other, and all of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from hero_tui import fleet_paint
from hero_tui.fleet_paint import FleetPaint
from hero_tui.store import Fleet, with_event, with_snapshot
from screens.fleet_view import Changes, FleetView
from tests.hero_tui.fleets import cell, changed, snapshot

SERVICES = [f"service{number:03d}" for number in range(600)]


class Painted:
    """A store's view, and what of it was painted."""

    def __init__(self) -> None:
        self.view: FleetView = with_snapshot(Fleet(), snapshot()).view
        self.paints: list[Changes] = []
        self.slow = 0.0
        self.paint = FleetPaint(lambda: self.view, self._take)
        self.paint.flush()
        self.paints.clear()

    def _take(self, changes: Changes) -> None:
        self.paints.append(changes)
        end = time.perf_counter() + self.slow * len(changes.cells)
        while time.perf_counter() < end:
            pass

    def change(self, services: list[str]) -> None:
        slot = self.view.slots["mik"]
        new = replace(slot, cells={**slot.cells, **{name: cell(name) for name in services}})
        self.view = replace(self.view, slots={**self.view.slots, "mik": new})
        self.paint.soon()

    @property
    def cells(self) -> set[str]:
        return {service for changes in self.paints for _, service in changes.cells}

    async def until(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.cells) < count:
                await asyncio.sleep(0.01)


async def test_a_first_change_is_painted_at_once_and_a_burst_is_one_paint() -> None:
    painted = Painted()
    for name in SERVICES[:20]:
        painted.change([name])
    await painted.until(20)
    assert len(painted.paints) == 1


async def test_very_much_is_painted_in_parts_and_all_of_it() -> None:
    painted = Painted()
    painted.slow = fleet_paint.BUSY_SECONDS / 100
    painted.change(SERVICES)
    await painted.until(len(SERVICES))
    assert painted.cells == set(SERVICES)
    assert len(painted.paints) > 2
    assert sum(len(changes.cells) for changes in painted.paints) == len(SERVICES)


async def test_a_shape_or_a_lost_connection_is_never_kept_back() -> None:
    painted = Painted()
    painted.change(SERVICES)
    painted.view = replace(painted.view, connection="reconnecting", slots={})
    painted.paint.flush()
    assert painted.paints == [Changes(shape=True, connection=True)]
    await asyncio.sleep(0)
    painted.paint.flush()
    assert painted.paints[-1] == Changes(shape=False, connection=False)


async def test_an_event_is_painted_as_its_cell() -> None:
    painted = Painted()
    fleet = with_event(with_snapshot(Fleet(), snapshot()), changed(11, "mik", cell("hero_db", health="crashed")))
    painted.view = replace(painted.view, slots={**painted.view.slots, "mik": fleet.view.slots["mik"]})
    painted.paint.flush()
    assert ("mik", "hero_db") in painted.paints[0].cells
