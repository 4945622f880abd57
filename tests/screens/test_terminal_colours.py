"""In the theme of the terminal's own sixteen colours every screen and dialog can be opened, and has no others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hero_tui.settings import Settings
from tests.hero_tui.fleets import Cockpit
from tests.screens import test_agent_pictures as agents
from tests.screens import test_pictures as fleet

Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]
FLEETS: tuple[Pose, ...] = fleet.POSES
AGENTS: tuple[Pose, ...] = (agents.permission, agents.form, agents.inbox, agents.approval_medium)


def others(cockpit: Cockpit) -> set[str]:
    """Colours on the screen that are none of the terminal's own."""
    segments = (one for strip in cockpit.app.screen._compositor.render_strips() for one in strip)
    colours = {
        colour for one in segments if one.style for colour in (one.style.color, one.style.bgcolor) if colour
    }
    return {colour.name for colour in colours if colour.triplet is not None}


@pytest.mark.parametrize("pose", FLEETS, ids=lambda pose: pose.__name__)
async def test_of_the_fleet(pose: Pose) -> None:
    cockpit = Cockpit(settings=Settings(theme="hero-ansi"))
    async with cockpit.running((120, 40)) as pilot:
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)
        assert others(cockpit) == set()


@pytest.mark.parametrize("pose", AGENTS, ids=lambda pose: pose.__name__)
async def test_of_agents_and_the_inbox(pose: Pose) -> None:
    cockpit = agents.cockpit_of(theme="hero-ansi")
    async with cockpit.running((120, 40)) as pilot:
        await agents.filled(cockpit, pilot)
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)
        assert others(cockpit) == set()


async def test_of_a_manifest(tmp_path: Path) -> None:
    path = tmp_path / "home" / "alice" / "hero" / "cfg" / "dev_manifest.toml"
    path.parent.mkdir(parents=True)
    path.write_text("schema = 1 # the first\n[[bind]]\n")
    cockpit = Cockpit(root=tmp_path, settings=Settings(theme="hero-ansi"))
    async with cockpit.running((120, 40)) as pilot:
        await cockpit.press(pilot, "y")
        await cockpit.until(pilot, lambda: "the first" in cockpit.text)
        assert others(cockpit) == set()
