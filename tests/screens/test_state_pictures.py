"""Pictures of screens that wait for an answer, are empty, cut off or refused."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model.errors import HeroError
from backends.model.inbox_calls import InboxResult
from backends.model.state import Event
from screens.examination import Looked
from tests.hero_tui.agents import some_items
from tests.hero_tui.fleets import NOW, Cockpit, snapshot
from tests.hero_tui.releases import gate, gates, page_of, some_releases
from tests.hero_tui.teams import FakeDoctor, FakeTeam, finding, job_of

SIZES = [(80, 24), (120, 40)]
Pose = Callable[[Cockpit, Pilot[int]], Awaitable[None]]
Compare = Callable[[App[Any]], bool]

PLACES: Mapping[str, tuple[str, ...]] = {
    "fleet": (),
    "slot": ("2",),
    "peek": ("n", "enter"),
    "builds": ("4",),
    "releases": ("right", "5"),
    "agents": ("6",),
    "inbox": ("7",),
    "team": ("9",),
    "doctor": ("0",),
}
"""The keys that lead to a screen from the fleet."""
BROKEN = (
    "dev_manifest.toml:92:18: found a syntax error (Expected ']' at the end of a table declaration), expected TOML"
)
REFUSED = HeroError("failed", "The box's database is locked.", hint="`hero_dev box status` tells more.")

sized = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


pytestmark = pytest.mark.usefixtures("team", "doctor")


def unanswered() -> asyncio.Future[Any]:
    """An answer that does not come."""
    return asyncio.get_running_loop().create_future()


async def go_to(cockpit: Cockpit, pilot: Pilot[int], place: str) -> None:
    await cockpit.press(pilot, *PLACES[place])


async def cut_off(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The box closed the connection twelve seconds ago."""
    cockpit.line.on_state("reconnecting", "The box closed the connection.")
    await cockpit.settle(pilot)
    await twelve_seconds_later(cockpit, pilot)


async def twelve_seconds_later(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    cockpit.now += timedelta(seconds=12)
    cockpit.app._tick()
    await cockpit.settle(pilot)


async def pictured(snap_text: Compare, cockpit: Cockpit, pilot: Pilot[int]) -> bool:
    """Whether it looks as pictured, without what goes away by itself."""
    cockpit.app.clear_notifications()
    await cockpit.settle(pilot)
    return snap_text(cockpit.app)


# -- before an answer, and without one -----------------------------------------------------------------


@sized
@pytest.mark.parametrize("why", ["", "No daemon answers at /srv/box/run/box.sock."], ids=["loading", "refused"])
@pytest.mark.parametrize("place", ["fleet", "slot", "builds", "agents", "inbox"])
async def test_before_the_box_has_told_anything(
    snap_text: Compare, place: str, why: str, size: tuple[int, int]
) -> None:
    cockpit = Cockpit(first=None)
    async with cockpit.running(size) as pilot:
        await go_to(cockpit, pilot, place)
        if why:
            cockpit.line.on_state("reconnecting", why)
        await cockpit.settle(pilot)
        assert await pictured(snap_text, cockpit, pilot)


@sized
@pytest.mark.parametrize("refused", [False, True], ids=["loading", "refused"])
@pytest.mark.parametrize(
    ("place", "methods"),
    [("builds", ["build.list"]), ("inbox", ["question.list"]), ("releases", ["release.list", "gate.list"])],
    ids=["builds", "inbox", "releases"],
)
async def test_while_the_box_does_not_tell(
    snap_text: Compare, place: str, methods: list[str], refused: bool, size: tuple[int, int]
) -> None:
    cockpit = Cockpit()
    cockpit.line.answers |= {method: REFUSED if refused else unanswered() for method in methods}
    async with cockpit.running(size) as pilot:
        await go_to(cockpit, pilot, place)
        assert await pictured(snap_text, cockpit, pilot)


# -- what was told, while the box is away --------------------------------------------------------------


@sized
@pytest.mark.parametrize("place", ["fleet", "slot", "peek", "inbox"])
async def test_what_was_told_stays_while_the_box_is_away(
    snap_text: Compare, place: str, size: tuple[int, int]
) -> None:
    cockpit = Cockpit()
    cockpit.line.answers["question.list"] = InboxResult(items=tuple(some_items()))
    async with cockpit.running(size) as pilot:
        await go_to(cockpit, pilot, place)
        await cut_off(cockpit, pilot)
        assert await pictured(snap_text, cockpit, pilot)


# -- what each screen has besides ----------------------------------------------------------------------


async def fleet_without_slots(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A box that was made a minute ago."""
    cockpit.line.on_snapshot(snapshot(20).model_copy(update={"slots": ()}))


async def fleet_without_services(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Slots, and a catalogue without a line."""
    bare = snapshot(20, alice=[], integration=[], mik=[], thabet=[])
    cockpit.line.on_snapshot(bare.model_copy(update={"catalogue": ()}))


async def fleet_well(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Only what is broken, and nothing is."""
    cockpit.line.on_snapshot(snapshot(20, mik=[], thabet=[]))
    await cockpit.press(pilot, "exclamation_mark")


async def slot_empty(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Mine, in which nothing is bound."""
    cockpit.line.on_snapshot(snapshot(20, alice=[]))
    await go_to(cockpit, pilot, "slot")


async def peek_empty(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Somebody else's, in which nothing is bound."""
    cockpit.line.on_snapshot(snapshot(20, mik=[]))
    await cockpit.press(pilot, "u", *"mik", "enter")


async def slot_of_nobody(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """One that there is not."""
    cockpit.app.desk.ways.show_slot("nobody")


async def peek_away(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Its daemon went away twelve seconds ago."""
    await go_to(cockpit, pilot, "peek")
    away = cockpit.app.desk.fleet.slots["thabet"].head.model_copy(update={"online": False, "stale": True})
    data = away.model_dump(mode="json")
    cockpit.tell(Event(seq=20, time=NOW, box="demo", slot="thabet", kind="slot.offline", data=data))
    await twelve_seconds_later(cockpit, pilot)


def tell_of_problem(cockpit: Cockpit, user: str, problem: str, **head: object) -> None:
    """What is wrong with a slot itself."""
    status = cockpit.app.desk.fleet.slots[user].head.model_copy(update={"problems": (problem,), **head})
    kind = "slot.offline" if status.stale else "slot.changed"
    data = status.model_dump(mode="json")
    cockpit.tell(Event(seq=20, time=NOW, box="demo", slot=user, kind=kind, data=data))


async def fleet_with_a_broken_manifest(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Mine cannot be read."""
    tell_of_problem(cockpit, "alice", BROKEN)


async def slot_with_a_broken_manifest(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """It says where, over what runs meanwhile."""
    await go_to(cockpit, pilot, "slot")
    tell_of_problem(cockpit, "alice", BROKEN)


async def peek_that_hangs(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Its daemon answers no more."""
    await go_to(cockpit, pilot, "peek")
    hangs = (
        "The daemon of thabet's slot (pid 4711) hangs: no answer for 30 s. Once it is ended, it is started again."
    )
    tell_of_problem(cockpit, "thabet", hangs, online=False, stale=True)


async def logs_empty(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """A log without a line."""
    await cockpit.press(pilot, "j", "l")
    cockpit.line.log.put_nowait(())
    await cockpit.until(pilot, lambda: "Nothing has been logged" in cockpit.text)


async def compare_refused(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The forge does not know one of the two."""
    unknown = HeroError("not_found", "The forge knows no commit 9f3c21ab.", hint="A push may have replaced it.")
    cockpit.line.answers |= {"release.list": page_of(some_releases()), "gate.list": gates(gate())}
    cockpit.line.answers["release.compare"] = unknown
    await go_to(cockpit, pilot, "releases")
    await cockpit.press(pilot, "v")


async def inbox_sent(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Nothing was sent."""
    await go_to(cockpit, pilot, "inbox")
    await cockpit.press(pilot, "s")


async def session_gone(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """The agent that was looked at is there no more."""
    cockpit.line.said.put_nowait(HeroError("not_found", "alice has no agent 77."))
    cockpit.app.desk.ways.show_agent("alice", "77")


@sized
@pytest.mark.parametrize(
    "pose",
    [
        fleet_without_slots,
        fleet_without_services,
        fleet_well,
        slot_empty,
        peek_empty,
        slot_of_nobody,
        peek_away,
        fleet_with_a_broken_manifest,
        slot_with_a_broken_manifest,
        peek_that_hangs,
        logs_empty,
        compare_refused,
        inbox_sent,
        session_gone,
    ],
    ids=lambda pose: pose.__name__,
)
async def test_layout(snap_text: Compare, pose: Pose, size: tuple[int, int]) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await pose(cockpit, pilot)
        await cockpit.settle(pilot)
        assert await pictured(snap_text, cockpit, pilot)


# -- team and doctor -----------------------------------------------------------------------------------


@sized
async def test_a_team_that_cannot_be_read_any_more(
    snap_text: Compare, team: FakeTeam, size: tuple[int, int]
) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await go_to(cockpit, pilot, "team")
        await cockpit.until(pilot, lambda: "alice" in cockpit.text)
        team.answers["look"] = HeroError(
            "failed", "The box's copy of the team repo cannot be read: input/output error."
        )
        await cockpit.press(pilot, "ctrl+r")
        await twelve_seconds_later(cockpit, pilot)
        assert await pictured(snap_text, cockpit, pilot)


async def doctor_well(doctor: FakeDoctor, cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Nothing is wrong."""
    well = [finding("box.file", "ok", "/srv/box/box.toml holds: box demo, rootless.", title="box.toml")]
    well += [
        finding("slot.manifest", "ok", "dev_manifest.toml holds.", user, title="manifest")
        for user in ("alice", "mik")
    ]
    doctor.looked = [Looked(job_of(one), (one,)) for one in well]
    await go_to(cockpit, pilot, "doctor")
    await cockpit.until(pilot, lambda: "3 well" in cockpit.text)


async def doctor_nothing_wrong(doctor: FakeDoctor, cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """Only what is wrong, and nothing is."""
    await doctor_well(doctor, cockpit, pilot)
    await cockpit.press(pilot, "exclamation_mark")


async def doctor_stale(doctor: FakeDoctor, cockpit: Cockpit, pilot: Pilot[int]) -> None:
    """What was found, while nothing can be looked at."""
    await go_to(cockpit, pilot, "doctor")
    await cockpit.until(pilot, lambda: "2 bad" in cockpit.text)
    doctor.problem = REFUSED
    await cockpit.press(pilot, "r")
    await twelve_seconds_later(cockpit, pilot)


@sized
@pytest.mark.parametrize("pose", [doctor_well, doctor_nothing_wrong, doctor_stale], ids=lambda pose: pose.__name__)
async def test_doctor(snap_text: Compare, doctor: FakeDoctor, pose: Any, size: tuple[int, int]) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await pose(doctor, cockpit, pilot)
        assert await pictured(snap_text, cockpit, pilot)


@sized
async def test_a_doctor_that_has_only_begun(
    snap_text: Compare, doctor: FakeDoctor, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async def looks() -> AsyncGenerator[Looked, None]:
        yield await unanswered()

    monkeypatch.setattr(doctor, "examine", looks)
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await go_to(cockpit, pilot, "doctor")
        assert await pictured(snap_text, cockpit, pilot)
