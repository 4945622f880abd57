"""Jump mode: a label on everything that can be gone to, and typing it goes there."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from hero_tui import keys
from screens import jump
from screens.jump import LETTERS, MOST, JumpScreen, labels
from tests.hero_tui.fleets import Cockpit


@pytest.mark.parametrize("count", [0, 1, len(LETTERS), len(LETTERS) + 1, MOST])
def test_labels_are_all_different_and_none_begins_another(count: int) -> None:
    found = labels(count)
    assert len(set(found)) == count
    assert len({len(label) for label in found}) <= 1


def spot(cockpit: Cockpit, text: str) -> jump.Spot:
    """The spot whose label lies where the screen below says `text`."""
    lines = cockpit.text.splitlines()
    y = next(number for number, line in enumerate(lines) if text in line)
    x = lines[y].index(text)
    return min(jump.spots_of(cockpit.app.screen), key=lambda one: (abs(one.y - y), abs(one.x - x)))


async def test_a_label_on_a_cell_goes_to_it() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        label = spot(cockpit, "✖ dev_thabet").label
        await cockpit.press(pilot, "semicolon")
        assert cockpit.screen_name == "JumpScreen"
        assert label in cockpit.text
        await cockpit.press(pilot, *label)
        assert cockpit.screen_name == "FleetScreen"
        assert cockpit.grid.cursor == ("thabet", "hero_voice")


async def test_a_label_on_a_fault_goes_to_its_service() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        label = spot(cockpit, "✗ mik").label
        await cockpit.press(pilot, "semicolon", *label)
        assert cockpit.grid.cursor == ("mik", "hero_books")


async def test_the_first_letter_leaves_only_what_begins_so() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        spots = jump.spots_of(pilot.app.screen)
        assert len(spots) > len(LETTERS)
        first = spots[0].label[0]
        await cockpit.press(pilot, "semicolon", first)
        left = {one.label for one in spots if not one.label.startswith(first)}
        assert not {word for word in cockpit.text.split() if word in left}
        assert cockpit.screen_name == "JumpScreen"


@pytest.mark.parametrize("key", ["escape", "1", "semicolon", "up"])
async def test_any_other_key_leaves_everything_as_it_is(key: str) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        before = cockpit.text
        await cockpit.press(pilot, "semicolon", key)
        assert cockpit.text == before


async def test_a_line_of_a_list_and_a_field_can_be_gone_to() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2")
        label = spot(cockpit, "hero_books").label
        await cockpit.press(pilot, "semicolon", *label)
        assert cockpit.app.target
        assert cockpit.app.target.service == "hero_books"
        await cockpit.press(pilot, "slash")
        found = [one for one in jump.spots_of(pilot.app.screen) if isinstance(one.widget, Input)]
        assert len(found) == 1


async def test_a_terminal_that_is_resized_shows_no_labels_that_lie() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "semicolon")
        await pilot.resize_terminal(80, 24)
        await cockpit.until(pilot, lambda: not isinstance(pilot.app.screen, JumpScreen))


def test_its_key_is_free_everywhere() -> None:
    assert next(one.keys for one in keys.TABLE if one.id == "app.jump") == ";"
    assert keys.duplicates(keys.TABLE) == []
