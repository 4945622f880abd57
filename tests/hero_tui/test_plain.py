"""The fleet as sentences: what is said at first, what of each change, and nothing twice."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from backends.client.live import StateWatcher
from backends.client.locate import Where
from backends.model.inbox import InboxItem
from backends.model.paths import BoxPaths
from backends.model.state import ServiceStatus
from hero_tui import plain, store
from tests.hero_tui.fleets import NOW, cell, changed, operation, progress, snapshot

WHERE = Where(BoxPaths(Path("/nowhere")), "alice")
FLEET = store.with_snapshot(store.Fleet(), snapshot())


def said(status: ServiceStatus, user: str = "alice") -> list[str]:
    after = store.with_event(FLEET, changed(11, user, status))
    return list(plain.changes(FLEET.view, after.view))


def test_at_first_it_says_how_big_the_fleet_is_what_is_broken_and_what_runs() -> None:
    lines = list(plain.opening(FLEET.view))
    assert lines[0] == "Box demo: 4 slots, 23 services, 2 faults."
    assert any(line.startswith("Needs attention: thabet hero_voice is crashed, exit 101") for line in lines)
    assert any(line.startswith("integration runs hero_db development ") for line in lines)


def test_a_crash_is_said_with_its_reason_and_its_last_words() -> None:
    status = cell("hero_db", health="crashed", reason="signal 9", last_log="out of memory", since=NOW)
    assert said(status) == ["alice hero_db is crashed, signal 9, it said: out of memory."]


def test_another_branch_is_said_with_its_version() -> None:
    [line] = said(cell("hero_db", branch="development_mik", hash="a1b2c3d4" * 5))
    assert line == "alice hero_db is healthy, development_mik a1b2c3d4."


@pytest.mark.parametrize("fields", [{"pid": 1}, {"restarts": 4}, {"installed_at": NOW}])
def test_what_nobody_needs_to_hear_is_not_said(fields: dict[str, object]) -> None:
    assert said(cell("hero_db", **fields)) == []


def test_progress_is_not_said() -> None:
    after = store.with_event(FLEET, progress("mik", operation(phase="download", done=1, total=9)))
    assert list(plain.changes(FLEET.view, after.view)) == []


def test_a_slot_that_goes_away_is_said_once() -> None:
    fleet = snapshot(seq=20)
    slots = tuple(one.model_copy(update={"stale": one.slot == "mik"}) for one in fleet.slots)
    after = store.with_snapshot(FLEET, fleet.model_copy(update={"slots": slots}))
    assert list(plain.changes(FLEET.view, after.view)) == ["The slot of mik is away."]


def test_what_is_wrong_with_a_slot_itself_is_said_and_that_it_is_mended() -> None:
    def told(*problems: str) -> store.Fleet:
        fleet = snapshot(seq=20)
        slots = tuple(
            one.model_copy(update={"problems": problems}) if one.slot == "mik" else one for one in fleet.slots
        )
        return store.with_snapshot(FLEET, fleet.model_copy(update={"slots": slots}))

    one, two = told("Line 3 \x1b[31mhas no name."), told("Line 3 \x1b[31mhas no name.", "So has line 4.")
    assert "The slot of mik: Line 3 has no name." in list(plain.opening(one.view))
    assert list(plain.changes(one.view, two.view)) == ["The slot of mik: So has line 4."]
    assert list(plain.changes(two.view, FLEET.view)) == ["Nothing is wrong any more with the slot of mik itself."]


def test_a_question_says_how_to_answer_and_no_escape_gets_through() -> None:
    item = InboxItem(
        id="q-1",
        kind="question",
        sender="mik/2",
        to="alice",
        text="Which \x1b[31mport?",
        options=("1", "2"),
        asked_at=NOW,
    )
    line = plain.question(item)
    assert "mik/2 asks you: Which " in line
    assert line.endswith("Options: 1, 2. Answer: hero_dev answer q-1.")
    assert "\x1b" not in line


class Away:
    """In a LiveBox's place: a box that does not answer, for ever."""

    def __init__(self, where: Where, *, on_state: StateWatcher, **watchers: Any) -> None:
        self._on_state = on_state

    async def run(self) -> None:
        self._on_state("reconnecting", "No route → there.")
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Nothing was opened."""


async def test_it_ends_once_nobody_reads_any_more_though_there_is_nothing_to_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(plain, "LiveBox", Away)
    said: list[str] = []
    read, write = os.pipe()
    running = asyncio.create_task(plain._Plain(WHERE, said.append).run(write))
    while not said:
        await asyncio.sleep(0)
    assert not running.done()
    os.close(read)
    async with asyncio.timeout(30):
        await running
    os.close(write)


async def test_a_file_is_written_to_until_it_is_told_to_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plain, "LiveBox", Away)
    said: list[str] = []
    with (tmp_path / "log").open("w") as file:
        running = asyncio.create_task(plain._Plain(WHERE, said.append).run(file.fileno()))
        while not said:
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


def test_a_sign_that_the_locale_lacks_ends_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def run(self: Away) -> None:
        self._on_state("reconnecting", "No route → there.")

    monkeypatch.setattr(plain, "LiveBox", Away)
    monkeypatch.setattr(Away, "run", run)
    with (tmp_path / "log").open("w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert plain.run(WHERE) == 0
        monkeypatch.undo()
    assert "No route ? there." in (tmp_path / "log").read_text()
