"""Events that are taken together tell what they would have told one by one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.state import Event, FleetSnapshot, ServiceStatus
from hero_tui.store import Fleet, changes_between, with_event, with_snapshot
from hero_tui.store_agents import agents_between
from hero_tui.store_batch import AT_ONCE, Untold
from tests.hero_tui.agents import agent, agent_changed, agent_removed, some_agents, with_agents
from tests.hero_tui.fleets import NOW, cell, changed, operation, progress, snapshot
from tests.hero_tui.test_store import histories


def known() -> Fleet:
    return with_snapshot(Fleet(), with_agents(some_agents()))


def together(fleet: Fleet, events: list[Event], every: int = 1_000_000) -> Fleet:
    """As the cockpit takes them: those whose place matters at once, the others when there are many."""
    untold = Untold()
    for number, event in enumerate(events, 1):
        if not untold.take(event):
            fleet = with_event(untold.told(fleet), event)
        elif number % every == 0:
            fleet = untold.told(fleet)
    return untold.told(fleet)


def one_by_one(fleet: Fleet, events: list[Event]) -> Fleet:
    for event in events:
        fleet = with_event(fleet, event)
    return fleet


def odd(event: Event) -> Event:
    """The same of a version that nobody knows."""
    return event.model_copy(update={"data": {**event.data, "colour": "green"}})


def removed(seq: int, user: str, service: str) -> Event:
    return Event(seq=seq, time=NOW, box="demo", slot=user, kind="service.removed", subject=service)


EVENTS = (
    changed(11, "mik", cell("hero_db", health="crashed")),
    changed(12, "mik", cell("hero_db", health="stopped")),
    odd(changed(13, "mik", cell("hero_db", health="unhealthy"))),
    changed(14, "alice", cell("hero_router", operation=operation())),
    changed(15, "zoe", cell("hero_router")),
    removed(16, "mik", "hero_router"),
    changed(17, "mik", cell("hero_mail")),
    changed(9, "thabet", cell("hero_db", health="crashed")),
    agent_changed(18, agent("1", state="idle")),
    agent_changed(19, agent("1", turns=9)),
    agent_changed(20, agent("7")).model_copy(update={"subject": "1"}),
    agent_removed(21, "alice", "2"),
    progress("alice", operation(phase="swap")),
    progress("alice", operation(state="succeeded")),
    Event(seq=22, time=NOW, box="demo", slot="thabet", kind="slot.removed"),
    changed(23, "thabet", cell("hero_db")),
)


@settings(max_examples=150, deadline=None)
@given(st.permutations(EVENTS), st.integers(1, 20))
def test_taken_together_they_tell_what_they_tell_one_by_one(events: list[Event], every: int) -> None:
    assert together(known(), events, every) == one_by_one(known(), events)


@settings(max_examples=100, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.integers(1, 20))
def test_so_do_those_of_a_whole_life(
    history: tuple[list[Event], FleetSnapshot], rng: random.Random, every: int
) -> None:
    events = [*history[0], *rng.sample(history[0], k=len(history[0]) // 2)]
    rng.shuffle(events)
    start = with_snapshot(Fleet(), FleetSnapshot(box="demo", seq=0, trunk="development", time=NOW))
    assert together(start, events, every) == one_by_one(start, events)


def test_of_a_thousand_states_of_a_cell_the_newest_is_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    validate = ServiceStatus.model_validate

    def note(data: object) -> ServiceStatus:
        read.append(data)
        return validate(data)

    before = known()
    events = [changed(number, "mik", cell("hero_db", restarts=number)) for number in range(11, 1011)]
    monkeypatch.setattr(ServiceStatus, "model_validate", note)
    fleet = together(before, events)
    assert len(read) == 1
    status = fleet.view.cell("mik", "hero_db")
    assert status is not None
    assert status.restarts == 1010


def test_only_what_differs_is_another_object() -> None:
    before = known()
    after = together(before, list(EVENTS[:2]))
    assert changes_between(before.view, after.view).cells == {("mik", "hero_db")}
    assert after.view.slots["alice"] is before.view.slots["alice"]
    assert together(before, [changed(10, "mik", cell("hero_db", health="crashed"))]) is before
    idle = together(before, [agent_changed(18, agent("1", state="idle"))])
    assert agents_between(before.view, idle.view) == {("alice", "1")}
    assert idle.view.slots["mik"] is before.view.slots["mik"]


def test_what_is_broken_is_known_without_looking_at_every_cell() -> None:
    fleet = with_snapshot(Fleet(), snapshot())
    assert [one.service for one in fleet.view.slots["thabet"].faulty] == ["hero_voice"]
    faulty = fleet.view.slots["thabet"].faulty
    well = together(fleet, [changed(11, "thabet", cell("hero_db", restarts=1))])
    assert well.view.slots["thabet"].faulty is faulty
    worse = together(well, [changed(12, "thabet", cell("hero_db", health="crashed"))])
    assert {one.service for one in worse.view.slots["thabet"].faulty} == {"hero_voice", "hero_db"}
    mended = together(worse, [changed(13, "thabet", cell("hero_voice")), removed(14, "thabet", "hero_db")])
    assert mended.view.slots["thabet"].faulty == ()


def test_there_are_never_very_many_that_nobody_has_looked_at() -> None:
    untold = Untold()
    for number in range(AT_ONCE):
        assert not untold.many
        assert untold.take(changed(11 + number, "mik", cell("hero_db", restarts=number)))
    assert untold.many
    assert not untold.take(progress("alice", operation()))
