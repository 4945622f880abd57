"""The slot's worktrees, one a service and branch: made, described, moved forward; nobody's work is touched."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from backends.forge.git import commit_info, git, is_bare
from backends.model.errors import HeroError
from backends.model.names import check_branch, check_service
from backends.model.paths import SlotPaths
from backends.model.text import safe_line
from backends.slot import worktree_files as files
from backends.slot.clones import Clones, CloneUrl, Environment
from backends.slot.files import disk_error
from backends.slot.worktree_moves import CHECKOUT_SECONDS, REMOTE, belongs_to_forge, head_of, move, past_heads
from backends.slot.worktree_state import WorktreeState, check_branch_is_on, check_clean, read_state, unpushed


@dataclass(frozen=True)
class Worktree:
    """A worktree that is there, on its branch, at `commit` (full hash); `dirty`: it holds what that has not."""

    path: Path
    branch: str
    commit: str
    dirty: bool = False


class Worktrees:
    """Worktrees in `paths.src` of clones in `paths.repos`. Branch names are checked before anything is done."""

    def __init__(self, paths: SlotPaths, clone_url: CloneUrl, git_environment: Environment = dict):
        self._paths = paths
        self._clones = Clones(paths, clone_url, git_environment)

    def path(self, service: str, branch: str) -> Path:
        """Where the worktree is or will be. Raises BadValue."""
        return self._paths.worktree(check_service(service), check_branch(branch))

    async def fetch(self, repo: str) -> None:
        """Take the forge's branches of `repo`, cloning it the first time. Raises HeroError."""
        async with self._clones.lock(repo):
            await self._fetch(repo)

    async def ensure(self, service: str, repo: str, branch: str) -> Worktree:
        """The worktree of `branch`, made if it is missing, from the forge's branch or the local one.

        A new one is of the forge's newest commit; where the forge is away, what was fetched before has to do. An
        old one stays as it is.

        Raises HeroError: not_found for an unknown branch, conflict where the folder is something else, is on
        another branch, is in the middle of a merge or rebase, or the branch is checked out elsewhere. Nothing is
        removed then.
        """
        path, clone = self.path(service, branch), self._clones.path(repo)
        async with self._clones.lock(repo):
            made = not os.path.lexists(path)
            if made:
                await self._fetch_if_possible(clone, repo, branch)
                await self._add(clone, path, branch)
            state = await self._there(path, clone, repo, branch)
            if made and state.behind and not (state.ahead or state.changed):
                await move(path, branch, await head_of(clone, branch))
                state = await read_state(path)
        return Worktree(path, branch, state.commit or "", state.dirty)

    async def advance(self, service: str, repo: str, branch: str) -> Worktree:
        """The worktree of `branch` at the forge's head of this moment, clean: for a build that nobody sits at.

        A branch that was rewritten on the forge is followed as long as all that is here came from there.

        Raises HeroError: as `ensure`, `unreachable` where the forge cannot be asked, not_found where the branch is
        no longer there, conflict where somebody's work stands in the way. Nothing is touched then.
        """
        path, clone = self.path(service, branch), self._clones.path(repo)
        async with self._clones.lock(repo):
            before = await past_heads(clone, branch) if is_bare(clone) else []
            await self._fetch(repo)
            head = await head_of(clone, branch)
            if not os.path.lexists(path):
                await self._add(clone, path, branch)
            state = await self._there(path, clone, repo, branch)
            check_clean(state)
            if state.commit != head:
                if not await belongs_to_forge(path, [head, *before]):
                    raise unpushed(state)
                await move(path, branch, head)
                state = await read_state(path)
        return Worktree(path, branch, state.commit or "", state.dirty)

    async def state(self, service: str, branch: str) -> WorktreeState:
        """What git says of the worktree; one process. Raises HeroError where it is there but cannot be read."""
        path = self.path(service, branch)
        return await read_state(path) if path.is_dir() else WorktreeState(path)

    def head(self, service: str, branch: str) -> str | None:
        """The commit that the worktree is at, read from files; None where there is none."""
        return files.head_commit(self.path(service, branch))

    async def subject(self, service: str, branch: str) -> str:
        """The subject of the worktree's commit, safe to show. Raises HeroError."""
        return (await commit_info(self.path(service, branch), "HEAD")).subject

    async def _there(self, path: Path, clone: Path, repo: str, branch: str) -> WorktreeState:
        """What git says of a worktree that must be one of `clone`, on `branch`, amid nothing. Raises HeroError."""
        await _check_place(path, clone, repo)
        state = await read_state(path)
        check_branch_is_on(state, branch)
        return state

    async def _fetch_if_possible(self, clone: Path, repo: str, branch: str) -> None:
        try:
            await self._fetch(repo)
        except HeroError as error:
            away = error.code in ("unreachable", "not_found", "timeout")
            if not (away and is_bare(clone) and any(await _refs(clone, branch))):
                raise

    async def _fetch(self, repo: str) -> None:
        """Fetch, after what a killed checkout left: git fetches nothing beside a worktree without a commit."""
        await asyncio.to_thread(files.drop_unfinished, self._clones.path(repo))
        await self._clones.fetch(repo)

    async def _add(self, clone: Path, path: Path, branch: str) -> None:
        await _forget_lost_worktrees(clone, path, branch)
        local, remote = await _refs(clone, branch)
        if not (local or remote):
            await head_of(clone, branch)  # raises, with the nearest names
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
