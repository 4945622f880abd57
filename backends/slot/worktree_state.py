"""What git says of a worktree, and which of it is in the way of what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backends.forge.git import git
from backends.forge.git_errors import GitError
from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.slot import worktree_files as files


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


def check_branch_is_on(state: WorktreeState, branch: str) -> None:
    """Raises HeroError conflict unless the worktree is on `branch`, amid nothing."""
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


def check_clean(state: WorktreeState) -> None:
    """Raises HeroError conflict for work that git does not have."""
    if not state.dirty:
        return
    counts = ((state.changed, "changed"), (state.untracked, "untracked"))
    found = ", ".join(f"{count} {what}" for count, what in counts if count)
    raise HeroError(
        "conflict",
        f"The worktree {safe_line(str(state.path))} has work that is not committed ({found}); it stays untouched.",
        hint="Commit and push it, or put it away with `git stash --include-untracked`.",
        data={"worktree": str(state.path)},
    )


def unpushed(state: WorktreeState) -> HeroError:
    """The error for commits that the forge never had."""
    commits = "a commit" if state.ahead == 1 else f"{state.ahead or 'some'} commits"
    return HeroError(
        "conflict",
        f"The worktree {safe_line(str(state.path))} has {commits} that the forge has not; it stays untouched.",
        hint="Push them, or rebase them onto the forge's branch.",
        data={"worktree": str(state.path)},
    )


async def read_state(path: Path) -> WorktreeState:
    """The state of the worktree at `path`; one process. Raises HeroError."""
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
