"""The agents screen and one agent in full: what they show, and what their keys ask of slot and box."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from backends.model.agent_calls import AgentAttach, AgentSent
from backends.model.agents import Agent
from backends.model.errors import HeroError
from backends.model.method import Empty
from hero_tui import attach as attaching
from hero_tui.deep_link import Link
from screens.agent import AgentScreen
from screens.agents import AgentsScreen
from screens.widgets.agent_log import AgentLog
from screens.widgets.agent_text import AgentText
from screens.widgets.detail import DetailPane
from screens.widgets.grid import FleetGrid
from screens.widgets.linelist import LineList
from tests.hero_tui.agents import (
    agent,
    agent_changed,
    agent_removed,
    asking,
    entry,
    item,
    many_agents,
    some_agents,
    some_lines,
    waiting,
    with_agents,
)
from tests.hero_tui.fleets import NOW, Cockpit

DONE = Empty()


@asynccontextmanager
async def opened(
    agents: Sequence[Agent] | None = None, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The cockpit on its agents screen."""
    fleet = with_agents(some_agents() if agents is None else agents)
    cockpit = Cockpit(first=fleet, **options)
    async with cockpit.running(size) as pilot:
        await cockpit.press(pilot, "6")
        yield cockpit, pilot


def names(cockpit: Cockpit) -> list[str]:
    return [row.agent.name for row in cockpit.app.screen.query_one(LineList).rows]


def under_cursor(cockpit: Cockpit) -> str:
    row = cockpit.app.screen.query_one(LineList).row
    return "" if row is None else str(row.agent.name)


async def settled(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What was told of agents is painted."""
    cockpit.app.desk._agents.flush()
    await cockpit.settle(pilot)


async def read(cockpit: Cockpit, pilot: Pilot[int]) -> AgentLog:
    """The log under the cursor has been opened, and says something."""
    await cockpit.until(pilot, lambda: cockpit.line.following == 1)
    cockpit.line.said.put_nowait(some_lines())
    view = cockpit.app.screen.query_one(AgentLog)
    await cockpit.until(pilot, lambda: bool(view.entries))
    return view


# -- the list -----------------------------------------------------------------------------------------


async def test_it_shows_everybodys_agents_mine_on_top() -> None:
    async with opened() as (cockpit, _):
        assert names(cockpit)[:4] == ["alice/2", "alice/1", "alice/3", "alice/5"]
        assert "agents · 2 waiting · 1 failed · 2 working" in cockpit.text
        assert "org-key-2" in cockpit.text


async def test_a_change_is_painted_and_the_cursor_stays_on_its_agent() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j")
        assert under_cursor(cockpit) == "alice/1"
        cockpit.tell(agent_changed(11, waiting("5")), agent_changed(12, agent("2")), agent_removed(13, "mik", "2"))
        await settled(cockpit, pilot)
        assert names(cockpit)[:3] == ["alice/5", "alice/1", "alice/2"]
        assert under_cursor(cockpit) == "alice/1"
        assert "mik/2" not in names(cockpit)


async def test_only_lines_that_differ_are_painted() -> None:
    async with opened() as (cockpit, pilot):
        table = cockpit.app.screen.query_one(LineList)
        painted: list[int] = []
        render = table.render_line
        table.render_line = lambda y: (painted.append(y), render(y))[1]  # type: ignore[method-assign, func-returns-value]
        cockpit.tell(
            agent_changed(11, agent("3", turns=149, title="Rebuild the index nightly", service="hero_search"))
        )
        await settled(cockpit, pilot)
        assert set(painted) == {3}


async def test_a_burst_of_news_is_one_paint() -> None:
    async with opened(many_agents()) as (cockpit, pilot):
        screen = cockpit.app.screen
        assert isinstance(screen, AgentsScreen)
        paints: list[int] = []
        show = screen.show_agents
        screen.show_agents = lambda agents: (paints.append(len(agents)), show(agents))[1]  # type: ignore[method-assign, func-returns-value]
        cockpit.tell(*(agent_changed(20 + number, agent("3", turns=number)) for number in range(200)))
        await settled(cockpit, pilot)
        assert paints == [1]


async def test_news_of_agents_looks_at_nothing_else_of_a_screen() -> None:
    cockpit = Cockpit(first=with_agents(some_agents()))
    async with cockpit.running() as pilot:
        cockpit.line.on_event(agent_changed(11, agent(turns=9)))
        assert not cockpit.app.desk._cells._pace.wanted
        await settled(cockpit, pilot)
        assert cockpit.app.desk.fleet.agent("alice", "1") == agent(turns=9)


async def test_filters_by_words_by_need_and_by_owner() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "exclamation_mark")
        assert names(cockpit) == ["alice/2", "mik/1", "mik/2"]
        await cockpit.press(pilot, "full_stop")
        assert names(cockpit) == ["alice/2"]
        await cockpit.press(pilot, "escape", "escape", "slash", *"codec", "enter")
        assert names(cockpit) == ["alice/5", "thabet/7"]
        await cockpit.press(pilot, "escape")
        assert len(names(cockpit)) == 8


async def test_nobody_runs_an_agent() -> None:
    async with opened([]) as (cockpit, _):
        assert "Nobody runs an agent." in cockpit.text
        assert "a starts one in your slot" in cockpit.text
        assert "hero_dev claude status" in cockpit.text


async def test_a_slot_that_is_away_is_told() -> None:
    cockpit = Cockpit(first=with_agents(some_agents(), mik={"stale": True}))
    async with cockpit.running((120, 40)) as pilot:
        await cockpit.press(pilot, "6", "G", "k", "k", "k")
        assert under_cursor(cockpit) == "mik/1"
        assert "≈mik/1" in cockpit.text
        assert "its slot's daemon is away" in cockpit.text


async def test_the_log_of_the_agent_under_the_cursor_is_followed() -> None:
    async with opened() as (cockpit, pilot):
        view = await read(cockpit, pilot)
        assert cockpit.line.called("peek.agent_log") == [
            {"user": "alice", "agent": "2", "after": 0, "limit": 200, "follow": False}
        ]
        view.flush()
        await cockpit.settle(pilot)
        assert "Bash cargo test --package hero_router" in cockpit.text
        assert len(view.entries) == len(some_lines())
        cockpit.line.said.put_nowait((entry(12, "answer", "Done."),))
        await cockpit.until(pilot, lambda: "Done." in cockpit.text)


async def test_running_through_the_list_opens_one_log_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("screens.widgets.agent_pane.REST_SECONDS", 2.0)  # no machine is so slow between two keys
    async with opened() as (cockpit, pilot):
        await pilot.press(*"jjjj")
        await cockpit.until(pilot, lambda: cockpit.line.following == 1)
        followed = [one["user"] + "/" + one["agent"] for one in cockpit.line.called("peek.agent_log")]
        assert followed[-1] == "mik/1"
        assert set(followed) <= {"alice/2", "mik/1"}


async def test_a_log_that_may_not_be_read_says_why() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.until(pilot, lambda: cockpit.line.following == 1)
        cockpit.line.said.put_nowait(HeroError("denied", "mik does not let you look.", hint="Ask mik."))
        await cockpit.until(pilot, lambda: "mik does not let you look." in cockpit.text)


async def test_the_log_is_left_while_another_screen_lies_over_it() -> None:
    async with opened() as (cockpit, pilot):
        await read(cockpit, pilot)
        await cockpit.press(pilot, "7")
        await cockpit.until(pilot, lambda: cockpit.line.following == 0)


# -- what is done to one ------------------------------------------------------------------------------


async def test_stop_asks_first_and_says_stopping_until_it_has() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.stop"] = agent("2", state="gone")
        await cockpit.press(pilot, "x")
        assert "Stop alice/2?" in cockpit.text
        await cockpit.press(pilot, "enter")
        assert cockpit.line.called("agent.stop") == []
        await cockpit.press(pilot, "x", "y")
        assert cockpit.line.called("agent.stop") == [{"agent": "2"}]
        assert "↻ stopping" in cockpit.text
        cockpit.tell(agent_changed(11, agent("2", state="gone", since=NOW)))
        await settled(cockpit, pilot)
        assert "stopping" not in cockpit.text
        assert "· gone" in cockpit.text


async def test_several_are_marked_and_stopped_after_one_question() -> None:
    mine = [agent(id, title=f"task {id}") for id in "123"]
    async with opened([*mine, agent("4", slot="mik")]) as (cockpit, pilot):
        cockpit.line.answers["agent.stop"] = agent(state="gone")
        await cockpit.press(pilot, "space", "j", "space")
        assert "2 marked" in cockpit.text
        assert under_cursor(cockpit) == "mik/4"
        await cockpit.press(pilot, "x")
        assert "Stop 2 agents?" in cockpit.text
        assert "alice/1  task 1" in cockpit.text
        assert "alice/3  task 3" in cockpit.text
        await cockpit.press(pilot, "enter")
        assert cockpit.line.called("agent.stop") == []
        await cockpit.press(pilot, "x", "y")
        await cockpit.until(pilot, lambda: len(cockpit.line.called("agent.stop")) == 2)
        assert cockpit.line.called("agent.stop") == [{"agent": "1"}, {"agent": "3"}]
        assert "marked" not in cockpit.text
        await cockpit.press(pilot, "space", "escape")
        assert "marked" not in cockpit.text
        assert cockpit.screen_name == "AgentsScreen"


async def test_what_is_marked_and_cannot_be_done_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    async with opened([agent("1"), agent("2", state="gone"), agent("4", slot="mik")]) as (cockpit, pilot):
        monkeypatch.setattr(cockpit.app, "copy_to_clipboard", copied.append)
        cockpit.line.answers["agent.resume"] = agent("2")
        await cockpit.press(pilot, "space", "space", "space", "x")
        assert "Stop alice/1?" in cockpit.text
        await cockpit.press(pilot, "n", "o", *"name", "enter", "r")
        assert copied == ["alice/1\nalice/2\nmik/4"]
        assert cockpit.line.called("agent.stop") == []
        assert cockpit.line.called("agent.resume") == [{"agent": "2"}]
        assert "marked" not in cockpit.text


async def test_marks_and_order_are_there_again_after_another_screen() -> None:
    async with opened([agent("1", cost=1.0), agent("2", cost=3.0), agent("3", cost=2.0)]) as (cockpit, pilot):
        await cockpit.press(pilot, "O", "O", "O", "space")
        assert names(cockpit) == ["alice/2", "alice/3", "alice/1"]
        assert "by cost · 1 marked" in cockpit.text
        await cockpit.press(pilot, "7", "left_square_bracket")
        assert "by cost · 1 marked" in cockpit.text
        await cockpit.press(pilot, "O")
        assert names(cockpit) == ["alice/1", "alice/2", "alice/3"]


async def test_a_refusal_is_told_and_takes_the_word_back() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.stop"] = HeroError("failed", "tmux does not answer.", hint="Try again.")
        await cockpit.press(pilot, "x", "y")
        assert "tmux does not answer. Try again." in cockpit.text
        assert "stopping" not in cockpit.text


async def test_compact_interrupt_and_a_new_session() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.command"] = DONE
        await cockpit.press(pilot, "j", "c", "y", "I", "C", "y")
        assert [one["command"] for one in cockpit.line.called("agent.command")] == [
            "compact",
            "interrupt",
            "clear",
        ]


async def test_one_that_has_ended_is_resumed_and_not_stopped() -> None:
    async with opened([agent(state="gone")]) as (cockpit, pilot):
        cockpit.line.answers["agent.resume"] = agent()
        await cockpit.press(pilot, "x")
        assert cockpit.screen_name == "AgentsScreen"
        await cockpit.press(pilot, "r")
        assert cockpit.line.called("agent.resume") == [{"agent": "1"}]


@pytest.mark.parametrize("key", ["x", "c", "C", "I", "A", "r"])
async def test_a_teammates_agent_is_only_looked_at(key: str) -> None:
    async with opened([agent(slot="mik")]) as (cockpit, pilot):
        await cockpit.press(pilot, key)
        assert cockpit.screen_name == "AgentsScreen"
        assert [method for _, method, _ in cockpit.line.calls if method != "peek.agent_log"] == []


async def test_a_read_only_cockpit_changes_nothing() -> None:
    async with opened(read_only=True) as (cockpit, pilot):
        await cockpit.press(pilot, "x", "c", "a")
        assert cockpit.screen_name == "AgentsScreen"
        await cockpit.press(pilot, "enter")
        assert not cockpit.app.screen.query_one("#agent-reply-panel").display


async def test_attach_asks_the_slot_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    brought: list[AgentAttach] = []

    async def attach(app: object, where: AgentAttach) -> str:
        brought.append(where)
        return "tmux prefix, then L, comes back here"

    monkeypatch.setattr(attaching, "attach", attach)
    async with opened() as (cockpit, pilot):
        where = AgentAttach(socket="/run/user/1/tmux.sock", session="hero-agents", window="@2")
        cockpit.line.answers["agent.attach"] = where
        await cockpit.press(pilot, "A")
        assert cockpit.line.called("agent.attach") == [{"agent": "2"}]
        assert brought == [where]
        assert "tmux prefix, then L" in cockpit.text


# -- one of them in full ------------------------------------------------------------------------------


async def test_enter_shows_its_log_and_takes_a_reply() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.send"] = AgentSent(state="queued", pending=2)
        await cockpit.press(pilot, "j", "enter")
        assert cockpit.screen_name == "AgentScreen"
        assert isinstance(cockpit.app.focused, AgentText)
        await cockpit.press(pilot, *"go on: q1?", "enter")
        await cockpit.settle(pilot)
        assert cockpit.line.called("agent.send") == [{"agent": "1", "text": "go on: q1?"}]
        assert "queued for alice/1" in cockpit.text
        assert cockpit.app.screen.query_one(AgentText).text == ""


async def test_a_reply_that_is_refused_stays_in_the_line() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.send"] = HeroError("not_found", "alice/1 has gone.")
        await cockpit.press(pilot, "j", "enter", *"words", "enter")
        await cockpit.settle(pilot)
        assert cockpit.app.screen.query_one(AgentText).text == "words"


async def test_a_backslash_makes_a_new_line_and_what_is_pasted_keeps_its_lines() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.send"] = AgentSent(state="sent")
        await cockpit.press(pilot, "j", "enter", *"one", "backslash", "enter", *"two")
        field = cockpit.app.screen.query_one(AgentText)
        field.insert("\nthree\nfour")
        await cockpit.press(pilot, "enter")
        await cockpit.settle(pilot)
        assert cockpit.line.called("agent.send")[0]["text"] == "one\ntwo\nthree\nfour"


async def test_a_teammates_agent_gets_a_message() -> None:
    async with opened([agent(slot="mik")]) as (cockpit, pilot):
        cockpit.line.answers["message.send"] = item("m-9", kind="message", sender="alice", to="mik/1")
        await cockpit.press(pilot, "enter", "i", *"mind the cache", "enter")
        await cockpit.settle(pilot)
        assert cockpit.line.called("message.send") == [
            {"to": "mik/1", "text": "mind the cache", "agent": "", "user": "alice"}
        ]
        assert cockpit.line.called("agent.send") == []


async def test_a_permission_is_given_by_one_key_for_the_dialog_that_was_read() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.answer"] = DONE
        await cockpit.press(pilot, "enter")
        assert "cargo publish --token from-the-vault" in cockpit.text
        await cockpit.press(pilot, "y")
        assert cockpit.line.called("agent.answer") == [
            {"agent": "2", "waiting": "w-alice-2", "choice": "allow", "option": 0, "text": ""}
        ]
        assert "submitted" in cockpit.text
        await cockpit.press(pilot, "y")
        assert len(cockpit.line.called("agent.answer")) == 1
        cockpit.tell(agent_changed(11, agent("2", since=NOW)))
        await settled(cockpit, pilot)
        assert "submitted" not in cockpit.text


async def test_another_dialog_that_has_come_meanwhile_is_not_answered() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "enter")
        screen = cockpit.app.screen
        assert isinstance(screen, AgentScreen)
        shown = screen._dialog
        assert shown is not None
        later = shown.model_copy(update={"id": "w-later"})
        cockpit.line.on_event(agent_changed(11, waiting(waiting=later)))
        screen.action_agent("allow")
        await cockpit.settle(pilot)
        assert cockpit.line.called("agent.answer") == []
        assert "does not wait for that any more" in cockpit.text


async def test_a_no_with_words_goes_to_the_agent() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.answer"] = DONE
        await cockpit.press(pilot, "enter", "i", *"not before monday", "enter")
        await cockpit.settle(pilot)
        assert cockpit.line.called("agent.answer") == [
            {"agent": "2", "waiting": "w-alice-2", "choice": "deny", "option": 0, "text": "not before monday"}
        ]


async def test_a_question_is_answered_by_a_digit_and_enter() -> None:
    async with opened([asking()]) as (cockpit, pilot):
        cockpit.line.answers["agent.answer"] = DONE
        await cockpit.press(pilot, "enter", "2")
        assert "enter sends 2" in cockpit.text
        assert cockpit.line.called("agent.answer") == []
        await cockpit.press(pilot, "enter")
        assert cockpit.line.called("agent.answer")[0] | {"waiting": ""} == {
            "agent": "4",
            "waiting": "",
            "choice": "option",
            "option": 2,
            "text": "",
        }


async def test_a_digit_without_such_an_option_is_a_screen() -> None:
    async with opened([asking()]) as (cockpit, pilot):
        await cockpit.press(pilot, "enter", "3", "escape")
        assert cockpit.screen_name == "AgentScreen"
        await cockpit.press(pilot, "7")
        assert cockpit.screen_name == "InboxScreen"


async def test_the_slot_says_that_the_dialog_is_over() -> None:
    async with opened() as (cockpit, pilot):
        cockpit.line.answers["agent.answer"] = HeroError("conflict", "That dialog is not open any more.")
        await cockpit.press(pilot, "enter", "n")
        await cockpit.settle(pilot)
        assert "That dialog is not open any more." in cockpit.text
        assert "submitted" not in cockpit.text


async def test_esc_leaves_the_line_and_then_the_screen() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j", "enter", *"half", "escape")
        assert cockpit.screen_name == "AgentScreen"
        assert not isinstance(cockpit.app.focused, AgentText)
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "AgentsScreen"


async def test_what_agents_say_does_nothing_to_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\u202eevil [red]markup[/]"
    bad = agent(title=evil, last_line=evil, branch=evil, detail=evil, credential="x" + evil, issue=evil)
    async with opened([bad]) as (cockpit, pilot):
        await cockpit.until(pilot, lambda: cockpit.line.following == 1)
        cockpit.line.said.put_nowait((entry(1, "answer", evil), entry(2, "tool", evil, evil)))
        await cockpit.until(pilot, lambda: "evil" in cockpit.text)
        assert "\x1b" not in cockpit.text
        assert "\u202e" not in cockpit.text
        assert "[red]markup[/]" in cockpit.text


async def test_the_header_says_where_it_is_in_its_loop_and_what_waits_for_it() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "j", "j")
        facts = {fact.label: "".join(text for text, _ in fact.parts) for fact in _view(cockpit).view.facts}
        assert facts["loop"] == "iteration 2 of 10  running"
        assert "88% of its context" in facts["used"]
        assert "2 messages for its next turn" in facts["state"]


def _view(cockpit: Cockpit) -> DetailPane:
    return cockpit.app.screen.query_one(DetailPane)


# -- the fleet ----------------------------------------------------------------------------------------


async def test_the_fleet_says_whose_credential_it_is_and_how_it_fares() -> None:
    fleet = with_agents(
        some_agents(),
        alice={"credential": "org-key-2", "credential_state": "cooling"},
        thabet={"credential": "personal", "credential_state": "expiring"},
    )
    cockpit = Cockpit(first=fleet)
    async with cockpit.running():
        assert "org-key-2❅ ?4" in cockpit.text
        assert "personal◷  ◌1" in cockpit.text


async def test_a_slots_sign_changes_and_nothing_else_is_painted() -> None:
    cockpit = Cockpit(first=with_agents([agent(), agent("2")]))
    async with cockpit.running() as pilot:
        assert "●2" in cockpit.text
        grid = cockpit.app.screen.query_one(FleetGrid)
        boxes: list[object] = []
        grid.refresh = lambda *regions, **_: boxes.extend(regions or ("whole",))  # type: ignore[method-assign, assignment]
        cockpit.tell(agent_changed(11, waiting("2")))
        cockpit.app.desk._agents.flush()
        assert len(boxes) == 1
        assert boxes != ["whole"]
        await cockpit.settle(pilot)


async def test_the_first_agent_of_all_makes_room_for_its_sign() -> None:
    cockpit = Cockpit(first=with_agents([]))
    async with cockpit.running() as pilot:
        cockpit.tell(agent_changed(11, agent()))
        await settled(cockpit, pilot)
        assert "●1" in cockpit.text
        cockpit.tell(agent_changed(12, agent(state="gone", since=NOW + timedelta(seconds=1))))
        await settled(cockpit, pilot)
        assert "●1" not in cockpit.text


async def test_attach_in_the_fleet_chooses_among_several() -> None:
    cockpit = Cockpit(first=with_agents([agent(), agent("2")]))
    async with cockpit.running() as pilot:
        cockpit.line.answers["agent.attach"] = HeroError("failed", "tmux has gone.")
        await cockpit.press(pilot, "A")
        assert cockpit.screen_name == "ChooseDialog"
        await cockpit.press(pilot, "down", "enter")
        await cockpit.settle(pilot)
        assert cockpit.line.called("agent.attach") == [{"agent": "2"}]


async def test_tell_by_command() -> None:
    cockpit = Cockpit(first=with_agents([agent(slot="mik")]))
    async with cockpit.running() as pilot:
        cockpit.line.answers["message.send"] = item("m-9", kind="message")
        await cockpit.press(pilot, "colon", *"tell mik/1 mind the cache", "enter")
        await cockpit.settle(pilot)
        assert cockpit.line.called("message.send")[0]["text"] == "mind the cache"


@pytest.mark.parametrize(
    ("name", "screen"), [("agents", "AgentsScreen"), ("inbox", "InboxScreen"), ("releases", "ReleasesScreen")]
)
async def test_the_cockpit_begins_there_if_it_is_told_to(name: str, screen: str) -> None:
    cockpit = Cockpit(link=Link(name))
    async with cockpit.running() as pilot:
        await cockpit.settle(pilot)
        assert cockpit.screen_name == screen
