"""The queue under any sequence of requests, ends, losses and restarts: nothing lost, nothing run twice."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.model.build_calls import BuildListParams
from backends.model.errors import HeroError
from tests.backends.box.build_queue.slots import FakeSlot, Yard, yard

SLOTS = ("alice", "mik", "thabet")
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.sampled_from(SLOTS), st.sampled_from(("a", "b"))),
        st.tuples(st.sampled_from(("end", "fail", "lose", "back", "cancel")), st.sampled_from(SLOTS), st.just("")),
        st.tuples(st.just("restart"), st.just(""), st.just("")),
    ),
    max_size=25,
)
ENDED = {"succeeded", "failed", "cancelled", "superseded"}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(ACTIONS)
def test_every_request_comes_to_one_end(actions: list[tuple[str, str, str]]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    try:
        asyncio.run(_play(folder, actions))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _play(folder: Path, actions: list[tuple[str, str, str]]) -> None:
    asked: set[str] = set()
    async with yard(folder, at_once=2) as box:
        slots = {name: await box.slot(name) for name in SLOTS}
        for action, name, service in actions:
            if action == "submit":
                asked.add((await box.submit(name, f"hero_{service}")).build_id)
            else:
                await _act(box, action, slots.get(name))
            await asyncio.sleep(0.002)
            _check(box)
        await _drain(box, slots)
        for build in asked:
            assert (await box.queue.get(build)).state in ENDED
        for slot in slots.values():
            assert len(slot.begun) == len(set(slot.begun))
        assert not (await box.queue.listed(BuildListParams(states=("queued", "running")))).builds


async def _act(box: Yard, action: str, slot: FakeSlot | None) -> None:
    if slot is None:
        await box.restart()
        return
    running = [one for one in box.queue._in_state("running") if one.slot == slot.name and one.id in slot.ends]
    if action in ("end", "fail"):
        for one in running:
            slot.end(one.id, "succeeded" if action == "end" else "failed")
    elif action == "lose":
        await slot.leave()
    elif action == "back" and slot.connection is None:
        await box.connect(slot)
    elif action == "cancel" and slot.connection is not None:
        for build in [one for one in box.queue._active.values() if one.slot == slot.name][:1]:
            with contextlib.suppress(HeroError):
                await box.queue.cancel(build.id, "alice")


def _check(box: Yard) -> None:
    running = box.queue._in_state("running")
    assert len({one.slot for one in running}) == len(running)
    assert len(running) <= box.at_once
    waiting = [(one.slot, one.service) for one in box.queue._in_state("queued")]
    assert len(set(waiting)) == len(waiting)


async def _drain(box: Yard, slots: dict[str, FakeSlot]) -> None:
    """Bring everybody back, and let every build end."""
    for slot in slots.values():
        if slot.connection is None:
            await box.connect(slot)
    async with asyncio.timeout(20):
        while box.queue._active:
            for slot in slots.values():
                for build in list(slot.ends):
                    slot.end(build)
            await asyncio.sleep(0.005)
