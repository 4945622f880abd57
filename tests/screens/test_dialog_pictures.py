"""Pictures of dialogs that have nothing to offer, wait for an answer or are refused, and of what is only told."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from backends.model.errors import HeroError
from tests.hero_tui.fleets import PLAN, Cockpit
from tests.screens.test_state_pictures import REFUSED, Compare, Pose, sized, unanswered


async def choose_user(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Whose slot to look into."""
    await cockpit.press(pilot, "u")


async def choose_what_to_copy(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What of a service."""
    await cockpit.press(pilot, "c")


async def palette_without_match(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Nothing is called so."""
    await cockpit.press(pilot, "ctrl+p", *"zzzq")


async def switch_loading(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Neither the slot nor the box has answered."""
    cockpit.line.answers |= {"slot.candidates": unanswered(), "release.list": unanswered()}
    await cockpit.press(pilot, "right", "s")


async def switch_refused(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Neither can tell."""
    cockpit.line.answers |= {"slot.candidates": REFUSED, "release.list": REFUSED}
    await cockpit.press(pilot, "right", "s")


async def plan_loading(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The slot works it out."""
    await _plan(cockpit, pilot, unanswered())


async def plan_refused(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """It cannot be done."""
    refused = HeroError("conflict", "hero_router is being switched already.", hint="`X` cancels that.")
    await _plan(cockpit, pilot, refused)


async def plan_of_nothing(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """It is so already."""
    nothing = {"steps": (), "restarts": (), "size": None, "installed": True, "nothing_to_do": True}
    await _plan(cockpit, pilot, PLAN.model_copy(update=nothing))


async def plan_that_warns(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """It compiles, and somebody else's work is in the way."""
    warning = "The worktree has uncommitted changes in 3 files; they are built, and stay uncommitted."
    await _plan(cockpit, pilot, PLAN.model_copy(update={"compiles": True, "warnings": (warning,)}))


async def _plan(cockpit: Cockpit, pilot: Pilot[int], answer: Any) -> None:
    cockpit.line.answers["slot.plan"] = lambda _, asked: answer if not asked.get("back") else PLAN
    await cockpit.press(pilot, "right", "s", *"mik", "enter")


async def form_without_credential(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """An agent that would run on nothing."""
    cockpit.line.answers["claude.status"] = REFUSED
    await cockpit.press(pilot, "a")


async def tray_empty(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Nothing was begun."""
    await cockpit.press(pilot, "%")


async def told(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What goes away by itself: what happened, and what failed."""
    cockpit.app.desk.tell("copied: 3e7ab6f2")
    cockpit.app.desk.tell(f"{REFUSED.message} {REFUSED.hint}", failed=True)


@sized
@pytest.mark.parametrize(
    "pose",
    [
        choose_user,
        choose_what_to_copy,
        palette_without_match,
        switch_loading,
        switch_refused,
        plan_loading,
        plan_refused,
        plan_of_nothing,
        plan_that_warns,
        form_without_credential,
        tray_empty,
        told,
    ],
    ids=lambda pose: pose.__name__,
)
async def test_dialogs(snap_text: Compare, pose: Pose, size: tuple[int, int]) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)
        assert snap_text(cockpit.app)
