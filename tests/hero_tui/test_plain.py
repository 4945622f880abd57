"""The fleet as sentences: what is said at first, what of each change, and nothing twice."""

from __future__ import annotations

import pytest

from backends.model.inbox import InboxItem
from backends.model.state import ServiceStatus
from hero_tui import plain, store
from tests.hero_tui.fleets import NOW, cell, changed, operation, progress, snapshot

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
