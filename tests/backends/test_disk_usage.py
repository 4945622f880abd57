"""Measuring folders: what is counted and what is not, its bounds, and that a cancel leaves no process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

import psutil
import pytest

from backends import disk_walk
from backends.disk_usage import Job, Measured, measure
from backends.model.errors import HeroError

MIB = 1 << 20


async def sizes(*jobs: Job) -> dict[Path, Measured]:
    return {job.folder: measured async for job, measured in measure(jobs)}


def fill(path: Path, count: int = MIB) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * count)
    return path


async def test_each_folder_is_told_as_its_disk_has_it(tmp_path: Path) -> None:
    fill(tmp_path / "a" / "deep" / "er" / "one")
    fill(tmp_path / "a" / "target" / "two", 2 * MIB)
    with (tmp_path / "a" / "sparse").open("wb") as sparse:
        sparse.truncate(50 * MIB)
    whole = Job(tmp_path / "a", (tmp_path / "a" / "target",))
    found = await sizes(whole, Job(tmp_path / "a" / "target"), Job(tmp_path / "gone"))
    assert MIB <= found[tmp_path / "a"].size < 2 * MIB
    assert found[tmp_path / "a"].files == 2
    assert 2 * MIB <= found[tmp_path / "a" / "target"].size < 3 * MIB
    assert found[tmp_path / "gone"] == Measured()


async def test_no_link_is_followed_and_a_file_with_two_names_is_counted_once(tmp_path: Path) -> None:
    fill(tmp_path / "outside" / "big", 4 * MIB)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "a" / "ring").symlink_to(".")
    fill(tmp_path / "b" / "one")
    os.link(tmp_path / "b" / "one", tmp_path / "a" / "same")
    found = await sizes(Job(tmp_path / "a"), Job(tmp_path / "b"), Job(tmp_path / "a" / "link"))
    together = found[tmp_path / "a"].size + found[tmp_path / "b"].size
    assert MIB <= together < 2 * MIB
    assert found[tmp_path / "a" / "link"].size < MIB


async def test_names_that_are_no_text_and_bear_escapes_are_measured(tmp_path: Path) -> None:
    strange = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[2J\n")
    fill(Path(strange) / "one")
    assert (await sizes(Job(Path(strange))))[Path(strange)].size >= MIB


async def test_what_may_not_be_entered_makes_the_sum_a_part(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may enter everywhere")
    (tmp_path / "shut").mkdir(mode=0)
    assert not (await sizes(Job(tmp_path)))[tmp_path].complete


def test_a_tree_of_more_than_the_bound_is_given_up(tmp_path: Path) -> None:
    for number in range(50):
        fill(tmp_path / f"d{number % 5}" / str(number), 1)
    told = disk_walk.measured(str(tmp_path), frozenset(), set(), time.monotonic() + 60, most=20)
    assert told[1] <= 20
    assert told[2] is False


async def test_very_many_folders_go_to_several_children(tmp_path: Path) -> None:
    names = [tmp_path / f"{number:05}{'x' * 200}" for number in range(1500)]
    names[-1].mkdir()
    fill(names[-1] / "one")
    found = await sizes(*(Job(name) for name in names))
    assert len(found) == 1500
    assert found[names[-1]].files == 1


async def test_who_looks_no_more_leaves_no_process(tmp_path: Path) -> None:
    before = {one.pid for one in psutil.Process().children(recursive=True)}
    jobs = [Job(Path("/usr")), Job(Path("/"))]

    async def look() -> None:
        async with contextlib.aclosing(measure(jobs)) as results:
            async for _ in results:
                raise AssertionError("all of /usr in no time")

    task = asyncio.create_task(look())
    async with asyncio.timeout(30):
        while not {one.pid for one in psutil.Process().children()} - before:
            await asyncio.sleep(0.005)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert {one.pid for one in psutil.Process().children(recursive=True)} <= before


async def test_a_child_that_is_killed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "dies.py"
    script.write_text("import os; os.kill(os.getpid(), 9)")
    monkeypatch.setattr("backends.disk_usage._SCRIPT", script)
    with pytest.raises(HeroError, match="before its time"):
        await sizes(Job(tmp_path))
