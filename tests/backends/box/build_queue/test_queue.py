"""The build queue over real connections: turns, coalescing, cancels, losses of either daemon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from backends.model.build_calls import BuildListParams
from backends.model.errors import HeroError
from tests.backends.box.build_queue.slots import GIB, Yard, yard

HEAD = "a" * 40
NEXT = "b" * 40


@pytest.fixture
async def box(short_dir: Path) -> AsyncIterator[Yard]:
    async with yard(short_dir) as made:
        yield made


async def test_a_build_is_run_by_its_slot_and_its_end_is_kept_and_told(box: Yard) -> None:
    mik = await box.slot("mik")
    asked = await box.submit("mik", commit=HEAD, publish=True)
    await box.until_begun(mik, asked.build_id)
    mik.end(asked.build_id, tag="development-aaaaaaaa", phases=[{"name": "compile", "seconds": 2.5}])
    ended = await box.until(asked.build_id, "succeeded")
    assert ended.tag == "development-aaaaaaaa"
    assert [phase.name for phase in ended.phases] == ["queue", "compile"]
    await box.until_told("queued", "running", "succeeded")
    await box.restart()
    assert (await box.queue.get(asked.build_id)) == ended


async def test_what_is_asked_for_while_a_build_runs_becomes_one_build_behind_it(box: Yard) -> None:
    mik = await box.slot("mik")
    first = await box.submit("mik", commit=HEAD)
    await box.until_begun(mik, first.build_id)
    more = [await box.submit("mik", commit=NEXT, priority="background") for _ in range(5)]
    assert len({one.build_id for one in more}) == 1
    assert more[0].build_id != first.build_id
    assert [one.coalesced for one in more] == [False, True, True, True, True]
    mik.end(first.build_id)
    await box.until_begun(mik, more[0].build_id)
    assert (await box.queue.get(more[0].build_id)).coalesced == 4
    assert mik.begun == [first.build_id, more[0].build_id]


async def test_a_thousand_requests_for_three_bindings_become_a_handful_of_builds(box: Yard) -> None:
    asked = await asyncio.gather(*(box.submit("mik", f"hero_{number % 3}") for number in range(1000)))
    assert len({one.build_id for one in asked}) == 3
    listed = await box.queue.listed(BuildListParams())
    assert sum(one.coalesced + 1 for one in listed.builds) == 1000


async def test_one_build_runs_in_a_slot_and_no_more_on_the_box_than_it_has_room_for(box: Yard) -> None:
    slots = [await box.slot(name) for name in ("alice", "mik", "thabet")]
    asked = [await box.submit(slot.name, f"hero_{number}") for slot in slots for number in range(2)]
    await box.until_begun(slots[0], asked[0].build_id)
    await box.until_begun(slots[1], asked[2].build_id)
    waiting = {
        one.id: one.waits_for for one in (await box.queue.listed(BuildListParams(states=("queued",)))).builds
    }
    assert waiting[asked[1].build_id] == "Another build of this slot runs."
    assert waiting[asked[4].build_id] == "2 of 2 builds run on the box."
    assert not slots[2].begun
    slots[0].end(asked[0].build_id)
    await box.until_begun(slots[2], asked[4].build_id)
    assert slots[0].begun == [asked[0].build_id]


async def test_a_person_goes_before_a_push(short_dir: Path) -> None:
    async with yard(short_dir, at_once=1) as box:
        alice, mik = await box.slot("alice"), await box.slot("mik")
        first = await box.submit("alice", "hero_a")
        await box.until_begun(alice, first.build_id)
        await box.submit("alice", "hero_b", priority="background")
        person = await box.submit("mik", "hero_c")
        alice.end(first.build_id)
        await box.until_begun(mik, person.build_id)
        assert alice.begun == [first.build_id]


async def test_without_memory_only_one_build_runs(short_dir: Path) -> None:
    async with yard(short_dir, memory=GIB // 2) as box:
        alice, mik = await box.slot("alice"), await box.slot("mik")
        first, second = await box.submit("alice"), await box.submit("mik")
        await box.until_begun(alice, first.build_id)
        assert "memory" in (await box.queue.get(second.build_id)).waits_for
        alice.end(first.build_id)
        await box.until_begun(mik, second.build_id)


async def test_a_queued_build_is_cancelled_at_once_and_its_slot_is_told(box: Yard) -> None:
    mik = await box.slot("mik")
    first, second = await box.submit("mik", "hero_a"), await box.submit("mik", "hero_b")
    await box.until_begun(mik, first.build_id)
    ended = await box.queue.cancel(second.build_id, "alice")
    assert (ended.state, ended.error) == ("cancelled", "Cancelled by alice before it began.")
    async with asyncio.timeout(30):
        while not any(one.id == second.build_id and one.state == "cancelled" for one in mik.news):
            await asyncio.sleep(0.005)
    with pytest.raises(HeroError, match="over already"):
        await box.queue.cancel(second.build_id, "alice")


async def test_a_running_build_is_stopped_by_its_slot(box: Yard) -> None:
    mik = await box.slot("mik")
    asked = await box.submit("mik")
    await box.until_begun(mik, asked.build_id)
    assert (await box.queue.cancel(asked.build_id, "alice")).state == "cancelled"


async def test_a_slot_that_is_away_gets_its_build_when_it_comes(box: Yard) -> None:
    asked = await box.submit("mik")
    assert (await box.queue.get(asked.build_id)).waits_for == "The daemon of mik's slot is away."
    mik = await box.slot("mik")
    await box.until_begun(mik, asked.build_id)


async def test_a_build_whose_slot_was_lost_is_asked_for_again_and_run_once(box: Yard) -> None:
    mik = await box.slot("mik")
    asked = await box.submit("mik")
    await box.until_begun(mik, asked.build_id)
    await mik.leave()
    async with asyncio.timeout(30):
        while not (await box.queue.get(asked.build_id)).waits_for:
            await asyncio.sleep(0.005)
    mik.end(asked.build_id)
    await box.connect(mik)
    await box.until(asked.build_id, "succeeded")
    assert mik.begun == [asked.build_id]


async def test_a_build_that_ran_when_the_box_stopped_is_run_once(box: Yard) -> None:
    mik = await box.slot("mik")
    running, waiting = await box.submit("mik", "hero_a"), await box.submit("mik", "hero_b")
    await box.until_begun(mik, running.build_id)
    await box.restart()
    mik.end(running.build_id)
    await box.until(running.build_id, "succeeded")
    await box.until_begun(mik, waiting.build_id)
    assert mik.begun == [running.build_id, waiting.build_id]


async def test_an_attached_build_is_known_by_its_own_id_and_let_go_with_its_slot(box: Yard) -> None:
    mik = await box.slot("mik")
    busy = await box.submit("mik", "hero_a")
    await box.until_begun(mik, busy.build_id)
    for _ in range(2):
        asked = await box.submit("mik", "hero_b", build_id="hero_b-1", attached=True)
        assert (asked.build_id, asked.coalesced) == ("hero_b-1", False)
    with pytest.raises(HeroError) as caught:
        await box.submit("alice", "hero_b", build_id="hero_b-1", attached=True)
    assert caught.value.code == "conflict"
    await mik.leave()
    assert "without its turn" in (await box.until("hero_b-1", "cancelled")).error


async def test_an_attached_build_that_waited_when_the_box_stopped_is_let_go(box: Yard) -> None:
    mik = await box.slot("mik")
    busy = await box.submit("mik", "hero_a")
    await box.until_begun(mik, busy.build_id)
    await box.submit("mik", "hero_b", build_id="hero_b-1", attached=True)
    await box.restart()
    assert (await box.until("hero_b-1", "cancelled")).error


async def test_what_a_slot_tells_of_its_end_cannot_change_whose_build_it_was(box: Yard) -> None:
    mik = await box.slot("mik")
    asked = await box.submit("mik", commit=HEAD)
    await box.until_begun(mik, asked.build_id)
    mik.end(asked.build_id, slot="alice", service="x", error="\x1b[2Jgone", commit="nonsense", state="queued")
    ended = await box.until(asked.build_id, "failed")
    assert (ended.slot, ended.service, ended.commit) == ("mik", "hero_web", HEAD)
    assert "\x1b" not in ended.error


async def test_the_history_is_read_page_by_page(box: Yard) -> None:
    mik = await box.slot("mik")
    for number in range(5):
        asked = await box.submit("mik", f"hero_{number}")
        await box.until_begun(mik, asked.build_id)
        mik.end(asked.build_id)
        await box.until(asked.build_id, "succeeded")
    first = await box.queue.listed(BuildListParams(limit=3))
    assert [one.service for one in first.builds] == ["hero_4", "hero_3", "hero_2"]
    assert first.more
    rest = await box.queue.listed(BuildListParams(limit=3, before=first.builds[-1].id))
    assert [one.service for one in rest.builds] == ["hero_1", "hero_0"]
    assert not rest.more
    found = await box.queue.of_commit("mik", "hero_0", "development", "")
    assert [one.service for one in found] == ["hero_0"]
