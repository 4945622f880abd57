"""The store comes to the box's own state, whatever order its events arrive in."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.box.fleet import Fleet as BoxFleet
from backends.box.fleet import Person
from backends.model.box_calls import ReportParams
from backends.model.state import Event, FleetSnapshot, ServiceStatus, SlotStatus
from hero_tui import store
from hero_tui.store import Fleet, changes_between, services_of, with_event, with_snapshot
from screens.fleet_view import Busy
from tests.hero_tui.fleets import NOW, cell, changed, operation, progress, snapshot

USERS = ("alice", "mik")
NAMES = ("hero_db", "hero_router", "hero_books")


def known() -> Fleet:
    return with_snapshot(Fleet(), snapshot())


def test_a_snapshot_is_shown_whole() -> None:
    view = known().view
    assert view.known
    assert view.users() == ["integration", "alice", "mik", "thabet"]
    status = view.cell("thabet", "hero_voice")
    assert status is not None
    assert status.health == "crashed"


def test_an_event_changes_its_cell_alone() -> None:
    before = known()
    after = with_event(before, changed(11, "mik", cell("hero_db", health="crashed")))
    assert changes_between(before.view, after.view).cells == {("mik", "hero_db")}
    assert not changes_between(before.view, after.view).shape
    assert after.view.slots["alice"] is before.view.slots["alice"]


def test_an_event_that_the_snapshot_holds_already_changes_nothing() -> None:
    before = known()
    assert with_event(before, changed(10, "mik", cell("hero_db", health="crashed"))) is before


def test_a_late_snapshot_does_not_undo_newer_events() -> None:
    fleet = with_event(known(), changed(12, "mik", cell("hero_db", health="crashed")))
    status = with_snapshot(fleet, snapshot(seq=11)).view.cell("mik", "hero_db")
    assert status is not None
    assert status.health == "crashed"


def test_a_box_that_has_just_started_does_not_empty_the_fleet() -> None:
    empty = snapshot(seq=20).model_copy(
        update={
            "slots": tuple(
                one.model_copy(update={"services": (), "online": False, "stale": True}) for one in snapshot().slots
            )
        }
    )
    fleet = with_snapshot(known(), empty)
    assert fleet.view.cell("mik", "hero_db") is not None
    assert fleet.view.slots["mik"].head.stale
    online = snapshot().slots[2].model_copy(update={"services": ()})
    told = Event(
        seq=21,
        time=NOW,
        box="demo",
        slot="mik",
        kind="slot.online",
        data=online.model_dump(mode="json", exclude={"services", "operations"}),
    )
    fleet = with_event(with_event(fleet, told), changed(22, "mik", cell("hero_mail")))
    assert list(fleet.view.slots["mik"].cells) == ["hero_mail"]


def test_data_of_another_version_is_passed_over() -> None:
    before = known()
    event = changed(11, "mik", cell("hero_db"))
    odd = event.model_copy(update={"data": {**event.data, "colour": "green"}})
    assert with_event(before, odd) is before


def test_an_operation_makes_its_cell_busy_until_it_ends() -> None:
    fleet = with_event(known(), progress("alice", operation(phase="download", done=1, total=4)))
    assert fleet.view.busy["alice", "hero_router"] == Busy("download", 0.25)
    ended = with_event(fleet, progress("alice", operation(state="succeeded")))
    assert ("alice", "hero_router") not in ended.view.busy
    late = with_event(ended, progress("alice", operation(phase="swap")))
    assert ("alice", "hero_router") not in late.view.busy


def test_an_operation_on_several_services_names_them_in_its_title() -> None:
    slot = known().view.slots["alice"]
    both = operation(kind="restart", service="", title="restart hero_db hero_books")
    assert services_of(both, slot) == ["hero_db", "hero_books"]
    assert services_of(operation(kind="start", service="", title="start"), slot) == list(slot.cells)
    assert services_of(operation(kind="sync", service="", title="sync"), slot) == []


def test_a_mark_shows_at_once_and_yields_to_what_the_slot_tells() -> None:
    marks = {("alice", "hero_router"): "switching"}
    fleet = store.with_mark(known(), marks)
    assert fleet.view.busy["alice", "hero_router"] == Busy("switching")
    fleet = with_event(fleet, progress("alice", operation(phase="swap")))
    assert fleet.view.busy["alice", "hero_router"] == Busy("swap")
    fleet = with_event(fleet, progress("alice", operation(state="failed")))
    assert not store.without_mark(fleet, marks).view.busy


def test_without_a_line_to_the_box_nothing_is_said_to_run() -> None:
    fleet = with_event(known(), progress("alice", operation()))
    assert not store.with_connection(fleet, "reconnecting", "gone").view.busy


# -- any order ------------------------------------------------------------------------------------

STATUS = st.builds(
    lambda name, health, branch: cell(name, health=health, branch=branch),
    st.sampled_from(NAMES),
    st.sampled_from(("healthy", "crashed", "stopped")),
    st.sampled_from(("development", "development_mik")),
)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], FleetSnapshot]:
    """What a real box tells of a random life, and its snapshot at the end."""
    box = BoxFleet("demo")
    events = box.expect({user: Person(user, "developer") for user in USERS}, NOW)
    for step in range(draw(st.integers(0, 12))):
        user, now = draw(st.sampled_from(USERS)), NOW + timedelta(seconds=step)
        what = draw(st.sampled_from(("whole", "cells", "removed", "away", "gone", "back")))
        if what == "away":
            events += box.disconnected(user, now)
        elif what in ("gone", "back"):
            there = {one: Person(one, "developer") for one in USERS if one != user or what == "back"}
            events += box.expect(there, now)
        else:
            cells = tuple({one.service: one for one in draw(st.lists(STATUS, max_size=3))}.values())
            events += box.apply(_report(user, what, cells), now).kept
    numbered = [event.model_copy(update={"seq": number}) for number, event in enumerate(events, 1)]
    last = FleetSnapshot(box="demo", seq=len(numbered), trunk="development", slots=box.slots(), time=NOW)
    return numbered, last


def _report(user: str, what: str, cells: tuple[ServiceStatus, ...]) -> ReportParams:
    if what == "whole":
        status = SlotStatus(box="demo", slot=user, services=cells, seen_at=NOW)
        return ReportParams(slot=user, status=status)
    if what == "removed":
        return ReportParams(slot=user, removed=tuple(one.service for one in cells))
    return ReportParams(slot=user, cells=cells)


def _state(fleet: Fleet) -> dict[str, object]:
    """What matters of each slot, without the time at which it was last heard of."""
    return {
        user: (slot.head.model_copy(update={"seen_at": NOW}), dict(slot.cells))
        for user, slot in fleet.view.slots.items()
    }


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_any_order_of_events_comes_to_the_snapshot_at_the_end(
    history: tuple[list[Event], FleetSnapshot], rng: random.Random
) -> None:
    events, last = history
    shuffled = [*events, *rng.sample(events, k=len(events) // 2)]
    rng.shuffle(shuffled)
    start = with_snapshot(Fleet(), FleetSnapshot(box="demo", seq=0, trunk="development", time=NOW))
    fleet = start
    for event in shuffled:
        fleet = with_event(fleet, event)
    assert _state(fleet) == _state(with_snapshot(start, last))


@settings(max_examples=100, deadline=None)
@given(histories(), st.data())
def test_a_snapshot_in_the_middle_changes_nothing(
    history: tuple[list[Event], FleetSnapshot], data: st.DataObject
) -> None:
    events, last = history
    fleet = with_snapshot(Fleet(), FleetSnapshot(box="demo", seq=0, trunk="development", time=NOW))
    place = data.draw(st.integers(0, len(events)))
    for event in events[:place]:
        fleet = with_event(fleet, event)
    fleet = with_snapshot(fleet, last)
    for event in events[place:]:
        fleet = with_event(fleet, event)
    untold = {one.slot for one in last.slots if one.stale and not one.services}
    shown, wanted = _state(fleet), _state(with_snapshot(Fleet(), last))
    assert shown.keys() == wanted.keys()
    assert all(shown[user] == wanted[user] for user in wanted if user not in untold)
