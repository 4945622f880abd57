"""The fleet screen: painted from events alone, filtered, empty states with a way out."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from backends.model.errors import HeroError
from hero_tui.settings import Settings
from screens.widgets.detail import DetailPane
from screens.widgets.faultlist import FaultList
from screens.widgets.statusbar import StatusBar
from tests.hero_tui.fleets import NOW, Cockpit, cell, changed, operation, progress, snapshot


async def test_a_crash_turns_its_cell_and_says_why() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        crashed = cell("hero_db", health="crashed", reason="signal 9", since=NOW, last_log="out of memory")
        cockpit.tell(changed(11, "alice", crashed))
        await pilot.pause()
        shown = cockpit.grid.cell("alice", "hero_db")
        assert shown is not None
        assert shown.health == "crashed"
        assert "crashed 0s ago · signal 9" in cockpit.text
        assert "out of memory" in cockpit.text
        assert pilot.app.screen.query_one(StatusBar).view.faults == 3


async def test_the_cursor_begins_on_my_own_slot() -> None:
    cockpit = Cockpit(user="mik")
    async with cockpit.running():
        assert cockpit.grid.cursor == ("mik", "hero_db")


async def test_ages_tick_without_an_event() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.now = NOW + timedelta(minutes=2)
        cockpit.app.here.tick()
        await pilot.pause()
        assert "healthy for 14m00s" in cockpit.text


async def test_new_users_and_services_come_in() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.on_snapshot(snapshot(seq=20, zoe=[cell("hero_new")]))
        await cockpit.settle(pilot)
        assert "zoe" in cockpit.text
        assert "hero_new" in cockpit.text or "new" in cockpit.text


async def test_a_slot_whose_daemon_is_away_is_marked() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        fleet = snapshot(seq=20)
        slots = [
            one.model_copy(update={"stale": one.slot == "mik", "online": one.slot != "mik"}) for one in fleet.slots
        ]
        cockpit.line.on_snapshot(fleet.model_copy(update={"slots": tuple(slots)}))
        await cockpit.settle(pilot)
        await cockpit.press(pilot, "j")
        assert "mik        ≈" in cockpit.text
        assert "its daemon is away" in cockpit.text


async def test_a_lost_box_is_said_and_what_was_known_stays() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.on_state("reconnecting", "The box's daemon has gone.")
        await cockpit.settle(pilot)
        assert "reconnecting…" in cockpit.text
        assert "The box's daemon has gone." in cockpit.text
        assert "dev_alice" in cockpit.text
        cockpit.line.on_state("online", "")
        await cockpit.settle(pilot)
        assert "reconnecting…" not in cockpit.text
        assert len(cockpit.line.called("fleet.snapshot")) == 1


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (None, "Connecting to the box…"),
        (snapshot().model_copy(update={"slots": ()}), "This box has no slots yet."),
        (
            snapshot().model_copy(
                update={
                    "catalogue": (),
                    "slots": tuple(one.model_copy(update={"services": ()}) for one in snapshot().slots),
                }
            ),
            "The catalogue names no services yet.",
        ),
    ],
    ids=["connecting", "no slots", "no services"],
)
async def test_an_empty_fleet_says_what_to_do(first: object, told: str) -> None:
    cockpit = Cockpit(first=first)
    async with cockpit.running():
        assert told in cockpit.text


async def test_a_box_that_never_answered_says_why() -> None:
    cockpit = Cockpit(first=None)
    async with cockpit.running() as pilot:
        cockpit.line.on_state("reconnecting", "Nothing listens on rpc.sock.")
        await cockpit.settle(pilot)
        assert "The box does not answer." in cockpit.text
        assert "Nothing listens on rpc.sock." in cockpit.text
        assert "hero_dev box status" in cockpit.text


async def test_enter_on_the_integration_row_asks_for_the_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        asked: list[str] = []
        monkeypatch.setattr(cockpit.app.places, "show_releases", asked.append)
        await cockpit.press(pilot, "right", "g", "enter", "5")
        assert asked == ["hero_router", "hero_router"]
        assert cockpit.screen_name == "FleetScreen"
        cockpit.app.prompts.command("releases hero_mail")
        assert asked[2:] == ["hero_mail"]
        await cockpit.press(pilot, "j", "enter")
        assert cockpit.screen_name == "SlotScreen"


async def test_the_filter_narrows_and_escape_widens() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "slash", *"mik", "enter")
        assert [row.key for row in cockpit.grid.view.rows] == ["mik"]
        assert "/mik" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert len(cockpit.grid.view.rows) == 4


async def test_a_filter_that_matches_nothing_says_so() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "slash", *"zzz", "enter")
        assert "Nothing matches /zzz" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert "dev_alice" in cockpit.text


async def test_faults_only_and_mine_only() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "exclamation_mark")
        assert {row.key for row in cockpit.grid.view.rows} == {"mik", "thabet"}
        await cockpit.press(pilot, "exclamation_mark", "full_stop")
        assert [row.key for row in cockpit.grid.view.rows] == ["integration", "alice"]


async def test_n_goes_from_fault_to_fault() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        faults = pilot.app.screen.query_one(FaultList).faults
        assert [(one.user, one.kind) for one in faults] == [("thabet", "crashed"), ("mik", "failed")]
        await cockpit.press(pilot, "n")
        assert cockpit.grid.cursor == ("thabet", "hero_voice")
        assert "frame of 0 samples" in cockpit.text
        await cockpit.press(pilot, "n")
        assert cockpit.grid.cursor == ("mik", "hero_books")


async def test_keys_that_change_are_hidden_on_somebody_elses_row() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        assert "r restart" in cockpit.text
        await cockpit.press(pilot, "j")
        assert "r restart" not in cockpit.text
        await cockpit.press(pilot, "r", "x", "b", "P", "s")
        assert cockpit.screen_name == "FleetScreen"
        assert not [name for _, name, _ in cockpit.line.calls if name != "fleet.snapshot"]


async def test_a_read_only_cockpit_changes_nothing_of_mine_either() -> None:
    cockpit = Cockpit(read_only=True)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "r")
        assert cockpit.line.calls == []
        assert "READ ONLY" in cockpit.text


async def test_restart_marks_its_cell_at_once_and_tells_how_it_ended() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        ended = asyncio.get_running_loop().create_future()
        cockpit.line.answers["operation.wait"] = ended
        await pilot.press("r")
        cockpit.app.desk.flush()
        shown = cockpit.grid.cell("alice", "hero_db")
        assert shown is not None
        assert shown.busy == "restarting"
        await cockpit.settle(pilot)
        assert cockpit.line.called("slot.restart") == [{"services": ["hero_db"]}]
        ended.set_result(operation("op-1", kind="restart", service="", title="restart hero_db", state="succeeded"))
        await cockpit.settle(pilot)
        shown = cockpit.grid.cell("alice", "hero_db")
        assert shown is not None
        assert shown.busy is None
        assert "restart hero_db  done" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert "restart hero_db" not in cockpit.text


async def test_a_call_that_is_refused_is_told_with_its_hint() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["slot.restart"] = HeroError(
            "busy", "hero_db is busy: a switch is running.", hint="Wait."
        )
        await cockpit.press(pilot, "r")
        assert "hero_db is busy: a switch is running." in cockpit.text
        assert "Wait." in cockpit.text
        shown = cockpit.grid.cell("alice", "hero_db")
        assert shown is not None
        assert shown.busy is None


async def test_progress_is_painted_in_the_cell_and_capital_x_cancels() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["operation.cancel"] = operation
        running = operation(phase="download", done=430, total=1000)
        cockpit.tell(progress("alice", running))
        await cockpit.settle(pilot)
        shown = cockpit.grid.cell("alice", "hero_router")
        assert shown is not None
        assert (shown.busy, shown.progress) == ("download", 0.43)
        await cockpit.press(pilot, "right", "X")
        assert cockpit.line.called("operation.cancel") == [{"operation": "op-1"}]


async def test_marked_services_are_followed_together() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "space", "space", "l")
        assert cockpit.screen_name == "LogsScreen"
        (asked,) = cockpit.line.called("slot.logs")
        assert asked["services"] == ("hero_db", "hero_router")


async def test_density_comes_from_the_settings() -> None:
    cockpit = Cockpit(settings=Settings(density="heat"))
    async with cockpit.running():
        assert cockpit.grid.density == "heat"


async def test_a_mistake_in_the_settings_is_told() -> None:
    cockpit = Cockpit(problems=("settings.toml: theme is 'pink'",))
    async with cockpit.running():
        assert "settings.toml: theme is 'pink'" in cockpit.text


async def test_hostile_text_of_a_teammate_is_only_text() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        odd = cell("hero_db", branch="\x1b[2Jwiped[red]", reason="\x1b]0;title\x07[b]", health="unhealthy")
        cockpit.tell(changed(11, "alice", odd))
        await cockpit.settle(pilot)
        assert "\x1b" not in cockpit.text
        assert "wiped[red]" in pilot.app.screen.query_one(DetailPane).view.facts[2].parts[0][0]
        await cockpit.press(pilot, "2")
        assert "wiped[red]" in cockpit.text


async def test_ctrl_c_twice_quits_once_does_not() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "ctrl+c")
        assert pilot.app.is_running
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert pilot.app.return_value == 0


async def test_nothing_is_painted_for_an_event_that_changes_nothing() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        status = cockpit.app.desk.fleet.cell("mik", "hero_db")
        assert status is not None
        frames: list[object] = []
        display = cockpit.app._display
        cockpit.app._display = lambda screen, frame: (frames.append(frame), display(screen, frame))[0]  # type: ignore
        cockpit.tell(changed(11, "mik", status))
        await cockpit.settle(pilot)
        assert [frame for frame in frames if frame] == []
