"""Pictures of agents, form and inbox in three sizes: at work, waiting, failed, many, empty; and in colour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model.agents import Agent
from backends.model.inbox_calls import InboxResult
from hero_tui.settings import Settings
from screens.widgets.agent_log import AgentLog
from screens.widgets.linelist import LineList
from tests.hero_tui.agents import (
    asking,
    claude_status,
    many_agents,
    some_agents,
    some_approvals,
    some_items,
    some_lines,
    with_agents,
)
from tests.hero_tui.fleets import Cockpit

SIZES = [(80, 24), (120, 40), (200, 50)]
HEADS = {
    "alice": {"credential": "org-key-2", "credential_state": "cooling"},
    "mik": {"credential": "org-key-1"},
    "thabet": {"credential": "personal", "credential_state": "expiring"},
}
Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]


@pytest.fixture(autouse=True)
def _says_nothing_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log that is read by no pose does not say so after a while, however slow the machine."""
    monkeypatch.setattr("screens.widgets.agent_pane._PATIENCE_SECONDS", 3600.0)


def cockpit_of(agents: Sequence[Agent] | None = None, theme: str = "hero-dark") -> Cockpit:
    fleet = with_agents(some_agents() if agents is None else agents, **HEADS)
    return Cockpit(first=fleet, settings=Settings(theme=theme))


async def filled(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """With an inbox, and without what is told of it."""
    cockpit.line.answers |= {
        "question.list": InboxResult(items=tuple(some_items())),
        "claude.status": claude_status(),
    }
    cockpit.app.desk.refresh_inbox()
    await cockpit.settle(pilot)
    cockpit.app.clear_notifications()
    await cockpit.settle(pilot)


async def read(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The log that is open says something."""
    await cockpit.until(pilot, lambda: cockpit.line.following == 1)
    cockpit.line.said.put_nowait(some_lines())
    view = cockpit.app.screen.query_one(AgentLog)
    await cockpit.until(pilot, lambda: bool(view.entries))
    view.flush()
    await cockpit.settle(pilot)


async def agents(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One in a loop."""
    await cockpit.press(pilot, "6", "j", "j")
    await read(cockpit, pilot)


async def failed(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A teammate's, whose key rests."""
    await cockpit.press(pilot, "6", *"jjjjj")
    await read(cockpit, pilot)


async def filtered(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Those that need a person, and a filter that is being typed."""
    await cockpit.press(pilot, "6", "exclamation_mark", "slash", *"mik")


async def cut_off(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The box is away, the details are hidden."""
    await cockpit.press(pilot, "6", "d")
    cockpit.line.on_state("reconnecting", "The box's daemon has gone.")


async def permission(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One that asks for a permission."""
    await cockpit.press(pilot, "6", "enter")
    await cockpit.until(pilot, lambda: cockpit.line.following == 1)
    await read(cockpit, pilot)


async def stop(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Before one is stopped."""
    await cockpit.press(pilot, "6", "j", "j")
    await read(cockpit, pilot)
    await cockpit.press(pilot, "x")


async def form(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A new agent on the router, thinking hard."""
    await cockpit.press(pilot, "right", "a", *"Weigh the routes.", "tab", "tab", "tab", "4")


async def form_with_a_flaw(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A loop that is no number."""
    await cockpit.press(pilot, "a", *"go", *["tab"] * 7, *"many", "enter")


async def inbox(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A question, the answer chosen."""
    await cockpit.press(pilot, "7", "2")


async def inbox_permission(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A permission, and the reason of a no."""
    await cockpit.press(pilot, "7", "j", "i", *"not before the review")


async def approvals(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Actions that wait, of medium and of high radius, and what came of others."""
    cockpit.line.answers["question.list"] = InboxResult(items=(*some_approvals(), *some_items()))
    cockpit.app.desk.refresh_inbox()
    await cockpit.settle(pilot)
    cockpit.app.clear_notifications()
    await cockpit.press(pilot, "7", "g")
    await cockpit.settle(pilot)
    cockpit.app.clear_notifications()


async def approval_medium(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One of medium radius, in full."""
    await approvals(cockpit, pilot)
    await to_item(cockpit, pilot, "a-2")
    await cockpit.press(pilot, "enter")


async def approval_high(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One of high radius, its name half typed."""
    await approvals(cockpit, pilot)
    await to_item(cockpit, pilot, "a-1")
    await cockpit.press(pilot, "enter", "y", *"hero_rou")


async def to_item(cockpit: Cockpit, pilot: Pilot[int], id: str) -> None:
    """The cursor on the item."""
    rows = cockpit.app.screen.query_one(LineList)
    rows.put_cursor(id)
    await cockpit.settle(pilot)


async def fleet(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Credentials, agents, what waits."""


POSES: tuple[Pose, ...] = (
    agents,
    failed,
    filtered,
    cut_off,
    permission,
    stop,
    form,
    form_with_a_flaw,
    inbox,
    inbox_permission,
    approvals,
    approval_medium,
    approval_high,
    fleet,
)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.__name__)
async def test_layout(snap_text: Callable[[App[Any]], bool], pose: Pose, size: tuple[int, int]) -> None:
    cockpit = cockpit_of()
    async with cockpit.running(size) as pilot:
        await filled(cockpit, pilot)
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    ("shown", "keys"),
    [([], "6"), ([], "7"), (many_agents(), "6"), ([asking()], "6")],
    ids=["no_agents", "no_items", "many", "question"],
)
async def test_lists(
    snap_text: Callable[[App[Any]], bool], shown: list[Agent], keys: str, size: tuple[int, int]
) -> None:
    cockpit = cockpit_of(shown)
    async with cockpit.running(size) as pilot:
        await cockpit.press(pilot, keys)
        if shown:
            await read(cockpit, pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
@pytest.mark.parametrize("pose", [agents, form, inbox, approval_high, fleet], ids=lambda pose: pose.__name__)
def test_colours(snap_compare: Callable[..., bool], pose: Pose, theme: str) -> None:
    cockpit = cockpit_of(theme=theme)

    async def dress(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        await filled(cockpit, pilot)
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)

    assert snap_compare(cockpit.app, terminal_size=(120, 40), run_before=dress)


async def test_without_colours_states_are_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    cockpit = cockpit_of()
    async with cockpit.running((120, 40)) as pilot:
        await agents(cockpit, pilot)
        for sign in "?●○✖◌▌❯▸╰◂":
            assert sign in cockpit.text
        await cockpit.press(pilot, "space")
        assert "┃" in cockpit.text
        for strip in cockpit.app.screen._compositor.render_strips():
            for segment in strip:
                for colour in (segment.style.color, segment.style.bgcolor) if segment.style else ():
                    assert colour is None or colour.triplet is None or len(set(colour.triplet)) == 1
