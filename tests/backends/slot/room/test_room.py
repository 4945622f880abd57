"""What a slot holds and what of it may go: nothing that runs, is bound, unpushed, tracked or lived in."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.host import CleanPlan
from backends.model.state import Operation
from backends.slot.room import cleaning, measuring
from backends.slot.room.cleaning import clean
from backends.slot.room.measuring import SlotRoom
from backends.slot.room.parts import TAG, targets_of
from tests.backends.slot.origins import run
from tests.backends.slot.slots import BRANCH, REPO, SERVICE, Bench, bench, manifest

OTHER = "feature/old"
SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n"


@pytest.fixture
async def bound() -> AsyncIterator[Bench]:
    """A slot bound to the trunk, with a worktree of another branch that has a build's folder in it."""
    async with bench() as made:
        made.push(branch=OTHER)
        (made.work / ".gitignore").write_text("out/\ntarget/\n")
        run(made.work, "commit", "-qam", "Ignore the target")
        run(made.work, "push", "-q", "origin", f"HEAD:refs/heads/{OTHER}")
        for branch in (BRANCH, OTHER):
            await made.slot.context.worktrees.ensure(SERVICE, REPO, branch)
        target(tree(made))
        yield made


def tree(made: Bench, branch: str = OTHER) -> Path:
    return made.slot.context.paths.worktree(SERVICE, branch)


def target(where: Path, name: str = "target", *, tagged: bool = True) -> Path:
    folder = where / name / "release"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "big").write_bytes(b"x" * 2_000_000)
    if tagged:
        (where / name / TAG).write_text(SIGNATURE)
    return where / name


def room(made: Bench, *lived_in: Path) -> SlotRoom:
    return SlotRoom(made.slot.context, lambda: [str(path) for path in lived_in])


def names(plan: CleanPlan) -> list[str]:
    return [item.name for item in plan.items]


def kept(plan: CleanPlan) -> dict[str, str]:
    return {item.name: item.why for item in plan.kept}


async def cleaned(made: Bench, *ids: str) -> Operation:
    """A clean of these, ended."""
    operations = made.slot.context.operations
    started = operations.start("clean", lambda progress: clean(made.slot.context, ids, lambda: (), progress))
    ended: Operation = await made.ended(started)
    return ended


TARGET = f"{SERVICE} {OTHER} target/"
ID = f"targets/{SERVICE}/feature%2Fold/target"


async def test_a_target_of_a_worktree_that_nothing_uses_may_go_and_goes(bound: Bench) -> None:
    plan = await room(bound).plan()
    assert [(item.id, item.name) for item in plan.items] == [(ID, TARGET)]
    assert plan.size >= 2_000_000
    before = sorted(path.name for path in tree(bound).iterdir())
    ended = await cleaned(bound, ID)
    assert ended.result["removed"] == [TARGET]
    assert ended.result["freed"] >= 2_000_000
    assert sorted(path.name for path in tree(bound).iterdir()) == [name for name in before if name != "target"]
    assert not list(tree(bound).parent.glob(".gone-*"))
    assert (await cleaned(bound, ID)).result["nothing_to_do"]


def dirty(made: Bench) -> None:
    (tree(made) / "notes.txt").write_text("mine")


def unpushed(made: Bench) -> None:
    run(tree(made), "commit", "-q", "--allow-empty", "-m", "Mine")


def merging(made: Bench) -> None:
    git_dir = run(tree(made), "rev-parse", "--absolute-git-dir")
    Path(git_dir, "MERGE_HEAD").write_text(run(tree(made), "rev-parse", "HEAD"))


def tracked(made: Bench) -> None:
    run(tree(made), "add", "-f", "target/release/big")
    run(tree(made), "commit", "-qm", "Keep it")
    run(tree(made), "push", "-q", "origin", f"HEAD:refs/heads/{OTHER}")
    run(tree(made), "fetch", "-q", "origin")


def not_ignored(made: Bench) -> None:
    exclude = Path(run(tree(made), "rev-parse", "--git-path", "info/exclude"))
    (tree(made) / exclude).parent.mkdir(exist_ok=True)
    run(tree(made), "rm", "-q", ".gitignore")
    (tree(made) / exclude).write_text("target/release/\ntarget/CACHEDIR.TAG\n")
    run(tree(made), "commit", "-qm", "Ignore nothing")
    run(tree(made), "push", "-q", "origin", f"HEAD:refs/heads/{OTHER}")
    run(tree(made), "fetch", "-q", "origin")


def untagged(made: Bench) -> None:
    (tree(made) / "target" / TAG).write_text("Signature: something else")


def bound_to_it(made: Bench) -> None:
    made.slot.context.paths.manifest.write_text(manifest(enabled="true").replace(BRANCH, OTHER))


def no_manifest(made: Bench) -> None:
    made.slot.context.paths.manifest.write_text("schema = ")


def no_repository(made: Bench) -> None:
    (tree(made) / ".git").unlink()


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (dirty, "not committed"),
        (unpushed, "the forge has not"),
        (merging, "in the middle of a merge"),
        (tracked, "git has files in it"),
        (not_ignored, "git does not ignore it"),
        (untagged, "CACHEDIR.TAG"),
        (bound_to_it, "is bound to this branch"),
        (no_manifest, "does not parse"),
        (no_repository, "in no worktree"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
async def test_a_target_stays_where_anything_speaks_for_it(
    bound: Bench, spoil: Callable[[Bench], None], why: str
) -> None:
    spoil(bound)
    plan = await room(bound).plan(("targets",))
    assert names(plan) == []
    assert why in kept(plan)[TARGET]
    ended = await cleaned(bound, ID)
    assert ended.result["removed"] == []
    assert why in ended.result["kept"][0]["why"]
    assert (tree(bound) / "target" / "release" / "big").exists()


async def test_a_target_stays_while_somebody_is_in_its_worktree(bound: Bench) -> None:
    inside = tree(bound) / "target" / "release"
    plan = await room(bound, tree(bound)).plan(("targets",))
    assert kept(plan)[TARGET] == "an agent works there"
    process = subprocess.Popen(["sleep", "1000"], cwd=inside)
    try:
        assert kept(await room(bound).plan(("targets",)))[TARGET] == "a process works there"
    finally:
        process.kill()
        process.wait()


async def test_a_target_that_is_a_link_is_none(bound: Bench, tmp_path: Path) -> None:
    outside = target(tmp_path, "outside")
    shutil.rmtree(tree(bound) / "target")
    (tree(bound) / "target").symlink_to(outside)
    assert targets_of(tree(bound)) == []
    assert names(await room(bound).plan()) == []
    assert (await cleaned(bound, ID)).result["kept"][0]["why"] == "it is gone already"
    assert (outside / "release" / "big").exists()


async def test_a_service_that_is_being_changed_keeps_its_things(bound: Bench) -> None:
    gate = asyncio.Event()

    async def wait(_: object) -> dict[str, object]:
        await gate.wait()
        return {}

    bound.slot.context.operations.start("rebuild", wait, service=SERVICE, title="rebuild it")
    assert kept(await room(bound).plan(("targets",)))[TARGET] == "rebuild it is running"
    assert (await cleaned(bound, ID)).result["kept"][0]["why"] == "rebuild it is running"
    gate.set()


async def test_what_becomes_work_between_plan_and_clean_stays(
    bound: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = cleaning._size

    async def slow(path: Path) -> int:
        dirty(bound)
        return await size(path)

    monkeypatch.setattr(cleaning, "_size", slow)
    ended = await cleaned(bound, ID)
    assert "not committed" in ended.result["kept"][0]["why"]
    assert (tree(bound) / "target").exists()


async def test_what_a_killed_clean_left_beside_is_removed_by_the_next(bound: Bench) -> None:
    left = target(tree(bound).parent, ".gone-abc")
    plan = await room(bound).plan(("targets",))
    assert f"{SERVICE} .gone-abc" in names(plan)
    await cleaned(bound, *(item.id for item in plan.items))
    assert not left.exists()
    assert not (tree(bound) / "target").exists()


async def test_versions_that_neither_run_nor_can_be_gone_back_to_may_go() -> None:
    async with bench(runs=True) as made:
        await _versions_may_go(made)


async def _versions_may_go(bound: Bench) -> None:
    slot = bound.slot.context
    for number in range(4):
        bound.push(f"#!/bin/sh\nexec sleep {1000 + number}\n")
        assert (await bound.ended(slot_rebuild(bound))).error is None
    folders = [one.folder for one in slot.installs.versions(SERVICE)]
    assert len(folders) == 4
    plan = await room(bound).plan(("versions",))
    assert sorted(names(plan)) == sorted(f"{SERVICE} {one}" for one in folders[2:])
    assert sorted(kept(plan).values()) == ["`switch --back` returns to it", "it is what runs, or would run"]
    ended = await cleaned(bound, *(item.id for item in plan.items), f"versions/{SERVICE}/{folders[0]}")
    assert len(ended.result["removed"]) == 2
    assert [one.folder for one in slot.installs.versions(SERVICE)] == folders[:2]
    assert slot.installs.current(SERVICE) is not None


def slot_rebuild(made: Bench) -> str:
    """A rebuild of the service, installed and not started."""
    from backends.slot.switching import run_binding

    slot = made.slot.context

    async def rebuild(progress: object) -> dict[str, object]:
        await slot.worktrees.advance(SERVICE, REPO, BRANCH)
        return await run_binding(slot, slot.bound(SERVICE), None, progress, start=False)  # type: ignore[arg-type]

    return slot.operations.start("rebuild", rebuild, service=SERVICE)


async def test_only_rotated_logs_go(bound: Bench, tmp_path: Path) -> None:
    logs = bound.slot.context.paths.log
    logs.mkdir(parents=True, exist_ok=True)
    for name in ("hero_x.log", "hero_x.log.1", "hero_x.log.2", "hero_x.log.backup", "slotd.out"):
        (logs / name).write_text("said\n")
    (tmp_path / "else").write_text("not ours")
    (logs / "evil.log.1").symlink_to(tmp_path / "else")
    (logs / "folder.log.1").mkdir()
    plan = await room(bound).plan(("logs",))
    assert names(plan) == ["hero_x.log.1", "hero_x.log.2"]
    await cleaned(bound, *(item.id for item in plan.items), "logs/../../cfg/dev_manifest.toml")
    assert sorted(path.name for path in logs.iterdir() if path.name.startswith("hero_x")) == [
        "hero_x.log",
        "hero_x.log.backup",
    ]
    assert bound.slot.context.paths.manifest.exists()


async def test_everything_is_measured_once_and_the_next_daemon_knows_it(bound: Bench) -> None:
    paths = bound.slot.context.paths
    (paths.data("hero_x")).mkdir(parents=True)
    (paths.data("hero_x") / "db").write_bytes(b"x" * 1_000_000)
    strange = paths.src / SERVICE / "evil\x1b[2Jname"
    strange.mkdir()
    measured = await room(bound).disk(measured=True)
    parts = {(part.kind, part.name): part for part in measured.parts}
    assert parts["target", TARGET].reclaimable == parts["target", TARGET].size >= 2_000_000
    assert parts["target", TARGET].verb == "hero_dev clean --kind targets"
    assert parts["worktree", f"{SERVICE} {OTHER}"].size < 1_000_000
    assert parts["data", "hero_x"].size >= 1_000_000
    assert parts["clone", REPO].size > 0
    assert ("worktree", f"{SERVICE} evilname") in parts
    assert measured.space is not None
    assert measured.space.total > 0
    again = await room(bound).disk(measured=False)
    assert again.parts == measured.parts
    assert again.measured_at == measured.measured_at
    du = subprocess.run(
        ["du", "-s", "--block-size=1", str(paths.root)], capture_output=True, text=True, check=True
    )
    assert abs(int(du.stdout.split()[0]) - sum(part.size for part in measured.parts)) < 100_000


async def test_a_kept_measurement_that_is_damaged_is_none(bound: Bench) -> None:
    state = bound.slot.context.paths.var / "state"
    state.mkdir(parents=True, exist_ok=True)
    (state / "disk.json").write_bytes(os.urandom(100))
    told = await room(bound).disk(measured=False)
    assert told.parts == ()
    assert told.measured_at is None


async def test_a_measurement_is_stopped_and_two_that_ask_share_one(
    bound: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, begun = asyncio.Event(), asyncio.Event()
    real = measuring._sizes
    count = 0

    async def held(folders: object) -> object:
        nonlocal count
        count += 1
        begun.set()
        await gate.wait()
        return await real(folders)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring, "_sizes", held)
    mine = room(bound)
    first = asyncio.create_task(mine.disk(measured=True))
    await asyncio.wait_for(begun.wait(), 30)
    assert (await mine.disk(measured=False)).measuring
    mine.stop()
    with pytest.raises(HeroError, match="stopped"):
        await first
    gate.set()
    both = await asyncio.gather(mine.disk(measured=True), mine.disk(measured=True))
    assert both[0].measured_at == both[1].measured_at
    assert count <= 4
