"""Worktrees that lost something and locks that a killed git left, in real repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.doctor import identity, locks, worktrees
from backends.doctor.context import Context
from backends.doctor.found import Found
from backends.doctor.locks import OLD, Process, holders
from tests.backends.doctor.contexts import context_in, found_by
from tests.backends.slot.origins import IDENTITY, Origin, run

REPO = "lhumina_code/hero_web"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A slot with a bare clone of a repository, and a worktree of its branch `development` with work in it."""
    origin = Origin(tmp_path)
    made = context_in(tmp_path)
    clone = made.slot.clone(REPO)
    clone.parent.mkdir(parents=True)
    run(tmp_path, "clone", "-q", "--bare", str(origin.path), str(clone))
    run(clone, "config", "core.logAllRefUpdates", "true")
    folder = made.slot.worktree("hero_web", "development")
    folder.parent.mkdir(parents=True)
    run(clone, "worktree", "add", "-q", str(folder), "development")
    (folder / "work.txt").write_text("mine")
    (folder / "readme").write_text("changed\n")
    return made


def worktree(context: Context) -> Path:
    return context.slot.worktree("hero_web", "development")


def status(context: Context) -> str:
    return run(worktree(context), "status", "--porcelain", "--branch")


async def look(context: Context) -> Found:
    (found,) = await found_by(worktrees.CHECKS, "git.worktrees", context)
    return found


async def test_a_worktree_on_its_branch_is_well(context: Context) -> None:
    assert (await look(context)).state == "ok"


async def test_a_slot_without_worktrees_is_passed_over(tmp_path: Path) -> None:
    assert (await look(context_in(tmp_path))).state == "skipped"


async def test_a_lost_branch_comes_back_where_the_worktree_was_and_no_work_is_touched(context: Context) -> None:
    before = status(context)
    run(context.slot.clone(REPO), "update-ref", "-d", "refs/heads/development")
    found = await look(context)
    assert found.state == "bad"
    assert "has lost its branch development" in found.what
    assert "update-ref refs/heads/development" in found.mend
    assert found.repair
    await found.repair()
    assert status(context) == before
    assert (worktree(context) / "work.txt").read_text() == "mine"
    assert (await look(context)).state == "ok"


async def test_a_branch_that_is_there_again_is_left_as_it_is(
    context: Context, refused: Callable[[Found, str], Awaitable[None]]
) -> None:
    clone = context.slot.clone(REPO)
    run(worktree(context), "commit", "-q", "-a", "-m", "More")
    run(clone, "update-ref", "-d", "refs/heads/development")
    found = await look(context)
    other = run(clone, "rev-list", "--all", "--reflog", "--max-parents=0")
    run(clone, "update-ref", "refs/heads/development", other)
    await refused(found, "update-ref")
    assert run(clone, "rev-parse", "refs/heads/development") == other


async def test_a_worktree_without_a_reflog_is_told_how_to_keep_its_files(context: Context) -> None:
    clone = context.slot.clone(REPO)
    run(clone, "update-ref", "-d", "refs/heads/development")
    shutil.rmtree(clone / "worktrees" / "development" / "logs")
    found = await look(context)
    assert found.repair is None
    assert "reset --soft origin/development" in found.mend


async def test_a_worktree_that_was_moved_with_its_box_is_joined_again(context: Context) -> None:
    before = status(context)
    away = context.box.root.with_name("moved")
    context.box.root.rename(away)
    moved = replace(context, box=type(context.box)(away))
    found = await look(moved)
    assert "have lost each other" in found.what
    assert found.repair
    await found.repair()
    assert (await look(moved)).state == "ok"
    assert status(moved) == before


async def test_a_worktree_whose_record_is_gone_is_told_and_never_touched(context: Context) -> None:
    shutil.rmtree(context.slot.clone(REPO) / "worktrees")
    found = await look(context)
    assert (found.state, found.repair) == ("bad", None)
    assert "belongs to no repository" in found.what
    assert (worktree(context) / "work.txt").read_text() == "mine"


async def test_somebodys_own_clone_is_left_alone(context: Context) -> None:
    own = context.slot.src / "hero_web" / "mine"
    run(context.box.root, "clone", "-q", str(context.slot.clone(REPO)), str(own))
    assert (await look(context)).state == "ok"


def lock_of(context: Context, age: float) -> Path:
    """The index's lock, left `age` seconds ago."""
    lock = context.slot.clone(REPO) / "worktrees" / "development" / "index.lock"
    lock.touch()
    os.utime(lock, (time.time() - age, time.time() - age))
    return lock


async def look_at_locks(context: Context) -> list[Found]:
    return list(await found_by(locks.CHECKS, "git.locks", context))


async def test_an_old_lock_that_nobody_holds_is_removed_and_git_goes_on(context: Context) -> None:
    lock = lock_of(context, OLD + 60)
    (found,) = await look_at_locks(context)
    assert found.state == "bad"
    assert found.repair
    assert str(lock) in await found.repair()
    run(worktree(context), "add", "work.txt")
    (found,) = await look_at_locks(context)
    assert found.state == "ok"


async def test_a_lock_of_this_moment_is_no_finding(context: Context) -> None:
    lock_of(context, OLD - 60)
    (found,) = await look_at_locks(context)
    assert found.state == "ok"


async def test_a_lock_that_a_process_has_open_stays(context: Context) -> None:
    lock = lock_of(context, OLD + 60)
    with holding(lock):
        (found,) = await look_at_locks(context)
        assert (found.state, found.repair) == ("warn", None)
    assert lock.exists()


async def test_a_lock_stays_that_is_taken_between_look_and_mend(
    context: Context, refused: Callable[[Found, str], Awaitable[None]]
) -> None:
    lock = lock_of(context, OLD + 60)
    (found,) = await look_at_locks(context)
    with holding(lock):
        await refused(found, "nothing was removed")
    assert lock.exists()


async def test_a_lock_behind_a_linked_home_is_known_by_its_real_path(context: Context) -> None:
    lock = lock_of(context, OLD + 60)
    homes = context.box.homes.rename(context.box.root.with_name("homes"))
    context.box.homes.symlink_to(homes)
    with holding(lock):
        (found,) = await look_at_locks(context)
        assert found.repair is None


class holding:
    """A process that has `lock` open, for as long as the block lasts."""

    def __init__(self, lock: Path):
        program = "import sys; open(sys.argv[1]); held = open(sys.argv[1]); print(flush=True); sys.stdin.read()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> None:
        assert self._process.stdout
        self._process.stdout.readline()

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def test_any_git_that_works_in_the_slot_holds_its_locks(tmp_path: Path) -> None:
    lock = tmp_path / "clone.git" / "index.lock"
    at_work = Process("git", folder=f"{tmp_path}/src/x")
    named = Process("git-remote-https", words=("git", f"--git-dir={tmp_path}/clone.git"))
    elsewhere = Process("git", folder=f"{tmp_path}-other")
    editor = Process("vi", folder=str(tmp_path))
    assert holders(lock, tmp_path, [at_work, named, elsewhere, editor]) == ["git", "git-remote-https"]
    assert holders(lock, tmp_path, [replace(editor, files=frozenset({str(lock)}))]) == ["vi"]


@given(st.text(), st.text(), st.lists(st.text()))
def test_a_process_that_is_no_git_and_has_nothing_open_holds_nothing(
    name: str, folder: str, words: list[str]
) -> None:
    process = Process(f"x{name}", folder, tuple(words))
    assert holders(Path("/slot/x.lock"), Path("/slot"), [process]) == []


@pytest.fixture
def no_settings(tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_SYSTEM": "/dev/null"}


async def test_git_without_a_name_is_told_what_to_type(tmp_path: Path, no_settings: dict[str, str]) -> None:
    context = replace(context_in(tmp_path), environment=no_settings)
    (found,) = await found_by(identity.CHECKS, "git.identity", context)
    assert found.state == "warn"
    assert "git config --global user.name" in found.mend
    (tmp_path / ".gitconfig").write_text("[user]\nname = Alice\nemail = alice@hero.example\n")
    (found,) = await found_by(identity.CHECKS, "git.identity", context)
    assert found.what == "Commits are by Alice <alice@hero.example>."


async def test_a_name_in_the_environment_counts(tmp_path: Path, no_settings: dict[str, str]) -> None:
    context = replace(context_in(tmp_path), environment={**no_settings, **IDENTITY})
    (found,) = await found_by(identity.CHECKS, "git.identity", context)
    assert found.what == "Commits are by Mik <mik@example.org>."
