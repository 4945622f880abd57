"""The fleet while rows come, go and are left out: cursor, marks, counts and sections stay where a person looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.geometry import Offset
from textual.pilot import Pilot

from backends.model.state import FleetSnapshot, ServiceStatus
from hero_tui.settings import Settings
from screens.widgets.faultlist import FaultList
from screens.widgets.grid_data import GridCell
from screens.widgets.grid_model import GridModel
from screens.widgets.grid_order import Order, is_head
from screens.widgets.servicelist import ServiceList
from tests.hero_tui.fleets import NOW, SERVICES, Cockpit, FakeLine, cell, changed, snapshot

MANY = [f"hero_{number:02d}" for number in range(30)]


def crashed(service: str, **fields: Any) -> ServiceStatus:
    return cell(service, health="crashed", reason="exit 1", since=NOW, **fields)


def rows(cockpit: Cockpit) -> list[str]:
    return [row.key for row in cockpit.grid.view.rows]


# -- the cursor -----------------------------------------------------------------------------------


async def test_when_the_row_under_the_cursor_is_well_again_the_next_broken_one_has_it() -> None:
    cockpit = Cockpit(first=snapshot(alice=[crashed("hero_db")], mik=[crashed("hero_db")]))
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "!", "j")
        assert (rows(cockpit), cockpit.grid.cursor) == (["alice", "mik", "thabet"], ("mik", "hero_db"))
        cockpit.tell(changed(11, "mik", cell("hero_db")))
        await cockpit.settle(pilot)
        assert (rows(cockpit), cockpit.grid.cursor) == (["alice", "thabet"], ("thabet", "hero_db"))


async def test_after_a_filter_that_left_nothing_the_cursor_is_where_it_was() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "j", "right", "slash", *"zzz")
        assert cockpit.grid.cursor is None
        await cockpit.press(pilot, "escape")
        assert cockpit.grid.cursor == ("mik", "hero_router")


async def test_a_row_that_goes_under_a_folded_head_takes_the_cursor_to_that_head() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "V", "V", "V")
        folded = cockpit.grid.view.heads["thabet"]
        cockpit.grid.set_order(Order(group="state", folded=frozenset({folded})))
        assert cockpit.grid.cursor == ("alice", "hero_db")
        cockpit.tell(changed(11, "alice", crashed("hero_db")))
        await cockpit.settle(pilot)
        assert cockpit.grid.cursor == (folded, "hero_db")


async def test_when_heads_go_the_cursor_is_on_the_first_row_that_stood_under_its_own() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "V", "V", "V", "G", "k")
        here = cockpit.grid.cursor
        assert here
        assert is_head(here[0])
        under = next(row for row, head in cockpit.grid.view.heads.items() if head == here[0])
        await cockpit.press(pilot, "V")
        assert cockpit.grid.cursor == (under, here[1])


# -- what is counted ------------------------------------------------------------------------------


def many(**changes: ServiceStatus) -> FleetSnapshot:
    return snapshot(alice=[changes.get(name) or cell(name) for name in MANY])


def second_line_of(cockpit: Cockpit, user: str) -> str:
    lines = cockpit.text.splitlines()
    place = next(number for number, text in enumerate(lines) if text.strip().startswith(f"{user} "))
    return lines[place + 1]


@pytest.mark.parametrize("keys", [("z",), ("z", "slash", *"00", "enter")], ids=["off the screen", "filtered out"])
async def test_a_crash_that_has_no_room_on_the_screen_is_counted_beside_its_user(keys: tuple[str, ...]) -> None:
    cockpit = Cockpit(first=many())
    async with cockpit.running((170, 40)) as pilot:
        await cockpit.press(pilot, *keys)
        assert "✖ 1 fault" not in second_line_of(cockpit, "alice")
        cockpit.tell(changed(11, "alice", crashed(MANY[29])))
        await cockpit.settle(pilot)
        assert "✖ 1 fault" in second_line_of(cockpit, "alice")


async def test_a_service_that_no_catalogue_names_has_a_column_from_its_first_binding_to_its_last() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.tell(changed(11, "mik", cell("hero_own")))
        await cockpit.settle(pilot)
        assert "hero_own" in cockpit.grid.view.column_at
        cockpit.line.on_snapshot(snapshot(seq=20))
        await cockpit.settle(pilot)
        assert "hero_own" not in cockpit.grid.view.column_at


# -- several boxes --------------------------------------------------------------------------------


class Late:
    """Another box that answers when it is told to."""

    def __init__(self) -> None:
        self.line: FakeLine
        self.cockpit = Cockpit(beside={"south": self._make})

    def _make(self, **tellers: Any) -> FakeLine:
        self.line = FakeLine(**tellers, first=None)
        return self.line

    async def answers(self, pilot: Pilot[int]) -> None:
        self.line.on_snapshot(snapshot(zoe=[cell("hero_db")]))
        self.line.on_state("online", "")
        await self.cockpit.settle(pilot)


async def test_a_box_that_answers_late_has_its_section_too_and_the_cursor_stays() -> None:
    late = Late()
    async with late.cockpit.running() as pilot:
        await late.cockpit.press(pilot, "j", "right")
        await late.answers(pilot)
        assert "▾ south" in late.cockpit.text
        assert late.cockpit.grid.cursor == ("mik", "hero_router")


async def test_whoever_wants_no_sections_is_not_given_them_again() -> None:
    late = Late()
    async with late.cockpit.running() as pilot:
        await late.answers(pilot)
        await late.cockpit.press(pilot, "V", "V", "V", "slash", *"zzz")
        assert late.cockpit.grid.order.group == "none"
        late.line.on_snapshot(snapshot(seq=20, zora=[cell("hero_db")]))
        await late.cockpit.settle(pilot)
        await late.cockpit.press(pilot, "escape")
        assert late.cockpit.grid.order.group == "none"


# -- faults ---------------------------------------------------------------------------------------


async def click_fault(cockpit: Cockpit, pilot: Pilot[int], line: int) -> None:
    await pilot.click(FaultList, offset=(4, line))
    await cockpit.settle(pilot)


async def test_a_fault_under_a_folded_head_is_unfolded_when_one_goes_to_it() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "V", "V", "shift+tab")
        assert "thabet" not in rows(cockpit)
        await click_fault(cockpit, pilot, 0)
        assert cockpit.grid.cursor == ("thabet", "hero_voice")
        await cockpit.press(pilot, "shift+tab", "n")
        assert cockpit.grid.cursor is not None
        assert not is_head(cockpit.grid.cursor[0])


async def test_of_a_fault_that_the_filter_leaves_out_that_is_said() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "slash", *"alice", "enter")
        await click_fault(cockpit, pilot, 0)
        assert "The filter leaves thabet hero_voice out; esc clears it." in cockpit.text


async def test_the_line_that_counts_more_faults_shows_all_of_them() -> None:
    cockpit = Cockpit(first=snapshot(alice=[crashed(name) for name in SERVICES]))
    async with cockpit.running((100, 24)) as pilot:
        faults = pilot.app.screen.query_one(FaultList)
        assert "more; ! shows them all" in cockpit.text
        await click_fault(cockpit, pilot, faults.size.height - 1)
        assert cockpit.grid.filters.only_faults
        assert rows(cockpit) == ["alice", "mik", "thabet"]


# -- what is said ---------------------------------------------------------------------------------


async def test_where_several_filters_leave_nothing_they_are_named() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "slash", *"alice", "enter", "!")
        assert "Nothing is left of: /alice · faults only" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert rows(cockpit) == ["mik", "thabet"]


async def test_the_keys_that_are_told_are_those_of_the_person() -> None:
    settings = Settings.model_validate({"keys": {"cell.faults": "f9", "cell.switch": "f8", "app.back": "f7"}})
    cockpit = Cockpit(first=snapshot(alice=[], mik=[], thabet=[]), settings=settings)
    async with cockpit.running() as pilot:
        assert "Press f8 to bind" in cockpit.text
        await cockpit.press(pilot, "f9")
        assert "f9 shows everybody again" in cockpit.text
        await cockpit.press(pilot, "f9", "slash", *"zzz", "enter")
        assert "f7 clears the filter" in cockpit.text


# -- marks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["1", "2"])
async def test_what_is_not_bound_any_more_is_not_marked(place: str) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, place, "space", "space")
        assert "2 marked" in cockpit.text
        left = [cell(name) for name in SERVICES if name != "hero_db"]
        cockpit.line.on_snapshot(snapshot(seq=20, alice=left))
        await cockpit.settle(pilot)
        assert "1 marked" in cockpit.text
        assert cockpit.app.target
        assert cockpit.app.target.marked == ("hero_router",)


async def test_the_cursor_of_a_long_slot_is_in_sight_in_another_order_and_another_size() -> None:
    cockpit = Cockpit(first=snapshot(alice=[*(cell(name) for name in MANY), crashed("hero_zz")]))
    async with cockpit.running((100, 24)) as pilot:
        await cockpit.press(pilot, "2", "O", "O", "O", "O")
        services = pilot.app.screen.query_one(ServiceList)
        services.service = "hero_zz"
        await cockpit.press(pilot, "O")
        assert services.rows[0].service == "hero_zz"
        assert "▌ hero_zz" in cockpit.text
        await cockpit.press(pilot, "G")
        await pilot.resize_terminal(100, 18)
        await cockpit.settle(pilot)
        assert f"▌ {services.service}" in cockpit.text


# -- what it costs --------------------------------------------------------------------------------


async def test_in_groups_what_is_off_the_screen_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    cockpit = Cockpit(first=many())
    async with cockpit.running((100, 40)) as pilot:
        await cockpit.press(pilot, "z")
        looked: set[str] = set()
        known = cockpit.grid._model._look
        assert known

        def look(user: str, service: str) -> GridCell | None:
            looked.add(service)
            return known(user, service)

        monkeypatch.setattr(cockpit.grid._model, "_look", look)
        await cockpit.press(pilot, "V", "V")
        assert "▾ devel" in cockpit.text
        assert MANY[29] not in looked


async def test_agents_at_work_do_not_have_the_rows_of_groups_sorted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "V", "V")
        sorted_again: list[object] = []
        monkeypatch.setattr(GridModel, "refilter", sorted_again.append)
        row = cockpit.grid._model.row("mik")
        assert row
        cockpit.grid.set_rows([replace(row, agents=2, agents_state="working", waits=1)])
        await cockpit.settle(pilot)
        assert not sorted_again
        assert "●2" in cockpit.text


async def test_a_click_in_the_corner_sorts_and_on_a_head_folds() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "V", "V")
        at = cockpit.grid.content_region.offset
        await pilot.click(offset=at + Offset(2, 0))
        await cockpit.settle(pilot)
        assert cockpit.grid.order.sort == "trouble"
        place = next(y for y, text in enumerate(cockpit.text.splitlines()) if "▾ devel" in text)
        await pilot.click(offset=Offset(at.x + 1, place))
        await cockpit.settle(pilot)
        assert "▸ devel" in cockpit.text
