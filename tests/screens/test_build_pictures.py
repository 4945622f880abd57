"""Pictures of the builds screen: at work, a failure, empty, cut off; with its colours in both themes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from hero_tui.settings import Settings
from screens.widgets.logview import LogView
from tests.hero_tui.builds import answer, log_lines, some_builds, told
from tests.hero_tui.fleets import Cockpit

SIZES = [(80, 24), (120, 40), (200, 50)]
Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]


async def running(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Mine, with its log."""
    await cockpit.press(pilot, "j")
    await _read_log(cockpit, pilot)


async def failed(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What a failure says."""
    await cockpit.press(pilot, *"jjjjjj")
    await _read_log(cockpit, pilot)


async def filtered(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A filter that is being typed, on one that waits."""
    await cockpit.press(pilot, "slash", *"slides")


async def cut_off(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The box is away."""
    await cockpit.press(pilot, "j", "j", "d")
    cockpit.line.on_state("reconnecting", "The box's daemon has gone.")


async def marked(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The slowest first, two of them marked."""
    await cockpit.press(pilot, "O", "g", "space", "space", "d")


async def question(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Before somebody else's build is stopped."""
    await _read_log(cockpit, pilot)
    await cockpit.press(pilot, "X")


async def _read_log(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    await cockpit.until(pilot, lambda: cockpit.line.following == 1)
    cockpit.line.log.put_nowait(log_lines())
    view = cockpit.app.screen.query_one(LogView)
    await cockpit.until(pilot, lambda: bool(view.scene.log.lines.count) and not view.busy)
    await cockpit.settle(pilot)


async def opened(cockpit: Cockpit, pilot: Pilot[int], pose: Pose) -> None:
    """The screen in its pose."""
    builds = some_builds()
    cockpit.line.answers["build.list"] = answer(builds)
    cockpit.tell(*(told(11 + number, one) for number, one in enumerate(builds[:5])))
    await cockpit.press(pilot, "4")
    await pose(cockpit, pilot)
    await cockpit.settle(pilot)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize(
    "pose", [running, failed, filtered, cut_off, marked, question], ids=lambda pose: pose.__name__
)
async def test_layout(snap_text: Callable[[App[Any]], bool], pose: Pose, size: tuple[int, int]) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await opened(cockpit, pilot, pose)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_nothing_was_built(snap_text: Callable[[App[Any]], bool], size: tuple[int, int]) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await cockpit.press(pilot, "4")
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
def test_colours(snap_compare: Callable[..., bool], theme: str) -> None:
    cockpit = Cockpit(settings=Settings(theme=theme))

    async def dress(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        await opened(cockpit, pilot, failed)

    assert snap_compare(cockpit.app, terminal_size=(120, 40), run_before=dress)
