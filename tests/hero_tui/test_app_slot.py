"""The slot screen: mine to act on; somebody else's to look at, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from backends.model.state import Event, SlotStatus
from screens.slot import SlotScreen
from screens.widgets.servicelist import ServiceList
from tests.hero_tui.fleets import NOW, Cockpit, cell, changed, operation, progress


async def test_my_slot_shows_every_service_with_its_reason() -> None:
    cockpit = Cockpit()
    async with cockpit.running((160, 40)) as pilot:
        await cockpit.press(pilot, "2")
        assert "slot alice" in cockpit.text
        assert "the worktree has uncommitted changes" in cockpit.text
        assert "development-9f3c21ab is newer" in cockpit.text
        assert "peeking" not in cockpit.text


async def test_a_peek_says_so_and_offers_nothing_that_changes() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "u", *"mik", "enter")
        assert "peeking at mik — read-only" in cockpit.text
        assert "r restart" not in cockpit.text
        assert "l logs" in cockpit.text
        await cockpit.press(pilot, "r", "x", "b", "P", "s", "X", "e", "S")
        assert cockpit.screen_name == "SlotScreen"
        assert cockpit.line.calls == []


async def test_a_peeks_logs_go_through_the_box() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "u", *"mik", "enter", "l")
        assert [name for _, name, _ in cockpit.line.calls] == ["peek.logs"]


async def test_enter_on_a_cell_opens_its_slot_on_that_service() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "j", "right", "enter")
        assert isinstance(pilot.app.screen, SlotScreen)
        assert (pilot.app.screen.user, pilot.app.screen.list.service) == ("mik", "hero_router")
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "FleetScreen"


async def test_events_repaint_one_line() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2")
        cockpit.tell(changed(11, "alice", cell("hero_mail", health="crashed", reason="exit 3", since=NOW)))
        await cockpit.settle(pilot)
        assert "✖ crashed" in cockpit.text
        assert "exit 3" in cockpit.text
        cockpit.tell(progress("alice", operation(phase="download", done=1, total=2)))
        await cockpit.settle(pilot)
        assert "↻ 50% downl…" in cockpit.text


async def test_a_service_that_comes_or_goes_keeps_the_cursor() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "j", "j")
        services = pilot.app.screen.query_one(ServiceList)
        assert services.service == "hero_slides"
        cockpit.tell(changed(11, "alice", cell("hero_added")))
        await cockpit.settle(pilot)
        assert services.service == "hero_slides"
        assert "hero_added" in cockpit.text


def problem(seq: int, user: str, *problems: str, stale: bool = False) -> Event:
    head = SlotStatus(
        box="demo", slot=user, problems=problems, online=not stale, stale=stale, seen_at=NOW
    ).model_dump(mode="json")
    kind = "slot.offline" if stale else "slot.changed"
    return Event(seq=seq, time=NOW, box="demo", slot=user, kind=kind, data=head)


async def test_what_is_wrong_with_a_slot_itself_stands_over_its_services_and_at_its_row() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        broken = "hero.toml: line 3: \x1b[31mbranch\x1b[0m has no name."
        cockpit.tell(problem(11, "alice", broken))
        cockpit.tell(problem(12, "mik", "One thing.", "Another."))
        await cockpit.settle(pilot)
        assert "▲ 1 problem" in cockpit.text
        assert "▲ 2 problems" in cockpit.text
        assert "hero.toml: line 3: branch has no name." in cockpit.text.splitlines()[0]
        await cockpit.press(pilot, "exclamation_mark")
        assert [row.key for row in cockpit.grid.view.rows] == ["alice", "mik", "thabet"]
        cockpit.tell(problem(13, "alice"))
        await cockpit.settle(pilot)
        assert [row.key for row in cockpit.grid.view.rows] == ["mik", "thabet"]
        cockpit.tell(problem(14, "alice", broken))
        await cockpit.settle(pilot)
        assert [row.key for row in cockpit.grid.view.rows] == ["alice", "mik", "thabet"]
        await cockpit.press(pilot, "exclamation_mark", "k", "2")
        assert cockpit.text.splitlines()[1].strip() == "hero.toml: line 3: branch has no name."
        await cockpit.press(pilot, "u", *"mik", "enter")
        assert [line.strip() for line in cockpit.text.splitlines()[2:4]] == ["One thing.", "Another."]
        cockpit.tell(problem(15, "mik"))
        await cockpit.settle(pilot)
        assert "One thing." not in cockpit.text


async def test_a_slot_whose_daemon_hangs_says_so() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.tell(problem(11, "mik", "The daemon of mik's slot (pid 7) hangs.", stale=True))
        await cockpit.settle(pilot)
        assert "mik≈" in cockpit.text.replace(" ", "")
        await cockpit.press(pilot, "u", *"mik", "enter")
        assert "The daemon of mik's slot (pid 7) hangs." in cockpit.text


async def test_marked_services_restart_together() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "space", "space")
        assert "2 marked" in cockpit.text
        await cockpit.press(pilot, "r")
        assert cockpit.line.called("slot.restart") == [{"services": ["hero_db", "hero_router"]}]


async def test_stopping_several_asks_first_and_stands_on_cancel() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "space", "space", "x", "enter")
        assert cockpit.line.calls == []
        await cockpit.press(pilot, "x", "y")
        assert cockpit.line.called("slot.stop") == [{"services": ["hero_db", "hero_router"]}]


async def test_a_stopped_service_is_started() -> None:
    cockpit = Cockpit(user="thabet")
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "j", "r")
        assert cockpit.line.called("slot.start") == [{"services": ["hero_router"]}]


async def test_services_are_sorted_and_stand_elsewhere_once_they_are_in_trouble() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "O")
        services = pilot.app.screen.query_one(ServiceList)
        assert "by trouble" in cockpit.text
        cockpit.tell(changed(11, "alice", cell("hero_mail", health="crashed")))
        await cockpit.settle(pilot)
        assert [row.service for row in services.rows][:2] == ["hero_mail", "hero_db"]
        await cockpit.press(pilot, "O")
        assert services.rows[-1].service == "hero_slides"
        await cockpit.press(pilot, "O", "O")
        assert services.rows[0].service == "hero_db"
        assert "by " not in cockpit.text.splitlines()[0]


async def test_the_filter_finds_letters_in_their_order() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "slash", *"-f hsld", "enter")
        services = pilot.app.screen.query_one(ServiceList)
        assert [row.service for row in services.rows] == ["hero_slides"]
        await cockpit.press(pilot, "1", "slash", *"-f hrtr", "enter")
        assert [column.key for column in cockpit.grid.view.columns] == ["hero_router"]


async def test_the_filter_looks_at_services_and_branches() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "slash", *"_alice", "enter")
        services = pilot.app.screen.query_one(ServiceList)
        assert [row.service for row in services.rows] == ["hero_slides"]
        await cockpit.press(pilot, "escape", "slash", *"!hero_d", "enter")
        assert "hero_db" not in [row.service for row in services.rows]
        await cockpit.press(pilot, "escape", "slash", *"zzz", "enter")
        assert "Nothing matches." in cockpit.text


async def test_a_slot_that_is_not_there_says_which_are() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.app.places.show_slot("nobody")
        await cockpit.settle(pilot)
        assert "There is no slot 'nobody'." in cockpit.text
        assert "integration, alice, mik, thabet" in cockpit.text


async def test_ages_tick() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2")
        cockpit.now = NOW + timedelta(hours=3)
        cockpit.app.here.tick()
        await pilot.pause()
        assert " 3h" in cockpit.text
