"""Pictures of the releases screen and the comparison: at work, empty, cut off; with colours in both themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model.errors import HeroError
from hero_tui.settings import Settings
from tests.hero_tui.fleets import Cockpit
from tests.hero_tui.releases import commits, gate, gates, history, page_of, some_releases, waiting_gate

SIZES = [(80, 24), (120, 40), (200, 50)]
Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]


async def releases(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """On what everybody runs."""
    await cockpit.press(pilot, "j", "j")


async def incomplete(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One that was cut off, another marked."""
    await cockpit.press(pilot, "space", "j")


async def filtered(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A filter that is being typed."""
    await cockpit.press(pilot, "slash", *"canary")


async def cut_off(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The box is away."""
    cockpit.line.on_state("reconnecting", "The box's daemon has gone.")


async def plan(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What an install would do."""
    await cockpit.press(pilot, "enter")


async def compared(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The commits between two."""
    cockpit.line.answers["release.compare"] = commits(9)
    await cockpit.press(pilot, "v")


async def the_wrong_way_round(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Nothing newer."""
    cockpit.line.answers["release.compare"] = commits(0)
    await cockpit.press(pilot, "v")


async def switch(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The switch dialog, with the same releases."""
    await cockpit.press(pilot, "escape", "s")


POSES: tuple[Pose, ...] = (
    releases,
    incomplete,
    filtered,
    cut_off,
    plan,
    compared,
    the_wrong_way_round,
    switch,
)


async def opened(cockpit: Cockpit, pilot: Pilot[int], pose: Pose) -> None:
    """The screen in its pose."""
    cockpit.line.answers["release.list"] = page_of(some_releases())
    cockpit.line.answers["gate.list"] = gates(waiting_gate())
    await cockpit.press(pilot, "right", "5")
    await pose(cockpit, pilot)
    await cockpit.settle(pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.__name__)
async def test_layout(snap_text: Callable[[App[Any]], bool], pose: Pose, size: tuple[int, int]) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await opened(cockpit, pilot, pose)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (page_of([]), "empty"),
        (
            HeroError("unreachable", "The forge does not answer.", hint="`hero_dev box status` tells more."),
            "refused",
        ),
        (page_of(history(5000)), "many"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_lists(snap_text: Callable[[App[Any]], bool], answer: Any, name: str) -> None:
    cockpit = Cockpit()
    async with cockpit.running((120, 40)) as pilot:
        cockpit.line.answers |= {"release.list": answer, "gate.list": gates(gate())}
        await cockpit.press(pilot, "right", "5")
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
@pytest.mark.parametrize("pose", [releases, switch], ids=lambda pose: pose.__name__)
def test_colours(snap_compare: Callable[..., bool], pose: Pose, theme: str) -> None:
    cockpit = Cockpit(settings=Settings(theme=theme))

    async def dress(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        await opened(cockpit, pilot, pose)

    assert snap_compare(cockpit.app, terminal_size=(120, 40), run_before=dress)
