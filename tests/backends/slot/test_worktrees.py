"""Worktrees of real repositories: made, described, moved forward, and never a file of somebody's lost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.slot.worktrees import Worktrees
from tests.backends.slot.origins import Origin, run

pytestmark = pytest.mark.usefixtures("identity")

REPO = "lhumina/hero_slides"
SERVICE = "hero_slides"
BRANCH = "development"


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return Origin(tmp_path)


@pytest.fixture
def paths(tmp_path: Path) -> SlotPaths:
    return SlotPaths(tmp_path / "home of ünï" / "hero")


@pytest.fixture
def trees(paths: SlotPaths, origin: Origin) -> Worktrees:
    return Worktrees(paths, {REPO: str(origin.path)})


async def refused(work: object) -> HeroError:
    with pytest.raises(HeroError) as error:
        await work  # type: ignore[misc]
    return error.value


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".git"
    }


async def test_a_worktree_is_made_on_the_forges_branch(trees: Worktrees, origin: Origin, paths: SlotPaths) -> None:
    tree = await trees.ensure(SERVICE, REPO, BRANCH)
    assert tree.path == paths.worktree(SERVICE, BRANCH)
    assert (tree.path / "readme").read_text() == "hello\n"
    assert tree.commit == run(origin.work, "rev-parse", "HEAD") == trees.head(SERVICE, BRANCH)
    assert run(tree.path, "rev-parse", "--abbrev-ref", "@{upstream}") == f"origin/{BRANCH}"
    state = await trees.state(SERVICE, BRANCH)
    assert (state.exists, state.branch, state.dirty, state.ahead, state.behind) == (True, BRANCH, False, 0, 0)
    assert await trees.subject(SERVICE, BRANCH) == "Change readme"
    assert await trees.ensure(SERVICE, REPO, BRANCH) == tree


@pytest.mark.parametrize(
    "branch", ["feature/deep/er", "ünï-cødé", "it's", "a;rm -rf .;b".replace(" ", "_"), "x$(id)"]
)
async def test_any_branch_that_git_takes_gets_a_worktree(trees: Worktrees, origin: Origin, branch: str) -> None:
    commit = origin.commit("file", "text", branch)
    tree = await trees.ensure(SERVICE, REPO, branch)
    assert tree.commit == commit == trees.head(SERVICE, branch)
    assert tree.path.parent.name == SERVICE
    assert (await trees.state(SERVICE, branch)).branch == branch


@pytest.mark.parametrize(
    "branch", ["-f", "--upload-pack=x", "../../up", "a..b", "", "HEAD", "x\n", "a b", "/x", ".x", "@"]
)
async def test_a_hostile_branch_is_refused_before_anything_is_done(
    trees: Worktrees, paths: SlotPaths, branch: str
) -> None:
    assert (await refused(trees.ensure(SERVICE, REPO, branch))).code == "usage"
    assert (await refused(trees.state(SERVICE, branch))).code == "usage"
    assert not paths.root.exists()


@pytest.mark.parametrize(
    ("service", "repo"), [("../x", REPO), (SERVICE, "../../x"), (SERVICE, "-x/y"), (SERVICE, "x")]
)
async def test_a_hostile_service_or_repository_is_refused(trees: Worktrees, service: str, repo: str) -> None:
    assert (await refused(trees.ensure(service, repo, BRANCH))).code == "usage"


@given(st.text(max_size=20))
def test_no_branch_leads_out_of_the_folder_of_its_service(branch: str) -> None:
    paths = SlotPaths(Path("/nowhere"))
    try:
        path = Worktrees(paths, {}).path(SERVICE, branch)
    except HeroError:
        return
    assert path.parent == paths.src / SERVICE
    assert not path.name.startswith(".")


async def test_an_unknown_branch_gets_the_nearest_names(trees: Worktrees, paths: SlotPaths) -> None:
    error = await refused(trees.ensure(SERVICE, REPO, "developmint"))
    assert error.code == "not_found"
    assert "`development`" in error.hint
    assert not paths.worktree(SERVICE, "developmint").exists()


async def test_an_unknown_repository_is_told(trees: Worktrees, origin: Origin, paths: SlotPaths) -> None:
    assert (await refused(trees.fetch("lhumina/hero_slidez"))).code == "not_found"
    gone = Worktrees(paths, {REPO: str(origin.path / "gone")})
    assert (await refused(gone.fetch(REPO))).code == "not_found"
    assert list(paths.repos.rglob("*.git*")) == []


async def test_a_branch_that_was_pushed_later_is_found(trees: Worktrees, origin: Origin) -> None:
    await trees.ensure(SERVICE, REPO, BRANCH)
    commit = origin.commit("new", "1", "development_mik")
    assert (await trees.ensure(SERVICE, REPO, "development_mik")).commit == commit


async def test_a_new_worktree_is_of_the_newest_commit(trees: Worktrees, origin: Origin) -> None:
    origin.commit("mik", "1", "development_mik")
    await trees.fetch(REPO)
    newest = origin.commit("mik", "2", "development_mik")
    assert (await trees.ensure(SERVICE, REPO, "development_mik")).commit == newest


async def test_a_worktree_is_made_from_what_is_here_while_the_forge_is_away(
    trees: Worktrees, origin: Origin, tmp_path: Path
) -> None:
    commit = origin.commit("mik", "1", "development_mik")
    await trees.fetch(REPO)
    origin.path.rename(tmp_path / "away")
    assert (await trees.ensure(SERVICE, REPO, "development_mik")).commit == commit
    assert (await refused(trees.fetch(REPO))).code == "not_found"


async def test_only_an_advance_moves_a_worktree_forward(trees: Worktrees, origin: Origin) -> None:
    first = await trees.ensure(SERVICE, REPO, BRANCH)
    newest = origin.commit("readme", "new\n", BRANCH)
    await trees.fetch(REPO)
    assert (await trees.state(SERVICE, BRANCH)).behind == 1
    assert (await trees.ensure(SERVICE, REPO, BRANCH)).commit == first.commit
    assert (await trees.advance(SERVICE, REPO, BRANCH)).commit == newest
    assert (first.path / "readme").read_text() == "new\n"


async def test_local_branches_survive_a_fetch_that_prunes(trees: Worktrees, origin: Origin) -> None:
    origin.commit("mik", "1", "development_mik")
    tree = await trees.ensure(SERVICE, REPO, "development_mik")
    (tree.path / "mik").write_text("2")
    run(tree.path, "commit", "-qam", "Unpushed")
    mine = run(tree.path, "rev-parse", "HEAD")
    run(origin.path, "branch", "-D", "development_mik")
    run(origin.work, "checkout", "-q", BRANCH)
    run(origin.work, "branch", "-D", "development_mik")
    origin.commit("x", "x", "development_mik/now_a_folder")
    await trees.fetch(REPO)
    assert trees.head(SERVICE, "development_mik") == mine
    assert (await trees.ensure(SERVICE, REPO, "development_mik")).commit == mine


@pytest.mark.parametrize("amid", ["rebase", "merge"])
async def test_a_worktree_amid_a_rebase_or_merge_is_left_alone(
    trees: Worktrees, origin: Origin, amid: str
) -> None:
    tree = await trees.ensure(SERVICE, REPO, BRANCH)
    (tree.path / "readme").write_text("mine\n")
    run(tree.path, "commit", "-qam", "Mine")
    origin.commit("readme", "theirs\n", BRANCH)
    await trees.fetch(REPO)
    with pytest.raises(subprocess.CalledProcessError):
        run(tree.path, amid, f"origin/{BRANCH}")
    work = snapshot(tree.path)
    assert (await trees.state(SERVICE, BRANCH)).operation == amid
    error = await refused(trees.advance(SERVICE, REPO, BRANCH))
    assert error.code == "conflict"
    assert f"in the middle of a {amid}" in error.message
    assert snapshot(tree.path) == work


async def test_a_worktree_that_was_deleted_by_hand_is_made_again(trees: Worktrees, origin: Origin) -> None:
    tree = await trees.ensure(SERVICE, REPO, BRANCH)
    subprocess.run(["rm", "-rf", str(tree.path)], check=True)
    assert not (await trees.state(SERVICE, BRANCH)).exists
    assert trees.head(SERVICE, BRANCH) is None
    assert await trees.ensure(SERVICE, REPO, BRANCH) == tree
    assert (tree.path / "readme").is_file()


async def test_a_worktree_on_another_branch_is_reported(trees: Worktrees) -> None:
    tree = await trees.ensure(SERVICE, REPO, BRANCH)
    run(tree.path, "switch", "-qc", "other")
    error = await refused(trees.ensure(SERVICE, REPO, BRANCH))
    assert (error.code, "'other'" in error.message) == ("conflict", True)
    run(tree.path, "switch", "-q", "--detach")
    assert "detached" in (await refused(trees.ensure(SERVICE, REPO, BRANCH))).message
    assert (await trees.state(SERVICE, BRANCH)).branch is None


async def test_a_worktree_that_lost_its_branch_is_reported_with_what_mends_it(trees: Worktrees) -> None:
    tree = await trees.ensure(SERVICE, REPO, BRANCH)
    (tree.path / "readme").write_text("mine\n")
    run(tree.path, "update-ref", "-d", f"refs/heads/{BRANCH}")
    error = await refused(trees.ensure(SERVICE, REPO, BRANCH))
    assert "lost its branch" in error.message
    assert trees.head(SERVICE, BRANCH) is None
    run(tree.path, *error.hint.split("`")[1].split()[1:])
    assert (await trees.ensure(SERVICE, REPO, BRANCH)).commit == tree.commit
    assert (tree.path / "readme").read_text() == "mine\n"


@pytest.mark.parametrize("kind", ["folder", "file", "repository", "link"])
async def test_what_is_no_worktree_is_never_removed(
    trees: Worktrees, paths: SlotPaths, origin: Origin, kind: str
) -> None:
    path = paths.worktree(SERVICE, BRANCH)
    path.parent.mkdir(parents=True)
    if kind == "file":
        path.write_text("precious")
    elif kind == "link":
        path.symlink_to("nowhere")
    else:
        path.mkdir()
        (path / "precious").write_text("precious")
        if kind == "repository":
            run(path, "init", "-q")
    error = await refused(trees.advance(SERVICE, REPO, BRANCH))
    assert (error.code, "is no worktree of" in error.message) == ("conflict", True)
    assert os.path.lexists(path)
    if kind in ("folder", "repository"):
        assert (path / "precious").read_text() == "precious"


async def test_a_worktree_of_another_repository_is_reported(
    trees: Worktrees, paths: SlotPaths, origin: Origin
) -> None:
    await trees.ensure(SERVICE, REPO, BRANCH)
    both = Worktrees(paths, {"other/repo": str(origin.path)})
    assert "is no worktree of other/repo" in (await refused(both.ensure(SERVICE, "other/repo", BRANCH))).message


async def test_a_branch_is_not_checked_out_twice(trees: Worktrees) -> None:
    first = await trees.ensure(SERVICE, REPO, BRANCH)
    error = await refused(trees.ensure("hero_other", REPO, BRANCH))
    assert (error.code, error.data["worktree"]) == ("conflict", str(first.path))
    assert (await trees.ensure(SERVICE, REPO, BRANCH)) == first


async def test_what_is_in_the_place_of_a_clone_is_never_removed(trees: Worktrees, paths: SlotPaths) -> None:
    paths.clone(REPO).mkdir(parents=True)
    (paths.clone(REPO) / "precious").write_text("x")
    assert (await refused(trees.fetch(REPO))).code == "conflict"
    assert (paths.clone(REPO) / "precious").is_file()


async def test_a_corrupt_clone_is_told_and_left(trees: Worktrees, paths: SlotPaths) -> None:
    await trees.ensure(SERVICE, REPO, BRANCH)
    for pack in [*paths.clone(REPO).glob("objects/??/*"), *paths.clone(REPO).glob("objects/pack/*")]:
        pack.chmod(0o600)
        pack.write_bytes(b"")
    error = await refused(trees.subject(SERVICE, BRANCH))
    assert error.data["reason"] == "repository_corrupt"


async def test_fetches_of_one_repository_run_one_after_another(trees: Worktrees, paths: SlotPaths) -> None:
    await asyncio.gather(*(trees.fetch(REPO) for _ in range(4)), trees.ensure(SERVICE, REPO, BRANCH))
    assert [path.name for path in paths.clone(REPO).parent.iterdir()] == ["hero_slides.git"]


async def test_an_interrupted_clone_leaves_nothing_half_made(paths: SlotPaths, origin: Origin) -> None:
    asked = asyncio.Event()

    async def url(_: str) -> str:
        asked.set()
        return str(origin.path)

    trees = Worktrees(paths, url)
    for turns in range(0, 40, 4):
        asked.clear()
        task = asyncio.create_task(trees.fetch(REPO))
        await asked.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    clone = paths.clone(REPO)
    assert not clone.exists() or run(clone, "fsck") is not None
    left = clone.parent / f".{clone.name}.dead.tmp"
    left.mkdir(parents=True)
    assert (await trees.ensure(SERVICE, REPO, BRANCH)).commit
    assert not left.exists()


KILLED = """
import asyncio, sys
from pathlib import Path
from backends.model.paths import SlotPaths
from backends.slot.worktrees import Worktrees
trees = Worktrees(SlotPaths(Path(sys.argv[1])), {sys.argv[2]: sys.argv[3]})
print("go", flush=True)
asyncio.run(trees.ensure("hero_slides", sys.argv[2], "development"))
"""


@pytest.mark.parametrize("steps", range(6))
async def test_a_kill_while_a_worktree_is_made_leaves_none_that_looks_like_deleted_work(
    trees: Worktrees, paths: SlotPaths, origin: Origin, steps: int
) -> None:
    origin.commit("many/0", "x" * 100_000, BRANCH)
    await trees.fetch(REPO)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(paths.root), REPO, str(origin.path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    await asyncio.sleep(steps * 0.015)  # where the kill hits is up to chance; each place must be fine
    await asyncio.to_thread(kill_with_children, process.pid)
    await process.wait()
    tree = await trees.ensure(SERVICE, REPO, BRANCH)
    assert not (await trees.state(SERVICE, BRANCH)).dirty
    assert (tree.path / "many" / "0").is_file()
    assert [path.name for path in tree.path.parent.iterdir()] == [tree.path.name]


def kill_with_children(pid: int) -> None:
    """SIGKILL a process and the gits that it runs, as when the machine goes down."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.suspend()
        children = process.children(recursive=True)
        for each in (process, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(children, timeout=30)


async def test_a_move_that_was_cut_off_is_mended(trees: Worktrees, paths: SlotPaths) -> None:
    tree = await trees.ensure(SERVICE, REPO, BRANCH)
    run(paths.clone(REPO), "worktree", "move", str(tree.path), str(tree.path.with_name(".new-abc")))
    tree.path.with_name(".new-abc").rename(tree.path)
    assert await trees.ensure(SERVICE, REPO, BRANCH) == tree
    listed = run(paths.clone(REPO), "worktree", "list", "--porcelain")
    assert f"worktree {tree.path}" in listed.splitlines()


async def test_a_worktree_without_a_commit_that_a_kill_left_does_not_stop_a_fetch(
    paths: SlotPaths, origin: Origin, trees: Worktrees
) -> None:
    await trees.ensure(SERVICE, REPO, "development")
    clone = paths.clone(REPO)
    entry = clone / "worktrees" / "-new-0123456789ab"
    entry.mkdir()
    (entry / "HEAD").write_text("0" * 40 + "\n")
    (entry / "commondir").write_text("../..\n")
    (entry / "gitdir").write_text(f"{paths.src / SERVICE / '.new-0123456789ab' / '.git'}\n")
    await trees.fetch(REPO)
    assert not entry.exists()
    assert trees.head(SERVICE, "development")
