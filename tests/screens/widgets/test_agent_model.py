"""Which agents are shown, in which order, and what is said of one in a word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from screens.widgets.agent_model import (
    AgentFilters,
    AgentRow,
    filtered,
    iteration_text,
    money,
    ordered,
    short_model,
    task,
)
from tests.hero_tui.agents import agent, some_agents, waiting
from tests.hero_tui.fleets import NOW

ROWS = [AgentRow(one) for one in some_agents()]


def names(rows: list[AgentRow]) -> list[str]:
    return [row.agent.name for row in rows]


def test_mine_are_on_top_and_of_each_those_first_that_need_a_person() -> None:
    assert names(ordered(ROWS, "alice")) == [
        "alice/2",
        "alice/1",
        "alice/3",
        "alice/5",
        "mik/1",
        "mik/2",
        "thabet/7",
        "thabet/6",
    ]
    assert names(ordered(ROWS, "thabet"))[:2] == ["thabet/7", "thabet/6"]


def test_what_works_and_what_has_done_stay_in_their_places() -> None:
    busy = [AgentRow(agent("1")), AgentRow(agent("2", state="idle"))]
    idle = [AgentRow(agent("1", state="idle")), AgentRow(agent("2"))]
    assert names(ordered(busy, "alice")) == names(ordered(idle, "alice"))


def test_numbers_are_ordered_as_numbers() -> None:
    rows = [AgentRow(agent(id)) for id in ("10", "9", "1")]
    assert names(ordered(rows, "")) == ["alice/1", "alice/9", "alice/10"]


def test_others_orders_leave_whose_it_is_aside() -> None:
    rows = [
        AgentRow(agent("1", slot=slot, cost=cost, since=NOW - timedelta(minutes=minutes)))
        for slot, cost, minutes in (("mik", 2.0, 1), ("alice", 1.0, 3), ("thabet", 3.0, 2))
    ]
    assert names(ordered(rows, "mik", "name")) == ["alice/1", "mik/1", "thabet/1"]
    assert names(ordered(rows, "mik", "cost")) == ["thabet/1", "mik/1", "alice/1"]
    assert names(ordered(rows, "mik", "longest")) == ["alice/1", "thabet/1", "mik/1"]


def test_a_filter_keeps_what_has_all_its_words_and_an_inverse_one_what_has_none() -> None:
    assert names(filtered(ROWS, AgentFilters("canary org-key-2"))) == ["alice/1"]
    assert "alice/1" not in names(filtered(ROWS, AgentFilters("!canary")))
    assert names(filtered(ROWS, AgentFilters("limit"))) == ["mik/2"]


def test_only_those_that_wait_or_failed() -> None:
    assert names(filtered(ROWS, AgentFilters(only_attention=True))) == ["alice/2", "mik/1", "mik/2"]
    assert names(filtered(ROWS, AgentFilters(only_attention=True, only_slot="alice"))) == ["alice/2"]


@pytest.mark.parametrize(
    ("dollars", "text"),
    [(0, ""), (0.004, "$0.00"), (0.42, "$0.42"), (12.75, "$12.8"), (120, "$120"), (1234, "$1.2k")],
)
def test_money_takes_six_cells_at_most(dollars: float, text: str) -> None:
    assert money(dollars) == text
    assert len(money(dollars * 1e6)) <= 6 or dollars == 0


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("claude-opus-5-5", "opus-5-5"),
        ("claude-haiku-5-5-20261101", "haiku-5-5"),
        ("opus", "opus"),
        ("", ""),
        ("20261101", "20261101"),
    ],
)
def test_a_model_is_named_without_what_all_share(name: str, short: str) -> None:
    assert short_model(name) == short


def test_an_agent_without_a_title_is_told_by_its_last_line() -> None:
    assert task(agent(title="")) == "Three tests are red; I look at the weights first."
    assert task(agent(title="", last_line="")) == "has no task yet"


def test_a_loop_says_how_far_it_is() -> None:
    assert iteration_text(some_agents()[2]) == "iteration 2 of 10"
    assert iteration_text(waiting()) == ""
