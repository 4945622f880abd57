"""A worktree goes where the forge goes, also to a rewritten branch, and never over anybody's work."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.slot.worktrees import Worktree, Worktrees
from tests.backends.slot.origins import Origin, run

pytestmark = pytest.mark.usefixtures("identity")

REPO = "lhumina/hero_slides"
SERVICE = "hero_slides"
BRANCH = "development"


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    made = Origin(tmp_path)
    made.commit(".gitignore", "target/\n*.cache\n", BRANCH)
    return made


@pytest.fixture
def trees(tmp_path: Path, origin: Origin) -> Worktrees:
    return Worktrees(SlotPaths(tmp_path / "hero"), {REPO: str(origin.path)})


def advance(trees: Worktrees) -> Awaitable[Worktree]:
    return trees.advance(SERVICE, REPO, BRANCH)


async def refused(trees: Worktrees) -> HeroError:
    with pytest.raises(HeroError) as error:
        await advance(trees)
    return error.value


def rewrite(origin: Origin, name: str = "readme", text: str = "rewritten\n") -> str:
    """Somebody amends the newest commit and pushes it by force; the new head."""
    run(origin.work, "checkout", "-q", BRANCH)
    (origin.work / name).write_text(text)
    run(origin.work, "add", "--all", "--force")
    run(origin.work, "commit", "-q", "--amend", "-m", "Rewritten")
    run(origin.work, "push", "-q", "--force", "origin", BRANCH)
    return run(origin.work, "rev-parse", "HEAD")


def everything(folder: Path) -> dict[str, bytes]:
    found = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".git"}
    asked = (("rev-parse", "HEAD"), ("rev-parse", "--symbolic-full-name", "HEAD"), ("status", "--porcelain"))
    return found | {" ".join(args): run(folder, *args).encode() for args in asked}


async def test_a_missing_worktree_is_made_at_the_forges_head(trees: Worktrees, origin: Origin) -> None:
    tree = await advance(trees)
    assert tree.commit == run(origin.work, "rev-parse", "HEAD")
    assert not tree.dirty


async def test_a_clean_worktree_goes_forward(trees: Worktrees, origin: Origin) -> None:
    await advance(trees)
    newest = origin.commit("readme", "new\n", BRANCH)
    tree = await advance(trees)
    assert (tree.commit, (tree.path / "readme").read_text()) == (newest, "new\n")
    assert run(tree.path, "rev-parse", "--abbrev-ref", "@{upstream}") == f"origin/{BRANCH}"


@pytest.mark.parametrize("fetched", [False, True])
async def test_a_branch_that_was_rewritten_on_the_forge_is_followed(
    trees: Worktrees, origin: Origin, fetched: bool
) -> None:
    origin.commit("gone", "x", BRANCH)
    tree = await advance(trees)
    (tree.path / "target").mkdir()
    (tree.path / "target" / "object.o").write_text("kept for the next build")
    head = rewrite(origin)
    if fetched:  # as every push here does, before any build
        await trees.fetch(REPO)
    moved = await advance(trees)
    assert (moved.commit, moved.dirty) == (head, False)
    assert (tree.path / "readme").read_text() == "rewritten\n"
    assert (tree.path / "target" / "object.o").read_text() == "kept for the next build"


async def test_a_branch_that_was_set_back_on_the_forge_is_followed(trees: Worktrees, origin: Origin) -> None:
    before = run(origin.work, "rev-parse", "HEAD")
    origin.commit("oops", "x", BRANCH)
    await advance(trees)
    run(origin.work, "reset", "-q", "--hard", before)
    run(origin.work, "push", "-q", "--force", "origin", BRANCH)
    tree = await advance(trees)
    assert tree.commit == before
    assert not (tree.path / "oops").exists()


async def test_a_branch_that_is_gone_from_the_forge_is_told(trees: Worktrees, origin: Origin) -> None:
    tree = await advance(trees)
    origin.commit("x", "x", "development_mik")
    run(origin.path, "branch", "-D", BRANCH)
    before = everything(tree.path)
    assert (await refused(trees)).code == "not_found"
    assert everything(tree.path) == before


async def test_a_forge_that_is_away_is_told_and_not_guessed(
    trees: Worktrees, origin: Origin, tmp_path: Path
) -> None:
    tree = await advance(trees)
    origin.path.rename(tmp_path / "away")
    before = everything(tree.path)
    assert (await refused(trees)).code in ("not_found", "unreachable")
    assert everything(tree.path) == before


def edit(tree: Path) -> None:
    (tree / "readme").write_text("mine\n")


def stage(tree: Path) -> None:
    (tree / "readme").write_text("mine\n")
    run(tree, "add", "readme")


def remove(tree: Path) -> None:
    (tree / "readme").unlink()


def leave_untracked(tree: Path) -> None:
    (tree / "notes").write_text("mine\n")


def commit(tree: Path) -> None:
    edit(tree)
    run(tree, "commit", "-qam", "Mine, not pushed")


def amend(tree: Path) -> None:
    edit(tree)
    run(tree, "commit", "-q", "--all", "--amend", "-m", "Mine, instead of what was pushed")


def merge(tree: Path) -> None:
    run(tree, "checkout", "-q", "-b", "side", "HEAD~1")
    (tree / "side").write_text("mine\n")
    run(tree, "add", "side")
    run(tree, "commit", "-qm", "Mine, on the side")
    run(tree, "checkout", "-q", BRANCH)
    run(tree, "merge", "-q", "--no-edit", "side")


def stand_elsewhere(tree: Path) -> None:
    run(tree, "switch", "-qc", "other")


def detach(tree: Path) -> None:
    run(tree, "switch", "-q", "--detach")


def rebase(tree: Path) -> None:
    commit(tree)
    env_stops = ["-c", "sequence.editor=sed -i 1s/pick/edit/"]
    subprocess.run(["git", *env_stops, "rebase", "-q", "-i", "HEAD~1"], cwd=tree, check=True, capture_output=True)


def pick(tree: Path) -> None:
    run(tree, "checkout", "-q", "-b", "side", "HEAD~1")
    (tree / "readme").write_text("theirs\n")
    run(tree, "commit", "-qam", "Side")
    run(tree, "checkout", "-q", BRANCH)
    (tree / "readme").write_text("ours\n")
    run(tree, "commit", "-qam", "Ours")
    subprocess.run(["git", "cherry-pick", "side"], cwd=tree, check=False, capture_output=True)


WORK = [edit, stage, remove, leave_untracked, commit, amend, merge, stand_elsewhere, detach, rebase, pick]


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("news", ["none", "forward", "rewritten"])
async def test_nobodys_work_is_ever_touched(trees: Worktrees, origin: Origin, work: object, news: str) -> None:
    origin.commit("second", "x", BRANCH)
    tree = await advance(trees)
    assert callable(work)
    work(tree.path)
    if news == "forward":
        origin.commit("readme", "theirs\n", BRANCH)
    elif news == "rewritten":
        rewrite(origin)
    before = everything(tree.path)
    error = await refused(trees)
    assert error.code == "conflict"
    assert str(tree.path) in error.message
    assert everything(tree.path) == before


async def test_what_was_pushed_from_here_may_be_rewritten_by_others(trees: Worktrees, origin: Origin) -> None:
    tree = await advance(trees)
    commit(tree.path)
    run(tree.path, "push", "-q", "origin", BRANCH)
    run(origin.work, "fetch", "-q")
    run(origin.work, "reset", "-q", "--hard", f"origin/{BRANCH}")
    head = rewrite(origin)
    assert (await advance(trees)).commit == head


@pytest.mark.parametrize("rewritten", [False, True])
async def test_a_file_that_git_ignores_is_not_overwritten(
    trees: Worktrees, origin: Origin, rewritten: bool
) -> None:
    tree = await advance(trees)
    (tree.path / "secrets.cache").write_text("mine\n")
    if rewritten:
        rewrite(origin, "secrets.cache", "theirs\n")
    else:
        (origin.work / "secrets.cache").write_text("theirs\n")
        run(origin.work, "add", "--force", "secrets.cache")
        origin.commit("readme", "new\n", BRANCH)
    before = everything(tree.path)
    error = await refused(trees)
    assert (error.code, error.data["files"]) == ("conflict", ["secrets.cache"])
    assert everything(tree.path) == before


async def test_a_worktree_with_a_hostile_branch_name_is_moved(trees: Worktrees, origin: Origin) -> None:
    name = "x$(id);'y"
    origin.commit("a", "1", name)
    await trees.advance(SERVICE, REPO, name)
    newest = origin.commit("a", "2", name)
    assert (await trees.advance(SERVICE, REPO, name)).commit == newest


async def test_git_gets_the_environment_of_the_forge(tmp_path: Path, origin: Origin) -> None:
    asked = []

    def environment() -> dict[str, str]:
        asked.append(1)
        return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "url.x.insteadOf", "GIT_CONFIG_VALUE_0": "y"}

    trees = Worktrees(SlotPaths(tmp_path / "hero"), {REPO: str(origin.path)}, environment)
    await advance(trees)
    await trees.fetch(REPO)
    assert len(asked) >= 2


async def test_a_move_that_is_cancelled_goes_to_its_end_and_leaves_no_half(
    trees: Worktrees, origin: Origin, tmp_path: Path
) -> None:
    await advance(trees)
    begun, go = tmp_path / "begun", tmp_path / "go"
    slow = f"sh -c 'touch {begun}; while [ ! -e {go} ]; do sleep 0.01; done; cat'"
    run(SlotPaths(tmp_path / "hero").clone(REPO), "config", "filter.slow.smudge", slow)
    origin.commit(".gitattributes", "z* filter=slow\n", BRANCH)
    await advance(trees)
    newest = origin.commit("zebra", "striped\n", BRANCH)
    moving = asyncio.ensure_future(advance(trees))
    async with asyncio.timeout(30):
        while not begun.exists():
            await asyncio.sleep(0.01)
    moving.cancel()
    await asyncio.sleep(0)
    go.touch()
    with pytest.raises(asyncio.CancelledError):
        await moving
    path = trees.path(SERVICE, BRANCH)
    assert (run(path, "rev-parse", "HEAD"), run(path, "status", "--porcelain")) == (newest, "")
