"""Several boxes in one cockpit: their slots beside mine, by `user@box`, each told by its own line."""

from __future__ import annotations

from typing import Any

from hero_tui import store
from hero_tui.other_boxes import OtherBoxes
from screens.fleet_view import FleetView
from tests.hero_tui.fleets import Cockpit, FakeLine, cell, changed, snapshot


class Boxes:
    """Other boxes whose lines are made up."""

    def __init__(self, *names: str) -> None:
        self.lines: dict[str, FakeLine] = {}
        self.changes = 0
        self.home = store.with_snapshot(store.Fleet(), snapshot()).view
        self.boxes = OtherBoxes({name: self._maker(name) for name in names}, self._changed)

    def _maker(self, name: str) -> Any:
        def make_line(**tellers: Any) -> FakeLine:
            self.lines[name] = FakeLine(**tellers)
            return self.lines[name]

        return make_line

    def _changed(self) -> None:
        self.changes += 1

    def tell(self, name: str) -> None:
        self.lines[name].on_snapshot(snapshot(zoe=[cell("hero_new")]))
        self.lines[name].on_state("online", "")

    @property
    def view(self) -> FleetView:
        return self.boxes.merged(self.home)


def test_without_other_boxes_the_fleet_is_the_own_one() -> None:
    boxes = Boxes()
    assert boxes.view is boxes.home


def test_their_slots_stand_beside_mine_under_the_names_of_their_boxes() -> None:
    boxes = Boxes("south")
    boxes.tell("south")
    assert {"mik", "mik@south", "zoe@south"} <= set(boxes.view.slots)
    assert boxes.view.slots["mik@south"].head.box == "south"
    assert "hero_new" in boxes.view.services()
    assert boxes.view.users()[0] == "integration"


def test_an_event_of_one_box_changes_that_box_alone_and_repaints_one_cell() -> None:
    boxes = Boxes("south", "north")
    boxes.tell("south")
    boxes.tell("north")
    before = boxes.view
    boxes.lines["south"].on_event(changed(11, "mik", cell("hero_db", health="crashed")))
    after = boxes.view
    assert store.changes_between(before, after).cells == {("mik@south", "hero_db")}
    assert not store.changes_between(before, after).shape


def test_nothing_changed_gives_the_same_fleet_again() -> None:
    boxes = Boxes("south")
    boxes.tell("south")
    assert boxes.view is boxes.view


def test_a_box_that_is_away_leaves_its_slots_as_stale_and_says_why() -> None:
    boxes = Boxes("south")
    boxes.tell("south")
    boxes.lines["south"].on_state("reconnecting", "connection refused")
    assert boxes.view.slots["mik@south"].head.stale
    assert not boxes.view.slots["mik"].head.stale
    assert "south: connection refused" in boxes.view.problems


def test_a_call_to_somebody_of_another_box_goes_over_its_line() -> None:
    boxes = Boxes("south")
    assert boxes.boxes.line_of("mik@south") == (boxes.lines["south"], "mik")
    assert boxes.boxes.line_of("mik") is None
    assert boxes.boxes.line_of("mik@elsewhere") is None


async def test_the_fleet_shows_them_in_sections_and_looks_into_their_logs() -> None:
    boxes = Boxes()
    cockpit = Cockpit(beside={"south": boxes._maker("south")})
    async with cockpit.running() as pilot:
        boxes.tell("south")
        await cockpit.settle(pilot)
        assert cockpit.grid.order.group == "box"
        assert "▾ south" in cockpit.text
        assert "zoe@south" in cockpit.text
        cockpit.grid.cursor = ("mik@south", "hero_db")
        await cockpit.press(pilot, "l")
        await cockpit.until(pilot, lambda: bool(boxes.lines["south"].calls))
        assert boxes.lines["south"].calls[0][:2] == ("mik", "peek.logs")
