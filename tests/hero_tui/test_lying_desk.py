"""What a box says that is not so, or not of this version: the cockpit says it in a sentence, and goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from backends.client.log_file import LogFile
from backends.model.agents import AgentLine
from backends.model.build_calls import BuildListResult
from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import InboxResult
from backends.model.state import LogLine
from hero_tui import store
from hero_tui.inbox_book import InboxBook
from hero_tui.store import with_event, with_snapshot
from screens.logs import LogsScreen
from screens.widgets.inbox_model import answer_text
from screens.widgets.log_port import LogPort
from tests.hero_tui.agents import agent, agent_changed, item
from tests.hero_tui.fleets import Cockpit, cell, changed, snapshot

ESCAPES = "\x1b]0;owned\x07\x9b31m\ud800"


def told(cockpit: Cockpit) -> list[str]:
    return [toast.message for toast in cockpit.app._notifications]


async def test_a_fleet_in_another_versions_words_is_told_as_that() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["fleet.snapshot"] = BuildListResult(builds=())
        await cockpit.press(pilot, "ctrl+r")
        assert told(cockpit) == ["The box answered fleet.snapshot in another version's words."]


async def test_a_toast_has_no_escapes_and_no_page_of_text() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["fleet.snapshot"] = HeroError("failed", f"{ESCAPES}It broke. " + "x" * 1_000_000)
        await cockpit.press(pilot, "ctrl+r")
        [sentence] = told(cockpit)
        assert "It broke." in sentence
        assert len(sentence) < 1000
        assert not any(one in sentence for one in ("\x1b", "\x07", "\x9b", "\ud800"))


async def test_a_name_with_escapes_does_not_reach_the_pane_beside_the_grid() -> None:
    cells = [cell("hero_db"), cell(ESCAPES)]
    cockpit = Cockpit(first=snapshot(mik=cells))
    async with cockpit.running() as pilot:
        cockpit.grid.cursor = ("alice", ESCAPES)
        await cockpit.settle(pilot)
        assert "alice does not run" in cockpit.text
        assert not any(one in cockpit.text for one in ("\x1b", "\x07", "\x9b", "\ud800"))


async def test_a_second_escape_in_the_same_moment_closes_nothing_more() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "u")
        assert cockpit.screen_name == "ChooseDialog"
        for _ in range(3):
            cockpit.app.simulate_key("escape")
        await cockpit.settle(pilot)
        assert cockpit.screen_name == "SlotScreen"


async def test_many_new_questions_at_once_are_told_together() -> None:
    said: list[str] = []
    items: list[InboxItem] = []

    async def ask(method: str, params: Any, result: Any) -> Any:
        return InboxResult(items=tuple(items))

    book = InboxBook("alice", ask, said.append, lambda: None)
    await book.fill()
    items += [item(f"q-{number}", sender=f"mik/{number}{ESCAPES}") for number in range(1000)]
    await book.fill()
    [sentence] = said
    assert sentence.startswith("1000 questions wait for you: ")
    assert len(sentence) < 300
    assert "\x1b" not in sentence


@pytest.mark.parametrize("choice", [-1, 0, 3, -(10**30), 10**30])
def test_an_answer_that_was_never_offered_is_told_in_its_own_words(choice: int) -> None:
    told = item(state="answered", answered_by="alice", answer="Neither", options=("By name", "By weight"))
    assert answer_text(told.model_copy(update={"choice": choice})) == "Neither"


@pytest.mark.parametrize("late", [(LogLine(source="hero_db", text="late"),), HeroError("denied", "No.")])
async def test_lines_that_come_when_the_log_was_left_are_let_go(late: Any) -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "3")
        left = cockpit.app.screen
        assert isinstance(left, LogsScreen)
        await cockpit.press(pilot, "escape")
        cockpit.line.log.put_nowait(late)
        async with asyncio.timeout(20):
            await left._follow(10, None)
        assert not left.is_attached


def test_keys_that_are_quicker_than_the_first_frame_of_a_log_move_nothing(tmp_path: Path) -> None:
    path = tmp_path / "hero_db.log"
    path.write_text("one\ntwo\n", encoding="utf-8")
    port = LogPort(LogFile(path, "hero_db"))
    port.room = 5
    port.move(-3)
    assert port.visible() == []


def test_a_box_that_counts_anew_is_believed() -> None:
    """It was restored from a backup: its events have numbers that others had before."""
    fleet = store.with_connection(with_snapshot(store.Fleet(), snapshot(seq=1000)), "online", "")
    fleet = with_event(fleet, changed(1001, "mik", cell("hero_db", health="crashed")))
    fleet = store.with_connection(fleet, "reconnecting", "The box closed the connection.")
    fleet = store.with_connection(with_snapshot(fleet, snapshot(seq=500)), "online", "")
    status = fleet.view.cell("mik", "hero_db")
    assert status is not None
    assert status.health == "healthy"
    status = with_event(fleet, changed(501, "mik", cell("hero_db", health="stopped"))).view.cell("mik", "hero_db")
    assert status is not None
    assert status.health == "stopped"


def test_a_snapshot_that_comes_late_on_the_same_connection_does_not_count_anew() -> None:
    fleet = store.with_connection(with_snapshot(store.Fleet(), snapshot(seq=20)), "online", "")
    late = with_snapshot(fleet, snapshot(seq=11))
    stale = changed(12, "mik", cell("hero_db", health="crashed"))
    assert with_event(late, stale) is late


@pytest.mark.parametrize("since", ["2026-11-20T10:00:00", "0001-01-01T00:00:00"])
def test_a_time_without_a_zone_is_not_of_this_version(since: str) -> None:
    """It could be told from no other: an age is the difference to a time that has one."""
    fleet = with_snapshot(store.Fleet(), snapshot())
    event = agent_changed(11, agent())
    assert with_event(fleet, replace_data(event, since=since)) is fleet
    with pytest.raises(ValueError, match="timezone"):
        AgentLine.model_validate({"number": 1, "time": since, "kind": "start", "text": ""})


def replace_data(event: Any, **fields: Any) -> Any:
    return event.model_copy(update={"data": event.data | fields})


@pytest.mark.parametrize("id", ["x" * 101, "\ud800"])
def test_an_agent_that_nobody_can_ask_about_is_not_believed(id: str) -> None:
    fleet = with_snapshot(store.Fleet(), snapshot())
    odd = agent_changed(11, agent()).model_copy(update={"subject": id})
    assert with_event(fleet, replace_data(odd, id=id)) is fleet
