"""Moving a worktree to what the forge has, where everything in it came from the forge."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from backends.forge.git import branch as find_branch
from backends.forge.git import git
from backends.forge.git_errors import GitError
from backends.model.errors import HeroError
from backends.model.text import safe_line

CHECKOUT_SECONDS = 600.0
REMOTE = "refs/remotes/origin/"

_PAST_HEADS = 200
"""Earlier heads of a branch that are looked at, the newest first."""


async def head_of(clone: Path, branch: str) -> str:
    """The forge's head of `branch` as last fetched. Raises HeroError not_found, with the nearest names."""
    return (await find_branch(clone, branch, REMOTE)).commit


async def past_heads(clone: Path, branch: str) -> list[str]:
    """What the forge's `branch` was at every fetch so far, the newest first; empty where it never was."""
    # Not the ref alone: somebody may have fetched a rewritten branch already, as every push here does.
    log = await git(
        "reflog", "show", f"-n{_PAST_HEADS}", "--format=%H", f"{REMOTE}{branch}", "--", git_dir=clone, check=False
    )
    now = await git("rev-parse", "--verify", "--quiet", f"{REMOTE}{branch}", git_dir=clone, check=False)
    return list(dict.fromkeys([*now.stdout.split(), *log.stdout.split()]))


async def belongs_to_forge(worktree: Path, heads: Sequence[str]) -> bool:
    """Whether every commit of the worktree's branch is in one of `heads`, so that the forge had it."""
    found = await git("rev-list", "--ignore-missing", "--max-count=1", "HEAD", "--not", *heads, "--", cwd=worktree)
    return not found.stdout.strip()


async def move(worktree: Path, branch: str, commit: str) -> None:
    """Bring a worktree on `branch` to `commit`, or leave it as it is.

    Raises HeroError conflict where a file that git does not have is in the way. Once begun it goes to its end,
    cancelled or not: what half a checkout leaves looks like somebody's work, which nobody touches.
    """
    # Unlike a reset or a merge, this spares files that git ignores too.
    argv = ("checkout", "--quiet", "--no-overwrite-ignore", "--no-track", "-B", branch, commit, "--")
    try:
        await _to_its_end(git(*argv, cwd=worktree, timeout=CHECKOUT_SECONDS))
    except GitError as error:
        said = str(error.data.get("stderr", ""))
        if "would be overwritten" not in said:
            raise
        files = [safe_line(line.strip(), 200) for line in said.splitlines() if line.startswith("\t")]
        raise HeroError(
            "conflict",
            f"{safe_line(str(worktree))} has files in the way of {commit[:8]}: {', '.join(files[:5])}.",
            hint="Move them away; they stay untouched until then.",
            data={"worktree": str(worktree), "files": files},
        ) from error


async def _to_its_end(work: Coroutine[Any, Any, object]) -> None:
    running = asyncio.ensure_future(work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
