"""An action is asked for as the table says how far it reaches: by no screen, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from hero_tui.key import Radius
from hero_tui.keys import TABLE
from screens.plan import PlanDialog
from screens.widgets.confirm import Confirm
from tests.conftest import ROOT
from tests.hero_tui.agents import item, some_agents, with_agents
from tests.hero_tui.builds import answer, build
from tests.hero_tui.fleets import Cockpit
from tests.hero_tui.hosts import on_host, plan
from tests.hero_tui.teams import FakeDoctor
from tests.screens.test_inbox import opened as inbox_opened

Patch = pytest.MonkeyPatch
Opened = AbstractAsyncContextManager[tuple[Cockpit, Pilot[int]]]


@asynccontextmanager
async def of_cell(_: Patch) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        yield cockpit, pilot


@asynccontextmanager
async def of_build(_: Patch, slot: str = "alice") -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["build.list"] = answer([build("b-1", slot=slot, state="running", finished_at=None)])
        await cockpit.press(pilot, "4")
        yield cockpit, pilot


@asynccontextmanager
async def of_session(_: Patch) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    cockpit = Cockpit(first=with_agents(some_agents()))
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "6")
        yield cockpit, pilot


@asynccontextmanager
async def of_inbox(_: Patch) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    async with inbox_opened() as (cockpit, pilot, inbox):
        inbox.sent = [item("q-9", sender="alice", to="mik", text="May I take hero_books?")]
        await cockpit.press(pilot, "s")
        yield cockpit, pilot


@asynccontextmanager
async def of_host(monkeypatch: Patch) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    async with on_host(monkeypatch) as (cockpit, pilot, _):
        cockpit.line.answers["slot.clean_plan"] = plan()
        yield cockpit, pilot


@asynccontextmanager
async def of_doctor(monkeypatch: Patch) -> AsyncIterator[tuple[Cockpit, Pilot[int]]]:
    doctor = FakeDoctor()
    monkeypatch.setattr("hero_tui.doctor_source.BoxDoctor", lambda _: doctor)
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "0")
        await cockpit.until(pilot, lambda: "2 bad" in cockpit.text)
        await cockpit.press(pilot, *"jjjjj")
        yield cockpit, pilot


PLACES: dict[str, Callable[[Patch], Opened]] = {
    "cell.stop": of_cell,
    "builds.publish": of_build,
    "session.stop": of_session,
    "session.compact": of_session,
    "session.clear": of_session,
    "inbox.take_back": of_inbox,
    "host.clean": of_host,
    "doctor.mend": of_doctor,
    "doctor.mend_all": of_doctor,
}
ASKED = [entry for entry in TABLE if entry.radius in ("medium", "high")]


def is_asking(cockpit: Cockpit) -> bool:
    return isinstance(cockpit.app.screen, Confirm | PlanDialog)


def changes(cockpit: Cockpit) -> list[str]:
    """The calls that only an agreement leads to."""
    quiet = ("slot.plan", "slot.clean_plan", "peek.agent_log", "build.list", "question.list")
    ended = ("stop", "clean", "submit", "cancel", "command")
    return [method for _, method, _ in cockpit.line.calls if method not in quiet and method.endswith(ended)]


def test_every_action_that_asks_is_tried_here() -> None:
    assert {entry.id for entry in ASKED} == set(PLACES)


def test_what_asks_changes_something_and_what_an_agent_wants_is_left_to_the_policy() -> None:
    assert [entry.id for entry in ASKED if entry.read_only] == []
    assert {entry.id for entry in TABLE if entry.radius == "policy"} == {"inbox.allow", "approval.allow"}


@pytest.mark.parametrize("entry", ASKED, ids=lambda entry: entry.id)
async def test_an_action_asks_as_its_radius_says(entry: object, monkeypatch: Patch) -> None:
    key = next(one for one in ASKED if one is entry)
    async with PLACES[key.id](monkeypatch) as (cockpit, pilot):
        await cockpit.press(pilot, key.keys.split(",")[0])
        await cockpit.until(pilot, lambda: is_asking(cockpit))
        await cockpit.settle(pilot)
        cockpit.line.calls.clear()
        dialog = cockpit.app.screen
        focused = cockpit.app.focused
        assert focused is not None
        if key.radius == "high":
            assert focused.id == "confirm-name"
            await cockpit.press(pilot, "y", "enter")
            assert cockpit.app.screen is dialog
        else:
            assert focused.id in ("confirm-cancel", "plan-cancel")
            await cockpit.press(pilot, "enter")
            assert cockpit.app.screen is not dialog
        assert changes(cockpit) == []


@pytest.mark.parametrize(
    ("radius", "slot", "keys", "begun"),
    [
        ("low", "alice", "", True),
        ("low", "mik", "", False),
        ("low", "mik", "y", True),
        ("medium", "alice", "", False),
        ("medium", "alice", "y", True),
        ("medium", "mik", "y", False),
        ("high", "alice", "y", False),
        ("high", "alice", "hero_books\n", False),
        ("high", "alice", "hero_db\n", True),
    ],
)
async def test_the_table_decides_and_another_slot_is_a_step_further(
    radius: Radius, slot: str, keys: str, begun: bool, monkeypatch: Patch
) -> None:
    async with of_build(monkeypatch, slot) as (cockpit, pilot):
        by_id = cockpit.app.preferences.by_id
        monkeypatch.setitem(by_id, "builds.cancel", replace(by_id["builds.cancel"], radius=radius))
        cockpit.line.answers["build.cancel"] = build("b-1", slot=slot)
        await cockpit.press(pilot, "X", *("enter" if key == "\n" else key for key in keys))
        assert bool(cockpit.line.called("build.cancel")) is begun


def test_nobody_else_opens_the_question() -> None:
    opened = {
        str(path.relative_to(ROOT))
        for folder in ("hero_tui", "screens")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Confirm"
    }
    assert opened == {"hero_tui/asking.py"}
