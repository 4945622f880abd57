"""A key is answered before what happens elsewhere is painted; hidden places are painted once they are seen."""

from __future__ import annotations

from typing import Any

from textual import events

from hero_tui.app import HeroApp
from screens.fleet import FleetScreen
from tests.hero_tui.fleets import SERVICES, Cockpit, cell, changed


def watched(app: HeroApp) -> list[tuple[object, object]]:
    """From now on, of each frame where the cursor is, and how alice's first service is."""
    frames: list[tuple[object, object]] = []
    display = app._display

    def note(screen: Any, renderable: Any) -> None:
        if renderable is not None:
            grid = app.screen_stack[0].query_one("#fleet-grid")
            look = grid.cell("alice", SERVICES[0])  # type: ignore[attr-defined]
            frames.append((grid.cursor, look.health if look else ""))  # type: ignore[attr-defined]
        display(screen, renderable)

    app._display = note  # type: ignore[method-assign]
    return frames


async def test_a_key_is_answered_before_a_burst_of_changes_and_then_all_of_it_is_painted() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.grid.cursor = ("mik", SERVICES[1])
        await cockpit.settle(pilot)
        frames = watched(cockpit.app)
        before = cockpit.grid.cursor
        states = ("crashed", "stopped", "starting", "unhealthy")
        for number in range(1000):
            health = states[number % 4]
            cockpit.line.on_event(changed(11 + number, "alice", cell(SERVICES[0], health=health)))
        cockpit.app.post_message(events.Key("down", None))
        await cockpit.until(pilot, lambda: cockpit.grid.cursor != before)
        assert frames[0] == (cockpit.grid.cursor, "healthy")
        await cockpit.until(pilot, lambda: frames[-1][1] == "unhealthy")
        assert {health for _, health in frames} == {"healthy", "unhealthy"}


async def test_what_changed_under_another_place_is_there_when_one_comes_back() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        fleet = cockpit.app.screen_stack[0]
        assert isinstance(fleet, FleetScreen)
        shown: list[object] = []
        fleet.show = shown.append  # type: ignore[method-assign,assignment]
        await cockpit.press(pilot, "4")
        shown.clear()
        cockpit.tell(changed(11, "alice", cell(SERVICES[0], health="crashed")))
        cockpit.tell(changed(12, "alice", cell(SERVICES[1], health="crashed")))
        await cockpit.settle(pilot)
        assert not shown
        del fleet.show
        await cockpit.press(pilot, "1")
        assert cockpit.app.screen is fleet
        looks = [cockpit.grid.cell("alice", service) for service in SERVICES[:2]]
        assert [look.health for look in looks if look] == ["crashed", "crashed"]
        assert "2 faults" in cockpit.text
