"""The build queue against slots that misbehave, disks that refuse, and requests that cross each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from backends.box.queue import keeping
from backends.box.queue import queue as queue_module
from backends.model.build_calls import BuildListParams
from backends.model.errors import HeroError
from tests.backends.box.build_queue.slots import Yard, yard


@pytest.fixture
async def box(short_dir: Path) -> AsyncIterator[Yard]:
    async with yard(short_dir) as made:
        yield made


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.005)


async def full(_: object) -> Any:
    await asyncio.sleep(0)
    raise HeroError("no_space", "The disk is full.")


@pytest.mark.parametrize("lie", [{"phases": [{"name": "x", "seconds": "inf"}]}, {"error": "\ud800\x1b[2J"}])
async def test_what_a_slot_answers_never_takes_the_list_from_the_others(box: Yard, lie: dict[str, Any]) -> None:
    eve = await box.slot("eve")
    asked = await box.submit("eve")
    await box.until_begun(eve, asked.build_id)
    eve.end(asked.build_id, **lie)
    await box.until(asked.build_id, "succeeded")
    await box.restart()
    assert [one.id for one in (await box.queue.listed(BuildListParams())).builds] == [asked.build_id]


async def test_a_row_that_cannot_be_read_does_not_hide_the_others(box: Yard) -> None:
    bad, good = await box.submit("mik", "hero_a"), await box.submit("mik", "hero_b")
    await box.database.run(lambda db: db.execute("UPDATE builds SET data = '{}' WHERE id = ?", (bad.build_id,)))
    await box.restart()
    assert [one.id for one in (await box.queue.listed(BuildListParams())).builds] == [good.build_id]


@pytest.mark.parametrize(
    "wrong",
    [{"branch": "\ud800"}, {"branch": "a..b"}, {"service": "../x"}, {"repo": "x"}, {"build_id": "\x1b[2J"}],
)
async def test_names_that_could_never_be_right_are_refused(box: Yard, wrong: dict[str, str]) -> None:
    with pytest.raises(HeroError) as caught:
        await box.submit("mik", **wrong)
    assert caught.value.code == "usage"


async def test_a_slot_that_stays_away_gives_its_place_to_others(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "AWAY_SECONDS", 0.05)
    async with yard(short_dir, at_once=1) as box:
        mik, alice = await box.slot("mik"), await box.slot("alice")
        lost = await box.submit("mik")
        await box.until_begun(mik, lost.build_id)
        await mik.leave()
        other = await box.submit("alice")
        await box.until_begun(alice, other.build_id)
        mik.end(lost.build_id)
        await box.connect(mik)
        await box.until(lost.build_id, "succeeded")


async def test_a_build_in_a_slot_that_is_away_can_be_cancelled_and_is_stopped_when_it_comes(box: Yard) -> None:
    mik = await box.slot("mik")
    asked = await box.submit("mik")
    await box.until_begun(mik, asked.build_id)
    await mik.leave()
    await until(lambda: box.links.get("mik") is None)
    assert (await box.queue.cancel(asked.build_id, "alice")).state == "cancelled"
    await box.connect(mik)
    await until(mik.ends[asked.build_id].done)
    assert (await box.queue.get(asked.build_id)).error.startswith("Cancelled by alice")


async def test_a_slot_that_puts_a_build_off_for_ever_fails_it(box: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backends.box.queue.ask.RETRY_SECONDS", 0.0001)
    mik = await box.slot("mik")

    async def refuse(_: object) -> Any:
        raise HeroError("busy", "Too many calls at once on this connection.")

    monkeypatch.setattr(mik, "_build", refuse)
    asked = await box.submit("mik")
    assert "Too many calls" in (await box.until(asked.build_id, "failed")).error


async def test_a_request_that_meets_a_cancel_is_told_so_and_nothing_is_told_after_the_end(box: Yard) -> None:
    mik = await box.slot("mik")
    first, waiting = await box.submit("mik", "hero_a"), await box.submit("mik", "hero_b")
    await box.until_begun(mik, first.build_id)
    late = asyncio.create_task(box.submit("mik", "hero_b"))
    await asyncio.sleep(0)
    await box.queue.cancel(waiting.build_id, "alice")
    assert (await late).state == "cancelled"
    assert [one.state for one in box.told if one.id == waiting.build_id][-1] == "cancelled"


async def test_paging_through_what_waits_comes_to_all_that_ended(box: Yard) -> None:
    for name in ("hero_x", "hero_y"):
        await box.submit("mik", name)
    alice = await box.slot("alice")
    for number in range(3):
        asked = await box.submit("alice", f"hero_{number}")
        await box.until_begun(alice, asked.build_id)
        alice.end(asked.build_id)
        await box.until(asked.build_id, "succeeded")
    seen: list[str] = []
    before = None
    while True:
        page = await box.queue.listed(BuildListParams(limit=1, before=before))
        assert len(page.builds) == 1
        seen.append(page.builds[0].service)
        before = page.builds[-1].id
        if not page.more:
            break
    assert seen == ["hero_x", "hero_y", "hero_2", "hero_1", "hero_0"]


async def test_requests_that_a_full_disk_refuses_leave_nothing_behind(
    box: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(box.database, "run", full)
        answers = await asyncio.gather(*(box.submit("mik") for _ in range(3)), return_exceptions=True)
    assert all(isinstance(one, HeroError) and one.code == "no_space" for one in answers)
    assert not (await box.queue.listed(BuildListParams())).builds


async def test_an_end_that_a_full_disk_refuses_counts_and_is_kept_later(
    box: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "AGAIN_SECONDS", 0.02)
    mik = await box.slot("mik")
    asked = await box.submit("mik")
    await box.until_begun(mik, asked.build_id)
    with monkeypatch.context() as patched:
        patched.setattr(box.database, "run", full)
        mik.end(asked.build_id)
        await box.until(asked.build_id, "succeeded")
    await until(lambda: asked.build_id not in box.queue._keeping.unkept)
    await box.restart()
    assert (await box.queue.get(asked.build_id)).state == "succeeded"


async def test_an_end_that_is_not_on_the_disk_yet_is_listed_once(
    box: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    mik = await box.slot("mik")
    first, second = await box.submit("mik", "hero_a"), await box.submit("mik", "hero_b")
    monkeypatch.setattr(box.queue._keeping, "keep", full)
    for asked in (first, second):
        await box.until_begun(mik, asked.build_id)
        mik.end(asked.build_id)
        await box.until(asked.build_id, "succeeded")
    ids = [second.build_id, first.build_id]
    page = await box.queue.listed(BuildListParams(states=("succeeded",)))
    assert [one.id for one in page.builds] == ids
    pages = [await box.queue.listed(BuildListParams(limit=1, before=before)) for before in (None, ids[0])]
    assert [one.id for page in pages for one in page.builds] == ids
    assert [page.more for page in pages] == [True, False]
    monkeypatch.undo()
    await box.queue._keeping.keep(await box.queue.get(first.build_id))  # between the look at it and at the disk
    assert [one.id for one in (await box.queue.listed(BuildListParams())).builds] == ids


async def test_many_builds_wait_without_holding_up_the_box(box: Yard) -> None:
    await box.slot("mik")
    asked = await asyncio.gather(*(box.submit("mik", f"hero_{number}") for number in range(1000)))
    assert len({one.build_id for one in asked}) == 1000
