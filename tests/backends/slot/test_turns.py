"""An operation's build waits for the box's word, and for nothing else: a box that is away stops nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backends.model.build_calls import BuildSubmitParams, BuildSubmitResult
from backends.model.errors import HeroError
from backends.model.state import Operation
from backends.slot.making import Made, make_build
from backends.slot.operations import Progress
from tests.backends.slot.origins import run
from tests.backends.slot.slots import DEADLINE, SERVICE, Bench, PlayedBox, bench, refuse, until

pytestmark = pytest.mark.usefixtures("identity")


@pytest.fixture
async def slot() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


@pytest.fixture
async def box(slot: Bench) -> AsyncIterator[PlayedBox]:
    """A box that the slot is linked to."""
    made = PlayedBox(slot.root / "b" / "rpc.sock")
    await made.start()
    link = slot.linked(made.path)
    task = asyncio.create_task(link.run())
    async with asyncio.timeout(DEADLINE):
        await link.connected.wait()
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.stop()


def rebuild(slot: Bench, *, publish: bool = False) -> str:
    """Begin an operation that builds, and what it does with that is left out."""
    context = slot.slot.context

    async def work(progress: Progress) -> dict[str, Any]:
        made: Made = await make_build(context, context.bound(SERVICE), progress, publish=publish)
        return {**made.result, "build_record": made.course.build.model_dump(mode="json")}

    return context.operations.start("rebuild", work, service=SERVICE, actor="alice")


async def rebuilt(slot: Bench) -> Operation:
    ended: Operation = await slot.ended(rebuild(slot))
    return ended


def hold(_: BuildSubmitParams) -> BuildSubmitResult | None:
    """Queue it, and give it no turn yet."""
    return None


async def waiting(slot: Bench, box: PlayedBox) -> str:
    """A rebuild that waits for the box's word."""
    box.on_submit = hold
    before = len(box.submitted)
    operation = rebuild(slot)
    await until(lambda: len(box.submitted) > before)
    await until(lambda: slot.slot.context.operations.get(operation).phase.startswith("queue"))
    return operation


async def test_a_build_goes_through_the_boxs_queue_and_the_box_hears_its_end(slot: Bench, box: PlayedBox) -> None:
    ended = await rebuilt(slot)
    assert ended.state == "succeeded"
    (asked,) = box.submitted
    assert (asked.user, asked.service, asked.attached, asked.priority) == ("alice", SERVICE, True, "interactive")
    assert asked.build_id == ended.result["build"]
    answer = await box.answer(asked.build_id)
    assert (answer.state, answer.commit) == ("succeeded", asked.commit)
    assert [phase.name for phase in answer.phases] == ["worktree", "queue", "compile", "pack"]
    assert slot.events("build.") == [], "the box's queue tells of it"


async def test_without_a_box_the_slot_builds_and_tells_by_itself(slot: Bench) -> None:
    ended = await rebuilt(slot)
    assert ended.state == "succeeded"
    assert [event.kind for event in slot.events("build.")] == ["build.running", "build.succeeded"]
    names = [phase["name"] for phase in slot.told[-1].data["phases"]]
    assert names == ["worktree", "queue", "compile", "pack"]
    cell = slot.slot.context.board.cell(SERVICE)
    assert cell is not None
    assert cell.build is not None
    assert cell.build.state == "succeeded"


@pytest.mark.parametrize("old", [False, True])
async def test_a_box_that_refuses_or_does_not_know_the_call_is_done_without(slot: Bench, old: bool) -> None:
    box = PlayedBox(slot.root / "b" / "rpc.sock")
    box.knows_builds, box.on_submit = not old, refuse
    await box.start()
    link = slot.linked(box.path)
    task = asyncio.create_task(link.run())
    async with asyncio.timeout(DEADLINE):
        await link.connected.wait()
    try:
        assert (await rebuilt(slot)).state == "succeeded"
        assert [event.kind for event in slot.events("build.")] == ["build.running", "build.succeeded"]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await box.stop()


async def test_a_build_waits_for_the_boxs_word_and_says_for_what(slot: Bench, box: PlayedBox) -> None:
    operation = await waiting(slot, box)
    asked = box.submitted[0]
    await box.tell(box.build_of(asked, state="queued", waits_for="2 of 2 builds run on the box.\x1b[31m"))
    context = slot.slot.context
    assert context.operations.get(operation).phase == "queue: 2 of 2 builds run on the box."
    cell = context.board.cell(SERVICE)
    assert cell is not None
    assert cell.build is not None
    assert (cell.build.state, cell.build.waits_for) == ("queued", "2 of 2 builds run on the box.")
    assert not list(context.paths.build_log.glob("*"))
    box.begin(asked)
    assert (await slot.ended(operation)).state == "succeeded"
    assert (await box.answer(asked.build_id)).state == "succeeded"


async def test_a_box_that_is_lost_before_its_word_is_not_waited_for(slot: Bench, box: PlayedBox) -> None:
    operation = await waiting(slot, box)
    await box.stop()
    assert (await slot.ended(operation)).state == "succeeded"
    assert [event.kind for event in slot.events("build.")] == ["build.running", "build.succeeded"]


async def test_a_box_that_is_lost_after_its_word_finds_the_end_when_it_asks_again(
    slot: Bench, box: PlayedBox
) -> None:
    slot.push(
        command="touch begun.pid; while ! test -e go.pid; do sleep 0.01; done; mkdir -p out; echo > out/hero_x"
    )
    operation = rebuild(slot)
    await until(lambda: (slot.tree / "begun.pid").exists())
    asked = box.submitted[0]
    await box.stop()
    box.arrived.clear()
    await box.start()
    async with asyncio.timeout(DEADLINE):
        await box.arrived.wait()
    again = asyncio.create_task(box.call(box.build_of(asked)))
    (slot.tree / "go.pid").touch()
    assert (await slot.ended(operation)).state == "succeeded"
    assert (await again).state == "succeeded"
    assert (await box.call(box.build_of(asked))).state == "succeeded", "also once it is over"


async def test_a_cancelled_operation_leaves_the_queue(slot: Bench, box: PlayedBox) -> None:
    operation = await waiting(slot, box)
    slot.slot.context.operations.cancel(operation)
    assert (await slot.ended(operation)).state == "cancelled"
    asked = box.submitted[0].build_id
    await until(lambda: box.cancelled == [asked])
    late = await box.call(box.build_of(box.submitted[0]))
    assert late.state == "cancelled"
    box.on_submit = box.go
    assert (await rebuilt(slot)).state == "succeeded"


async def test_one_that_is_cancelled_before_the_box_answered_leaves_the_queue_too(
    slot: Bench, box: PlayedBox
) -> None:
    box.answering.clear()
    operation = await waiting(slot, box)
    slot.slot.context.operations.cancel(operation)
    assert (await slot.ended(operation)).state == "cancelled"
    await until(lambda: box.cancelled == [box.submitted[0].build_id])
    box.answering.set()


async def test_a_build_that_somebody_takes_out_of_the_queue_cancels_its_operation(
    slot: Bench, box: PlayedBox
) -> None:
    operation = await waiting(slot, box)
    told = box.build_of(box.submitted[0], state="cancelled", error="Cancelled by mik before it began.")
    await box.tell(told)
    ended = await slot.ended(operation)
    assert ended.state == "cancelled"
    assert "by mik" in ended.error.message


async def test_the_box_stops_a_build_of_an_operation(slot: Bench, box: PlayedBox) -> None:
    slot.push(command="touch begun.pid; sleep 1000")
    operation = rebuild(slot)
    await until(lambda: (slot.tree / "begun.pid").exists())
    asked = box.submitted[0].build_id
    await box.connections[-1].call("slot.build_stop", {"build_id": asked})
    assert (await box.answer(asked)).state == "cancelled"
    assert (await slot.ended(operation)).state == "cancelled"
    with pytest.raises(HeroError, match="does not run"):
        await box.connections[-1].call("slot.build_stop", {"build_id": asked})


async def test_a_word_for_an_operation_that_nobody_knows_is_answered_as_cancelled(
    slot: Bench, box: PlayedBox
) -> None:
    asked = BuildSubmitParams(
        user="alice", service=SERVICE, build_id="gone-1", attached=True, branch="development"
    )
    answer = await box.call(box.build_of(asked))
    assert answer.state == "cancelled"
    assert "restarted" in answer.error


async def test_a_failed_build_is_told_to_the_box_with_its_error(slot: Bench, box: PlayedBox) -> None:
    slot.push(command="echo 'no such crate' >&2; exit 7")
    ended = await rebuilt(slot)
    assert ended.state == "failed"
    answer = await box.answer(box.submitted[0].build_id)
    assert answer.state == "failed"
    assert "no such crate" in answer.error
    assert answer.hint == ended.error.hint if ended.error else False
    assert [phase.name for phase in answer.phases] == ["worktree", "queue", "compile"]


async def test_a_dirty_build_does_not_pass_for_one_of_its_commit(slot: Bench, box: PlayedBox) -> None:
    await rebuilt(slot)
    (slot.tree / "hero_x.sh").write_text("#!/bin/sh\necho mine\n")
    ended = await rebuilt(slot)
    assert ended.result["dirty"] is True
    assert box.submitted[1].commit == ""
    assert (await box.answer(box.submitted[1].build_id)).commit == ""


async def test_what_changed_while_a_build_waited_is_what_is_built(slot: Bench, box: PlayedBox) -> None:
    await rebuilt(slot)
    operation = await waiting(slot, box)
    (slot.tree / "hero_x.sh").write_text("#!/bin/sh\necho newer\n")
    run(slot.tree, "commit", "-qam", "While it waited")
    box.begin(box.submitted[1])
    ended = await slot.ended(operation)
    assert ended.result["dirty"] is False
    assert (await box.answer(box.submitted[1].build_id)).commit == run(slot.tree, "rev-parse", "HEAD")
