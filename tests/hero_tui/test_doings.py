"""Changes that the cockpit began are seen through, whatever happens to the daemon meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

import pytest
from pydantic import BaseModel

from backends.model.errors import HeroError
from backends.model.frozen import Frozen
from backends.model.slot_calls import OperationRef, ServicesParams
from backends.model.state import Operation
from hero_tui.doings import Doings
from screens.doings import Asked
from tests.hero_tui.fleets import NOW, failure, operation

R = TypeVar("R", bound=BaseModel)
ASKED = Asked("alice", "slot.restart", ServicesParams(services=("hero_db",)), "restart hero_db", ("hero_db",), "…")


class Slot:
    """Answers each method with the next of its answers; an error is raised."""

    def __init__(self, **answers: list[Any]):
        self.answers = {name.replace("_", "."): list(one) for name, one in answers.items()}

    async def call(self, user: str, method: str, params: Frozen, result: type[R]) -> R:
        answer = self.answers[method].pop(0)
        if isinstance(answer, HeroError):
            raise answer
        assert isinstance(answer, result)
        return answer


def doings(slot: Slot) -> Doings:
    return Doings(slot.call, lambda: NOW + timedelta(seconds=3), lambda: None)


def running(**fields: Any) -> Operation:
    return operation("op-1", kind="restart", service="", title="restart hero_db", **fields)


async def test_an_operation_is_waited_for_through_a_restart_of_its_daemon() -> None:
    gone = HeroError("unreachable", "The daemon has gone.")
    slot = Slot(
        slot_restart=[OperationRef(operation="op-1")],
        operation_get=[running(), gone, running()],
        operation_wait=[gone, running(state="succeeded")],
    )
    made = doings(slot)
    assert await made.carry_out(ASKED)
    (doing,) = made.all()
    assert (doing.view.state, doing.view.message) == ("succeeded", "done")


async def test_a_daemon_may_go_again_long_after_it_came_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = HeroError("unreachable", "The daemon has gone.")
    slot = Slot(
        slot_restart=[OperationRef(operation="op-1")],
        operation_get=[running()] * 3,
        operation_wait=[gone, gone, running(state="succeeded")],
    )
    loop = asyncio.get_running_loop()
    clock = count(loop.time(), 15)
    monkeypatch.setattr("hero_tui.doings._AGAIN_SECONDS", 0)
    monkeypatch.setattr(loop, "time", lambda: next(clock))
    assert await doings(slot).carry_out(ASKED)


async def test_an_error_without_a_word_is_told_by_its_code() -> None:
    slot = Slot(
        slot_restart=[OperationRef(operation="op-1")],
        operation_get=[running()],
        operation_wait=[running(state="failed", error=failure("internal", "", ""))],
    )
    made = doings(slot)
    assert not await made.carry_out(ASKED)
    assert made.all()[0].view.message == "internal"


async def test_what_a_restarted_daemon_does_not_know_has_failed() -> None:
    unknown = HeroError("not_found", "There is no operation 'op-1'.", hint="It was restarted.")
    slot = Slot(
        slot_restart=[OperationRef(operation="op-1")],
        operation_get=[running(), unknown],
        operation_wait=[HeroError("unreachable", "gone")],
    )
    made = doings(slot)
    assert not await made.carry_out(ASKED)
    (doing,) = made.all()
    assert (doing.view.state, doing.view.message) == ("failed", "There is no operation 'op-1'.")
    assert doing.lines == ("It was restarted.",)


async def test_a_failed_start_brings_the_last_lines_of_the_services_log() -> None:
    from backends.model.slot_calls import LogsResult
    from backends.model.state import LogLine

    lines = LogsResult(lines=(LogLine(source="hero_db", text="cannot open the store"),))
    slot = Slot(
        slot_restart=[OperationRef(operation="op-1")],
        operation_get=[running()],
        operation_wait=[running(state="failed", error=failure("unhealthy", "It did not get healthy.", "Look."))],
        slot_logs=[lines],
    )
    made = doings(slot)
    await made.carry_out(ASKED)
    assert made.all()[0].lines == ("cannot open the store", "Look.")


async def test_results_leave_the_screen_when_set_aside_and_the_tray_when_dismissed() -> None:
    good: dict[str, list[Any]] = {
        "slot_restart": [OperationRef(operation="op-1")] * 2,
        "operation_get": [running()] * 2,
        "operation_wait": [running(state="succeeded"), running(state="failed")],
    }
    made = doings(Slot(**good))
    await made.carry_out(ASKED)
    await made.carry_out(ASKED)
    assert [doing.view.state for doing in made.all()] == ["failed"]
    assert made.set_aside()
    assert made.all() == ()
    assert not made.set_aside()
    assert [doing.view.state for doing in made.tray()] == ["failed", "succeeded"]
    made.dismiss(made.tray()[1].number)
    assert [doing.view.state for doing in made.tray()] == ["failed"]
    made.dismiss()
    assert made.tray() == ()


async def test_late_progress_does_not_wake_what_has_ended() -> None:
    slot = Slot(
        slot_restart=[OperationRef(operation="op-1")],
        operation_get=[running()],
        operation_wait=[running(state="succeeded")],
    )
    made = doings(slot)
    await made.carry_out(ASKED)
    made.heard("alice", running(phase="start"))
    assert made.all()[0].view.state == "succeeded"
    assert not made.running
