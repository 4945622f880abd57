"""Pictures of team and doctor in three sizes: well and ill, asked, awaited, empty; and in colour."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model.errors import HeroError
from hero_tui.settings import Settings
from screens.widgets.linelist import LineList
from tests.hero_tui.fleets import Cockpit
from tests.hero_tui.teams import FakeDoctor, FakeTeam, rootless_look

SIZES = [(80, 24), (120, 40), (200, 50)]
Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]


async def at_team(cockpit: Cockpit, pilot: Pilot[int], *keys: str) -> None:
    await cockpit.press(pilot, "9")
    await cockpit.until(pilot, lambda: bool(cockpit.app.screen.query_one(LineList).rows))
    await cockpit.press(pilot, *keys)


async def at_doctor(cockpit: Cockpit, pilot: Pilot[int], *keys: str, words: str = "2 bad") -> None:
    await cockpit.press(pilot, "0")
    await cockpit.until(pilot, lambda: words in cockpit.text)
    await cockpit.press(pilot, *keys)


async def reconciler(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The last reconcile, in which one thing failed."""
    await at_team(cockpit, pilot)


async def flaw(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A user's file that cannot be used."""
    await at_team(cockpit, pilot, *"jjjj")


async def person(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Somebody of whom all is well, read alone."""
    await at_team(cockpit, pilot, *"jjjjjj", "enter")


async def planned(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What a reconcile would do."""
    await at_team(cockpit, pilot, "p")


async def diffed(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What is beside what is wanted."""
    await at_team(cockpit, pilot, "D")


async def narrowed(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Only what needs somebody."""
    await at_team(cockpit, pilot, "exclamation_mark", "slash", *"mik")


async def marked(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Sorted by name, and what a reconcile would do for two of them."""
    await at_team(cockpit, pilot, "O", *"jjjjj", "space", "space", "p")


async def ill(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A finding that can be mended."""
    await at_doctor(cockpit, pilot, *"jjjjj")


async def question(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Before all is mended."""
    await at_doctor(cockpit, pilot, "F")


async def mended(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """After it, and what was not."""
    await at_doctor(cockpit, pilot, *"jjjjj", "space", "j", "j", "j", "space", "F", "y")
    await cockpit.until(pilot, lambda: "1 bad" in cockpit.text and "looked" in cockpit.text)
    cockpit.app.clear_notifications()
    await cockpit.press(pilot, "k", "k", "k")


async def only_wrong(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Only what is wrong, long ago."""
    await at_doctor(cockpit, pilot, "exclamation_mark")
    cockpit.now += timedelta(minutes=20)
    cockpit.app.here.tick()


POSES: tuple[Pose, ...] = (
    reconciler,
    flaw,
    person,
    planned,
    diffed,
    narrowed,
    marked,
    ill,
    question,
    mended,
    only_wrong,
)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("pose", POSES, ids=lambda pose: pose.__name__)
async def test_layout(
    snap_text: Callable[[App[Any]], bool], team: FakeTeam, doctor: FakeDoctor, pose: Pose, size: tuple[int, int]
) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_rootless_team(
    snap_text: Callable[[App[Any]], bool], team: FakeTeam, size: tuple[int, int]
) -> None:
    team.answers["look"] = rootless_look()
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await at_team(cockpit, pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_doctor_at_work(
    snap_text: Callable[[App[Any]], bool], doctor: FakeDoctor, size: tuple[int, int]
) -> None:
    doctor.held = {"disk.space", "git.worktrees"}
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await at_doctor(cockpit, pilot, words="2 to come")
        assert snap_text(cockpit.app)


@pytest.mark.parametrize(
    ("trouble", "keys"),
    [(False, "9"), (True, "9"), (True, "0")],
    ids=["loading-team", "refused-team", "refused-doctor"],
)
async def test_without_anything(
    snap_text: Callable[[App[Any]], bool], team: FakeTeam, doctor: FakeDoctor, keys: str, trouble: bool
) -> None:
    refused = HeroError("denied", "This login may not look at the box.", hint="Ask an admin of the team.")
    team.answers["look"] = refused if trouble else asyncio.get_running_loop().create_future()
    doctor.problem, doctor.looked = (refused if trouble else None), []
    cockpit = Cockpit()
    async with cockpit.running((80, 24)) as pilot:
        await cockpit.press(pilot, keys)
        await cockpit.settle(pilot)
        assert snap_text(cockpit.app)


@pytest.mark.parametrize("theme", ["hero-dark", "hero-light"])
@pytest.mark.parametrize("pose", [flaw, diffed, ill], ids=lambda pose: pose.__name__)
def test_colours(
    snap_compare: Callable[..., bool], team: FakeTeam, doctor: FakeDoctor, pose: Pose, theme: str
) -> None:
    cockpit = Cockpit(settings=Settings(theme=theme))

    async def dress(pilot: Pilot[int]) -> None:
        await cockpit.settle(pilot)
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)

    assert snap_compare(cockpit.app, terminal_size=(120, 40), run_before=dress)
