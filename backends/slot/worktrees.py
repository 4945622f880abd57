"""The slot's worktrees, one a service and branch: made, described, moved forward; nobody's work is touched."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from backends.forge.git import branch as find_branch
from backends.forge.git import commit_info, git, is_bare
from backends.forge.git_errors import GitError
from backends.model.errors import HeroError
from backends.model.names import check_branch, check_service
from backends.model.paths import SlotPaths
from backends.model.text import safe_line
from backends.slot import worktree_files as files
from backends.slot.clones import Clones, CloneUrl
from backends.slot.files import disk_error

CHECKOUT_SECONDS = 600.0
REMOTE = "refs/remotes/origin/"


@dataclass(frozen=True)
class Worktree:
    """A worktree that is there, on its branch, at `commit` (full hash)."""

    path: Path
    branch: str
    commit: str


@dataclass(frozen=True)
class WorktreeState:
    """What git says of a worktree now.

    `branch` is the one that it is on (None: detached), `commit` its head (None: the branch is gone). `changed`
    and `untracked` count files, an untracked folder as one; ignored ones are not counted. `dirty`: any of them.
    `ahead` and `behind` count commits against the upstream as last fetched. `operation` is the rebase, merge,
    cherry-pick, revert or bisect that it is in the middle of.
    """

    path: Path
    exists: bool = False
    branch: str | None = None
    commit: str | None = None
    changed: int = 0
    untracked: int = 0
    ahead: int = 0
    behind: int = 0
    operation: str = ""

    @property
    def dirty(self) -> bool:
        return bool(self.changed or self.untracked)


class Worktrees:
    """Worktrees in `paths.src` of clones in `paths.repos`. Branch names are checked before anything is done."""

    def __init__(self, paths: SlotPaths, clone_url: CloneUrl):
        self._paths = paths
        self._clones = Clones(paths, clone_url)

    def path(self, service: str, branch: str) -> Path:
        """Where the worktree is or will be. Raises BadValue."""
        return self._paths.worktree(check_service(service), check_branch(branch))

    async def fetch(self, repo: str) -> None:
        """Take the forge's branches of `repo`, cloning it the first time. Raises HeroError."""
        async with self._clones.lock(repo):
            await self._clones.fetch(repo)

    async def ensure(self, service: str, repo: str, branch: str, *, update: bool = False) -> Worktree:
        """The worktree of `branch`, made if it is missing, from the forge's branch or the local one.

        A new one is of the forge's newest commit. With `update` an old one is fetched too, and fast-forwarded if
        nothing in it is changed or unpushed. Where the forge is away, what was fetched before has to do.

        Raises HeroError: not_found for an unknown branch, conflict where the folder is something else, is on
        another branch, is in the middle of a merge or rebase, or the branch is checked out elsewhere. Nothing is
        removed then.
        """
        path, clone = self.path(service, branch), self._clones.path(repo)
        async with self._clones.lock(repo):
            made = not os.path.lexists(path)
            if update or made:
                await self._fetch_if_possible(clone, repo, branch)
            if made:
                await self._add(clone, path, branch)
            await _check_place(path, clone, repo)
            state = await _state(path)
            _check_branch_is_on(state, branch)
            if (update or made) and state.behind and not (state.ahead or state.changed):
                await git("merge", "--ff-only", "--quiet", "@{upstream}", cwd=path, timeout=CHECKOUT_SECONDS)
                state = await _state(path)
        return Worktree(path, branch, state.commit or "")

    async def state(self, service: str, branch: str) -> WorktreeState:
        """What git says of the worktree; one process. Raises HeroError where it is there but cannot be read."""
        path = self.path(service, branch)
        return await _state(path) if path.is_dir() else WorktreeState(path)

    def head(self, service: str, branch: str) -> str | None:
        """The commit that the worktree is at, read from files; None where there is none."""
        return files.head_commit(self.path(service, branch))

    async def subject(self, service: str, branch: str) -> str:
        """The subject of the worktree's commit, safe to show. Raises HeroError."""
        return (await commit_info(self.path(service, branch), "HEAD")).subject

    async def _fetch_if_possible(self, clone: Path, repo: str, branch: str) -> None:
        try:
            await self._clones.fetch(repo)
        except HeroError as error:
            away = error.code in ("unreachable", "not_found", "timeout")
            if not (away and is_bare(clone) and any(await _refs(clone, branch))):
                raise

    async def _add(self, clone: Path, path: Path, branch: str) -> None:
        await _forget_lost_worktrees(clone, path, branch)
        local, remote = await _refs(clone, branch)
        if not (local or remote):
            await find_branch(clone, branch, REMOTE)  # raises, with the nearest names
        # Checked out under another name and renamed: a killed checkout must not look like work that deletes files.
        temporary = path.with_name(f"{files.NEW}{secrets.token_hex(6)}")
        what = [str(temporary), branch] if local else ["-b", branch, str(temporary), f"{REMOTE}{branch}"]
        track = [] if local else ["--track"]
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            await git("worktree", "add", "--quiet", *track, *what, git_dir=clone, timeout=CHECKOUT_SECONDS)
            if local and remote:
                await _set_upstream(clone, branch)
            await git("worktree", "move", str(temporary), str(path), git_dir=clone)
        except OSError as error:
            raise disk_error(path, error) from error
        finally:
            if temporary.exists():
                await _drop(clone, temporary)


async def _set_upstream(clone: Path, branch: str) -> None:
    """A local branch without an upstream gets the forge's of the same name."""
    key = f"branch.{branch}.merge"
    if (await git("config", "--get", key, git_dir=clone, check=False)).returncode == 0:
        return
    await git("config", f"branch.{branch}.remote", "origin", git_dir=clone)
    await git("config", key, f"refs/heads/{branch}", git_dir=clone)


async def _refs(clone: Path, branch: str) -> tuple[bool, bool]:
    """Whether there is a local branch, and one of the forge."""
    local, remote = f"refs/heads/{branch}", f"{REMOTE}{branch}"
    result = await git("for-each-ref", "--format=%(refname)", "--", local, remote, git_dir=clone)
    names = result.stdout.splitlines()
    return local in names, remote in names


async def _forget_lost_worktrees(clone: Path, path: Path, branch: str) -> None:
    """Let git forget worktrees of ours that were deleted by hand, and those whose making was killed.

    Raises HeroError conflict where `branch` is checked out in a living worktree elsewhere.
    """
    await git("worktree", "prune", "--expire=never", git_dir=clone)
    for where, on_branch in await _registered(clone):
        unfinished = where.name.startswith(files.NEW) and where.parent == path.parent
        if unfinished or (not where.exists() and (where == path or on_branch == branch)):
            await _drop(clone, where)
        elif on_branch == branch:
            raise HeroError(
                "conflict",
                f"The branch {safe_line(branch, 200)!r} is checked out already, in {safe_line(str(where))}.",
                hint="git keeps a branch in one worktree at a time: switch that one to another branch first.",
                data={"worktree": str(where)},
            )
    for left in path.parent.glob(f"{files.NEW}*"):
        if files.git_dir(left) is None:
            await asyncio.to_thread(shutil.rmtree, left, ignore_errors=True)


async def _registered(clone: Path) -> list[tuple[Path, str]]:
    """Path and branch ("" for none) of each worktree that the repository knows."""
    listed = await git("worktree", "list", "--porcelain", git_dir=clone)
    found = []
    for block in listed.stdout.split("\n\n"):
        fields = dict(line.partition(" ")[::2] for line in block.splitlines())
        if "worktree" in fields and "bare" not in fields:
            found.append((Path(fields["worktree"]), fields.get("branch", "").removeprefix("refs/heads/")))
    return found


async def _drop(clone: Path, worktree: Path) -> None:
    """Remove a worktree that nobody has seen yet, or the entry of one that is gone."""
    await git("worktree", "remove", "--force", "--force", str(worktree), git_dir=clone, check=False, timeout=120)
    if worktree.name.startswith(files.NEW):
        await asyncio.to_thread(shutil.rmtree, worktree, ignore_errors=True)


async def _check_place(path: Path, clone: Path, repo: str) -> None:
    if not files.belongs_to(path, clone):
        raise HeroError(
            "conflict",
            f"{safe_line(str(path))} is there, but is no worktree of {repo}; Hero does not remove it.",
            hint="Move it away if it is not needed, then run it again: the worktree is made in its place.",
            data={"path": str(path)},
        )
    if not files.knows_its_place(path):
        await git("worktree", "repair", str(path), git_dir=clone)


def _check_branch_is_on(state: WorktreeState, branch: str) -> None:
    where, name = safe_line(str(state.path)), safe_line(branch, 200)
    if state.operation:
        raise HeroError(
            "conflict",
            f"The worktree {where} is in the middle of a {state.operation}.",
            hint=f"Finish it there, or `git {state.operation} --abort`; Hero does not touch it meanwhile.",
        )
    if state.branch != branch:
        on = f"on {safe_line(state.branch, 200)!r}" if state.branch else "on no branch (detached)"
        raise HeroError(
            "conflict",
            f"The worktree {where} is {on}, not on {name!r}.",
            hint=f"`git switch {name}` in it.",
        )
    if state.commit is None:
        raise HeroError(
            "conflict",
            f"The worktree {where} has lost its branch {name!r}: there is no such local branch any more.",
            hint=f"Bring it back there: `git reset --soft origin/{name}` keeps all files as they are.",
        )


async def _state(path: Path) -> WorktreeState:
    try:
        result = await git(
            "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=normal", "--no-renames", cwd=path
        )
    except GitError as error:
        if error.data.get("reason") != "repository_gone":
            raise
        raise HeroError(
            "conflict",
            f"{safe_line(str(path))} is there, but is no worktree (any more); Hero does not remove it.",
            hint="Move it away, then run `hero_dev sync`.",
        ) from error
    return _parse(path, result.stdout.split("\0"))


def _parse(path: Path, records: list[str]) -> WorktreeState:
    headers = dict(record[2:].partition(" ")[::2] for record in records if record.startswith("# "))
    commit, branch = headers.get("branch.oid", "(initial)"), headers.get("branch.head", "(detached)")
    ahead, _, behind = headers.get("branch.ab", "+0 -0").partition(" ")
    return WorktreeState(
        path=path,
        exists=True,
        branch=None if branch == "(detached)" else branch,
        commit=None if commit == "(initial)" else commit,
        changed=sum(record[:2] in ("1 ", "2 ", "u ") for record in records),
        untracked=sum(record.startswith("? ") for record in records),
        ahead=int(ahead),
        behind=-int(behind),
        operation=files.operation(path),
    )
