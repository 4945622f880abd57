"""The form of a new agent: what it sends, what it refuses, what it keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.pilot import Pilot

from backends.model.agent_calls import AgentStarted
from backends.model.errors import HeroError
from screens.widgets.agent_text import AgentText
from screens.widgets.linelist import LineList
from tests.hero_tui.agents import agent, agent_changed, claude_status, with_agents
from tests.hero_tui.fleets import Cockpit


@asynccontextmanager
async def opened(*keys: str, **answers: Any) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    """The form, opened in the fleet after `keys`."""
    cockpit = Cockpit(first=with_agents([agent()]))
    async with cockpit.running() as pilot:
        known = {"claude.status": claude_status(), "agent.start": AgentStarted(agent=agent("2", state="starting"))}
        cockpit.line.answers |= known | answers
        await cockpit.press(pilot, *keys, "a")
        yield cockpit, pilot


async def test_a_prompt_and_enter_start_an_agent_on_the_service_under_the_cursor() -> None:
    async with opened("right") as (cockpit, pilot):
        await cockpit.press(pilot, *"Mend it: quickly", "enter")
        await cockpit.settle(pilot)
        (sent,) = cockpit.line.called("agent.start")
        assert (sent["prompt"], sent["service"], sent["branch"], sent["effort"]) == (
            "Mend it: quickly",
            "hero_router",
            "development",
            "medium",
        )
        assert cockpit.screen_name == "AgentsScreen"


async def test_the_cursor_goes_to_the_agent_once_it_is_told() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, *"go", "enter")
        await cockpit.settle(pilot)
        cockpit.tell(agent_changed(11, agent("2", state="starting")))
        cockpit.app.desk._agents.flush()
        await cockpit.settle(pilot)
        row = cockpit.app.screen.query_one(LineList).row
        assert row is not None
        assert row.agent.name == "alice/2"


async def test_it_says_on_which_credential_and_why() -> None:
    async with opened() as (cockpit, _):
        assert "runs on org-key-2 · Has an admin assigned an org key? yes, two" in cockpit.text


async def test_without_a_credential_nothing_is_started() -> None:
    async with opened(**{"claude.status": claude_status("none")}) as (cockpit, pilot):
        assert "Run `claude login` or ask an admin" in cockpit.text
        await cockpit.press(pilot, *"go", "enter")
        assert cockpit.line.called("agent.start") == []
        assert "It would run on nothing" in cockpit.text


async def test_a_slot_that_cannot_tell_is_left_to_refuse_the_start() -> None:
    async with opened(**{"claude.status": HeroError("unreachable", "The broker is down.")}) as (cockpit, pilot):
        assert "The broker is down." in cockpit.text
        await cockpit.press(pilot, *"go", "enter")
        await cockpit.settle(pilot)
        assert len(cockpit.line.called("agent.start")) == 1


async def test_effort_mode_model_loop_and_until() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, *"go")
        await cockpit.press(pilot, "tab", "tab", "tab", "5", "tab", "right", "right", "tab", *"opus", "tab", "tab")
        await cockpit.press(pilot, *"12", "tab", *"cargo test", "enter")
        await cockpit.settle(pilot)
        (sent,) = cockpit.line.called("agent.start")
        assert (sent["effort"], sent["mode"], sent["model"]) == ("max", "plan", "opus")
        assert (sent["loop"], sent["until"]) == (12, "cargo test")


async def test_a_mistake_is_told_at_its_field_and_nothing_is_sent() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, *"go", *["tab"] * 7, *"many", "enter")
        assert "The loop is a number of runs" in cockpit.text
        assert cockpit.app.focused is not None
        assert cockpit.app.focused.id == "form-loop"
        assert cockpit.line.called("agent.start") == []


async def test_the_branch_follows_the_service_until_another_is_typed() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, "tab", "3")
        assert "development_alice" in cockpit.text
        await cockpit.press(pilot, "tab", *"_2", "shift+tab", "1")
        assert "development_alice_2" in cockpit.text


async def test_a_start_that_fails_leaves_all_as_it_was() -> None:
    refused = HeroError("failed", "There is no `claude` here.", hint="npm install -g …")
    async with opened(**{"agent.start": refused}) as (cockpit, pilot):
        await cockpit.press(pilot, *"long thought", "enter")
        await cockpit.settle(pilot)
        assert cockpit.screen_name == "AgentForm"
        assert "There is no `claude` here. npm install" in cockpit.text
        assert cockpit.app.screen.query_one(AgentText).text == "long thought"


async def test_esc_keeps_the_prompt_for_the_next_time() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, *"half a thought", "escape")
        assert cockpit.screen_name == "FleetScreen"
        await cockpit.press(pilot, "a")
        assert cockpit.app.screen.query_one(AgentText).text == "half a thought"
        await cockpit.press(pilot, "enter")
        await cockpit.settle(pilot)
        await cockpit.press(pilot, "a")
        assert cockpit.app.screen.query_one(AgentText).text == ""


async def test_a_neighbour_in_the_worktree_is_warned_of() -> None:
    cockpit = Cockpit(first=with_agents([agent(service="hero_db", branch="development")]))
    async with cockpit.running() as pilot:
        cockpit.line.answers["claude.status"] = claude_status()
        await cockpit.press(pilot, "a")
        assert "alice/1 works in that worktree already." in cockpit.text


async def test_enter_twice_starts_one_agent() -> None:
    async with opened() as (cockpit, pilot):
        await cockpit.press(pilot, *"go")
        await pilot.press("enter", "enter")
        await cockpit.settle(pilot)
        assert len(cockpit.line.called("agent.start")) == 1


async def test_what_the_agent_start_warns_of_is_told() -> None:
    started = AgentStarted(agent=agent("2"), warnings=("Another agent works in this worktree.",))
    async with opened(**{"agent.start": started}) as (cockpit, pilot):
        await cockpit.press(pilot, *"go", "enter")
        await cockpit.settle(pilot)
        assert "Another agent works in this worktree." in cockpit.text
