"""The store's agents: what the newest news says, whoever tells it first, and never in another slot's name."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from backends.model.state import Event
from hero_tui.store import Fleet, changes_between, with_event, with_snapshot
from hero_tui.store_agents import agents_between
from tests.hero_tui.agents import agent, agent_changed, agent_removed, some_agents, with_agents
from tests.hero_tui.fleets import NOW, snapshot


def known() -> Fleet:
    return with_snapshot(Fleet(), with_agents(some_agents()))


def test_a_snapshot_has_the_agents_of_all_slots() -> None:
    slots = known().view.slots
    assert sorted(slots["alice"].agents) == ["1", "2", "3", "5"]
    assert slots["integration"].agents == {}
    assert slots["alice"].head.agents == ()


def test_an_event_changes_its_agent_alone_and_no_cell() -> None:
    before = known()
    after = with_event(before, agent_changed(11, agent(state="idle")))
    assert after.view.agent("alice", "1") == agent(state="idle")
    assert agents_between(before.view, after.view) == {("alice", "1")}
    changes = changes_between(before.view, after.view)
    assert not changes.shape
    assert not changes.cells


def test_an_agent_that_is_removed_is_gone() -> None:
    after = with_event(known(), agent_removed(11, "mik", "2"))
    assert after.view.agent("mik", "2") is None
    assert with_event(after, agent_removed(10, "mik", "1")) is after


def test_an_event_in_another_slots_name_changes_nothing() -> None:
    before = known()
    forged = agent_changed(11, agent(state="idle")).model_copy(update={"slot": "mik"})
    assert with_event(before, forged) is before
    other = agent_changed(11, agent("9")).model_copy(update={"subject": "1"})
    assert with_event(before, other) is before


def test_a_snapshot_that_has_another_slots_agents_does_not_show_them() -> None:
    forged = with_agents([]).slots[1].model_copy(update={"agents": (agent(slot="mik"),)})
    fleet = with_agents([]).model_copy(update={"slots": (forged,)})
    assert with_snapshot(Fleet(), fleet).view.slots[forged.slot].agents == {}


def test_a_late_snapshot_does_not_undo_newer_events() -> None:
    fleet = with_event(
        with_event(known(), agent_changed(14, agent(state="idle"))), agent_removed(15, "alice", "2")
    )
    late = with_agents(some_agents()).model_copy(update={"seq": 13})
    view = with_snapshot(fleet, late).view
    assert view.agent("alice", "1") == agent(state="idle")
    assert view.agent("alice", "2") is None
    newer = with_agents(some_agents()).model_copy(update={"seq": 16})
    assert with_snapshot(fleet, newer).view.agent("alice", "2") is not None


def test_news_of_a_slots_head_keeps_its_agents() -> None:
    head = snapshot().slots[0].model_copy(update={"services": (), "credential": "personal"})
    told = Event(
        seq=12, time=NOW, box="demo", slot=head.slot, kind="slot.changed", data=head.model_dump(mode="json")
    )
    after = with_event(known(), told)
    assert after.view.slots[head.slot].head.credential == "personal"
    assert after.view.slots[head.slot].agents == known().view.slots[head.slot].agents


def test_a_box_that_has_just_started_does_not_take_the_agents_away() -> None:
    empty = tuple(
        one.model_copy(update={"services": (), "online": False, "stale": True}) for one in snapshot().slots
    )
    fleet = with_snapshot(known(), snapshot(seq=20).model_copy(update={"slots": empty}))
    assert fleet.view.agent("alice", "1") is not None
    fleet = with_event(fleet, agent_changed(21, agent("2")))
    head = snapshot().slots[0].model_copy(update={"services": ()})
    online = Event(
        seq=22, time=NOW, box="demo", slot="alice", kind="slot.online", data=head.model_dump(mode="json")
    )
    assert list(with_event(fleet, online).view.slots["alice"].agents) == ["2"]


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(6)))
def test_whatever_the_order_of_events_the_newest_of_each_agent_counts(order: list[int]) -> None:
    events = [
        agent_changed(11, agent("1", turns=1)),
        agent_changed(12, agent("2", turns=2)),
        agent_changed(13, agent("1", turns=3)),
        agent_removed(14, "alice", "2"),
        agent_changed(15, agent("3", turns=5)),
        agent_changed(16, agent("1", turns=6)),
    ]
    fleet = with_snapshot(Fleet(), with_agents([]))
    for place in order:
        fleet = with_event(fleet, events[place])
    turns = {id: one.turns for id, one in fleet.view.slots["alice"].agents.items()}
    assert turns == {"1": 6, "3": 5}
