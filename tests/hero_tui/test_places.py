"""The ways between the screens, as keys go them: back, forward, the last one, each as the person left it."""

from __future__ import annotations

import pytest
from textual import events

from hero_tui.deep_link import HOME, LINKS, Link, check_link
from hero_tui.place_screens import SCREENS
from screens.fleet import FleetScreen
from screens.logs import LogsScreen
from screens.slot import SlotScreen
from screens.widgets.filterbar import FilterBar
from screens.widgets.linelist import LineList
from tests.hero_tui.agents import some_agents, some_items, with_agents
from tests.hero_tui.fleets import Cockpit, snapshot

BACK, FORWARD, LAST = "left_square_bracket", "right_square_bracket", "minus"


async def test_back_and_forward_go_where_one_was() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "6", "4")
        names = [cockpit.screen_name]
        for key in (BACK, BACK, BACK, FORWARD, FORWARD, FORWARD):
            await cockpit.press(pilot, key)
            names.append(cockpit.screen_name)
        assert names == [
            "BuildsScreen",
            "AgentsScreen",
            "SlotScreen",
            "FleetScreen",
            "SlotScreen",
            "AgentsScreen",
            "BuildsScreen",
        ]
        assert len(cockpit.app.screen_stack) == 2


async def test_there_is_an_end_on_both_sides_and_it_is_told() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, BACK)
        assert "Nothing was visited before this." in cockpit.text
        await cockpit.press(pilot, FORWARD)
        assert "Nothing comes after this." in cockpit.text
        assert cockpit.screen_name == "FleetScreen"


async def test_the_last_place_and_again_this_one() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "6", "4", LAST)
        assert cockpit.screen_name == "AgentsScreen"
        await cockpit.press(pilot, LAST)
        assert cockpit.screen_name == "BuildsScreen"


async def test_esc_goes_back_and_stops_at_home() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "6", "4", "escape")
        assert cockpit.screen_name == "AgentsScreen"
        await cockpit.press(pilot, "escape", "escape")
        assert cockpit.screen_name == "FleetScreen"
        assert "ctrl-c twice quits" in cockpit.text


async def test_a_slot_is_found_again_as_it_was_left() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "slash", *"hero_", "enter", "j", "space", "j", "d")
        slot = cockpit.app.screen
        assert isinstance(slot, SlotScreen)
        left = (slot.list.service, slot.note, slot.target.marked, slot.query_one("#slot-detail").display)
        await cockpit.press(pilot, "6", "j", BACK)
        again = cockpit.app.screen
        assert isinstance(again, SlotScreen)
        assert again is not slot
        assert (
            again.list.service,
            again.note,
            again.target.marked,
            again.query_one("#slot-detail").display,
        ) == left
        assert left[0] != "hero_db"


async def test_each_visit_of_the_fleet_has_its_own_cursor_and_filter() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "slash", *"mik", "enter", "L")
        first = (cockpit.grid.cursor, cockpit.grid.filters.text, cockpit.app.here.note)
        await cockpit.press(pilot, "2", "1", "escape", "j", "j")
        second = (cockpit.grid.cursor, cockpit.grid.filters.text, cockpit.app.here.note)
        assert first != second
        await cockpit.press(pilot, BACK, BACK)
        assert (cockpit.grid.cursor, cockpit.grid.filters.text, cockpit.app.here.note) == first
        await cockpit.press(pilot, FORWARD, FORWARD)
        assert (cockpit.grid.cursor, cockpit.grid.filters.text, cockpit.app.here.note) == second


async def test_a_list_is_where_it_was_once_its_rows_have_come() -> None:
    cockpit = Cockpit(first=with_agents(some_agents()))
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "6", "slash", *"a", "enter", "j", "j")
        left = cockpit.app.screen.query_one(LineList).row
        await cockpit.press(pilot, "1", BACK)
        assert cockpit.app.screen.query_one(LineList).row == left
        assert "/a" in cockpit.app.here.note


async def test_words_to_an_agent_that_were_not_sent_are_there_again() -> None:
    from screens.widgets.agent_text import AgentText

    cockpit = Cockpit(first=with_agents(some_agents()))
    async with cockpit.running() as pilot:
        cockpit.app.places.show_agent("alice", "1")
        await cockpit.settle(pilot)
        cockpit.app.screen.query_one(AgentText).insert("half a thought")
        cockpit.app.places.show_builds()
        await cockpit.settle(pilot)
        await cockpit.press(pilot, BACK)
        assert cockpit.app.screen.query_one(AgentText).text == "half a thought"


async def test_what_lies_on_a_place_is_closed_before_the_place_is_left() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "6", "question_mark")
        cockpit.app.places.show_builds()
        await cockpit.settle(pilot)
        assert [type(screen).__name__ for screen in cockpit.app.screen_stack] == ["FleetScreen", "BuildsScreen"]


async def test_the_same_place_again_is_no_other_place() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "6", "6", "6", BACK)
        assert cockpit.screen_name == "FleetScreen"


async def test_a_thousand_places_leave_nothing_behind_but_the_last_ones() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        for number in range(120):
            cockpit.app.places.show_slot("mik" if number % 2 else "alice")
        await cockpit.settle(pilot)
        assert len(cockpit.app.places._history.visits) == 50
        assert len(cockpit.app.screen_stack) == 2


# -- deep links ---------------------------------------------------------------------------------------


def test_every_place_that_can_be_named_has_a_screen() -> None:
    assert set(LINKS) <= {"fleet", *SCREENS}


@pytest.mark.parametrize("place", LINKS)
async def test_a_cockpit_begins_at_any_place(place: str) -> None:
    cockpit = Cockpit(link=Link(place))
    async with cockpit.running() as pilot:
        await cockpit.until(pilot, lambda: place == cockpit.app.here.PLACE)
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "FleetScreen"


async def test_a_link_names_the_service_in_a_slots_logs() -> None:
    cockpit = Cockpit(link=Link("logs", "mik", "hero_router"))
    async with cockpit.running() as pilot:
        await cockpit.until(pilot, lambda: isinstance(cockpit.app.screen, LogsScreen))
        screen = cockpit.app.screen
        assert isinstance(screen, LogsScreen)
        assert (screen.user, tuple(screen.services)) == ("mik", ("hero_router",))


async def test_a_link_puts_the_fleets_cursor_on_a_cell() -> None:
    cockpit = Cockpit(link=Link("fleet", "thabet", "hero_voice"))
    async with cockpit.running() as pilot:
        await cockpit.until(pilot, lambda: cockpit.grid.cursor == ("thabet", "hero_voice"))
        assert isinstance(cockpit.app.screen, FleetScreen)


async def test_whoever_goes_on_before_the_box_has_answered_is_not_called_back() -> None:
    cockpit = Cockpit(link=Link("fleet", "thabet"), first=None)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "6", "colon")
        cockpit.line.on_snapshot(snapshot())
        await cockpit.settle(pilot)
        assert cockpit.screen_name == "CommandLine"
        assert cockpit.app.here.PLACE == "agents"


async def test_a_service_that_nobody_knows_is_answered_with_the_nearest() -> None:
    cockpit = Cockpit(link=Link("logs", "mik", "hero_ruter"))
    async with cockpit.running() as pilot:
        await cockpit.until(pilot, lambda: isinstance(cockpit.app.screen, LogsScreen))
        assert "There is no service called 'hero_ruter'" in cockpit.text
        assert "hero_router" in cockpit.text


def test_a_place_that_is_none_is_answered_with_the_nearest() -> None:
    from backends.model.errors import HeroError

    with pytest.raises(HeroError) as caught:
        check_link(Link("lgos"))
    assert (caught.value.code, caught.value.hint) == ("usage", "Did you mean logs?")
    with pytest.raises(HeroError) as caught:
        check_link(Link("team", service="hero_db"))
    assert "not about one service" in caught.value.message
    assert check_link(HOME) == HOME


async def test_an_inbox_is_where_it_was() -> None:
    from backends.model.inbox_calls import InboxResult

    cockpit = Cockpit(first=with_agents(some_agents()))
    async with cockpit.running() as pilot:
        cockpit.line.answers["question.list"] = InboxResult(items=tuple(some_items()))
        await cockpit.press(pilot, "7", "ctrl+r")
        await cockpit.settle(pilot)
        await cockpit.press(pilot, "j", "j")
        left = cockpit.app.screen.query_one(LineList).row
        assert left
        await cockpit.press(pilot, "6", BACK)
        assert cockpit.app.screen.query_one(LineList).row == left


async def test_keys_that_come_in_one_piece_wait_for_the_screen_that_they_are_meant_for() -> None:
    cockpit = Cockpit(first=with_agents(some_agents()))
    async with cockpit.running() as pilot:
        for key in ("6", "j", "full_stop", "4", "1", "6", "slash"):
            cockpit.app.post_message(events.Key(key, {"slash": "/", "full_stop": "."}.get(key, key)))
        await cockpit.until(pilot, lambda: isinstance(cockpit.app.focused, FilterBar))
        assert cockpit.screen_name == "AgentsScreen"
        cockpit.app.screen.query_one(FilterBar).action_give_up()
        cockpit.app.places.move(-3)
        await cockpit.settle(pilot)
        assert "mine" in cockpit.app.here.note


async def test_keys_that_come_faster_than_screens_break_nothing() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        app = cockpit.app
        for keys in ("6424", "2316", "6-[]-", "4" * 9):
            for key in keys:
                match key:
                    case "[" | "]":
                        app.action_history(-1 if key == "[" else 1)
                    case "-":
                        app.action_last()
                    case _:
                        place = {"2": "slot", "3": "logs", "1": "fleet", "4": "builds", "6": "agents"}[key]
                        app.action_place(place)
            await app.action_back()
            await cockpit.settle(pilot)
        await cockpit.until(pilot, lambda: app.here.ready)
        assert len(app.screen_stack) <= 2
