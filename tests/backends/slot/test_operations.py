"""Long calls: one at a time a service, cancelled cleanly, reported when a kill cut them off."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.model.state import Operation
from backends.slot.operations import KEPT, Operations, Progress


async def nothing(_: Progress) -> dict[str, Any]:
    return {"said": "done"}


async def test_an_operation_tells_its_phases_and_its_end(tmp_path: Path) -> None:
    operations = Operations(tmp_path)
    seen: list[Operation] = []
    operations.watch(seen.append)

    async def work(progress: Progress) -> dict[str, Any]:
        progress.tell("download", 3, 10)
        return {"hash": "abc"}

    ended = await operations.wait(operations.start("switch", work, service="hero_db"))
    assert ended.state == "succeeded"
    assert ended.result == {"hash": "abc"}
    assert ended.finished_at is not None
    assert next((one.phase, one.done, one.total) for one in seen if one.phase) == ("download", 3, 10)
    assert list(tmp_path.iterdir()) == []


async def test_a_second_operation_on_a_service_is_refused_and_names_the_first(tmp_path: Path) -> None:
    operations = Operations(tmp_path)
    release = asyncio.Event()

    async def work(_: Progress) -> dict[str, Any]:
        await release.wait()
        return {}

    first = operations.start("switch", work, service="hero_db", title="switch hero_db x")
    with pytest.raises(HeroError, match="switch hero_db x") as caught:
        operations.start("switch", work, service="hero_db")
    assert caught.value.code == "busy"
    assert caught.value.data == {"operation": first}
    release.set()
    await operations.wait(first)
    assert (await operations.wait(operations.start("stop", nothing, service="hero_db"))).state == "succeeded"


async def test_an_operation_that_needs_a_held_service_takes_none(tmp_path: Path) -> None:
    operations = Operations(tmp_path)
    release = asyncio.Event()

    async def work(_: Progress) -> dict[str, Any]:
        await release.wait()
        return {}

    held = operations.start("switch", work, service="b")

    async def all_of_them(progress: Progress) -> dict[str, Any]:
        operations.hold(["a", "b"], progress.id)
        return {}

    ended = await operations.wait(operations.start("pull", all_of_them))
    assert ended.error is not None
    assert ended.error.code == "busy"
    assert operations.running_on("a") is None
    release.set()
    await operations.wait(held)


async def test_a_service_that_an_operation_is_done_with_is_free_before_it_ends(tmp_path: Path) -> None:
    operations = Operations(tmp_path)
    released, end = asyncio.Event(), asyncio.Event()

    async def work(progress: Progress) -> dict[str, Any]:
        operations.hold(["a", "b"], progress.id)
        operations.release("a", progress.id)
        operations.release("not held", progress.id)
        released.set()
        await end.wait()
        return {}

    first = operations.start("start", work)
    await released.wait()
    assert (await operations.wait(operations.start("stop", nothing, service="a"))).state == "succeeded"
    with pytest.raises(HeroError):
        operations.start("stop", nothing, service="b")
    end.set()
    await operations.wait(first)


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_cancelled_operation_says_so(tmp_path: Path, at_once: bool) -> None:
    operations = Operations(tmp_path)
    begun = asyncio.Event()

    async def work(_: Progress) -> dict[str, Any]:
        begun.set()
        await asyncio.Event().wait()
        return {}

    id_ = operations.start("rebuild", work, service="a")
    if not at_once:
        await begun.wait()
    operations.cancel(id_)
    ended = await operations.wait(id_)
    assert ended.state == "cancelled"
    assert operations.running_on("a") is None
    with pytest.raises(HeroError, match="already ended"):
        operations.cancel(id_)


async def test_past_its_commit_an_operation_cannot_be_cancelled(tmp_path: Path) -> None:
    operations = Operations(tmp_path)
    committed, release = asyncio.Event(), asyncio.Event()

    async def work(progress: Progress) -> dict[str, Any]:
        progress.commit()
        committed.set()
        await release.wait()
        return {}

    id_ = operations.start("switch", work, service="a")
    await committed.wait()
    with pytest.raises(HeroError, match="past the point"):
        operations.cancel(id_)
    release.set()
    assert (await operations.wait(id_)).state == "succeeded"


async def test_a_defect_ends_the_operation_and_says_where_to_look(tmp_path: Path) -> None:
    operations = Operations(tmp_path)

    async def work(_: Progress) -> dict[str, Any]:
        raise KeyError("oops")

    ended = await operations.wait(operations.start("switch", work, service="a"))
    assert ended.state == "failed"
    assert ended.error is not None
    assert ended.error.code == "internal"
    assert "slotd.log" in ended.error.hint


async def test_what_a_kill_cut_off_is_told_once_after_the_restart(tmp_path: Path) -> None:
    before = Operations(tmp_path)
    id_ = before.start("switch", lambda _: asyncio.Event().wait(), service="a", title="switch a b")  # type: ignore[arg-type, return-value]
    kept = (tmp_path / f"{id_}.json").read_bytes()
    await before.close()
    (tmp_path / f"{id_}.json").write_bytes(kept)
    (tmp_path / "half.json").write_bytes(b"{")
    after = Operations(tmp_path)
    (told,) = after.interrupted()
    assert told.state == "failed"
    assert told.error is not None
    assert "switch a b" in told.error.message
    assert after.get(id_) == told
    assert Operations(tmp_path).interrupted() == []


async def test_an_unknown_operation_is_told_from_a_forgotten_one(tmp_path: Path) -> None:
    operations = Operations(tmp_path)
    ids = []
    for _ in range(KEPT + 3):
        ids.append(operations.start("stop", nothing))
        await operations.wait(ids[-1])
    with pytest.raises(HeroError) as caught:
        operations.get(ids[0])
    assert caught.value.code == "not_found"
    assert operations.get(ids[-1]).result == {"said": "done"}
