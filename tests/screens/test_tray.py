"""The tray: what this cockpit began stays until it is dismissed, can be cancelled, tried again, read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from textual.app import App
from textual.pilot import Pilot

from backends.model.slot_calls import OperationRef
from hero_tui.settings import Settings
from screens.tray import TrayScreen
from tests.hero_tui.fleets import NOW, Cockpit, failure, operation, progress

SIZES = [(80, 24), (120, 40), (200, 50)]


def ended(state: str, **fields: Any) -> Any:
    return operation("op-9", state=state, finished_at=NOW + timedelta(seconds=7), **fields)


async def begin(cockpit: Cockpit, pilot: Pilot[int], answer: Any) -> None:
    cockpit.line.answers |= {"slot.rebuild": OperationRef(operation="op-9"), "operation.wait": answer}
    await cockpit.press(pilot, "b", "y")
    await cockpit.settle(pilot)


FAILED = ended(
    "failed",
    error=failure("build_failed", "The build of hero_db failed: exit 1.", "`hero_dev logs --build b-1`."),
    result={"last_lines": ["   Compiling hero_db v0.3.1", "error[E0425]: cannot find value `shelves`"]},
)


async def test_it_is_empty_at_first_and_says_what_will_be_in_it() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "%")
        assert isinstance(pilot.app.screen, TrayScreen)
        assert "Nothing was begun here yet." in cockpit.text
        await cockpit.press(pilot, "x", "r", "d", "D", "c", "l", "escape")
        assert not isinstance(pilot.app.screen, TrayScreen)


async def test_a_result_that_esc_took_off_the_screen_stays_in_the_tray_until_it_is_dismissed() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await begin(cockpit, pilot, FAILED)
        await cockpit.press(pilot, "escape")
        assert cockpit.app.desk.doings.all() == ()
        await cockpit.press(pilot, "%")
        assert "cannot find value `shelves`" in cockpit.text
        await cockpit.press(pilot, "d")
        assert cockpit.app.desk.doings.tray() == ()


async def test_what_went_well_makes_room_but_stays_in_the_tray() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await begin(cockpit, pilot, ended("succeeded"))
        await begin(cockpit, pilot, FAILED)
        assert [doing.view.state for doing in cockpit.app.desk.doings.all()] == ["failed"]
        assert [doing.view.state for doing in cockpit.app.desk.doings.tray()] == ["failed", "succeeded"]


async def test_a_failed_one_is_begun_again_with_the_same_words() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await begin(cockpit, pilot, FAILED)
        cockpit.line.answers["operation.wait"] = ended("succeeded")
        await cockpit.press(pilot, "%", "r")
        await cockpit.settle(pilot)
        calls = [asked for user, method, asked in cockpit.line.calls if method == "slot.rebuild"]
        assert len(calls) == 2
        assert calls[0] == calls[1]
        assert [doing.view.state for doing in cockpit.app.desk.doings.tray()] == ["succeeded"]


async def test_what_ended_cannot_be_cancelled_and_the_tray_says_so() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await begin(cockpit, pilot, FAILED)
        await cockpit.press(pilot, "%", "x")
        assert not [method for _, method, _ in cockpit.line.calls if method == "operation.cancel"]


async def test_it_tells_the_keys_that_a_person_has_chosen_and_they_work() -> None:
    cockpit = Cockpit(settings=Settings(keys={"tray.dismiss": "z"}))
    async with cockpit.running() as pilot:
        await begin(cockpit, pilot, FAILED)
        await cockpit.press(pilot, "%")
        assert "l logs · z dismiss · D all" in cockpit.text
        await cockpit.press(pilot, "z")
        assert cockpit.app.desk.doings.tray() == ()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_layout(snap_text: Callable[[App[Any]], bool], size: tuple[int, int]) -> None:
    cockpit = Cockpit()
    async with cockpit.running(size) as pilot:
        await begin(cockpit, pilot, ended("succeeded"))
        await begin(cockpit, pilot, FAILED)
        cockpit.tell(progress("mik", operation(phase="download", done=430, total=1000)))
        await cockpit.press(pilot, "%")
        assert snap_text(cockpit.app)
