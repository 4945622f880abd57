"""Work in a slot's worktrees that no forge has: counted by git as their owner, for repositories may hold traps."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

SECONDS = 60.0
"""For all of it: somebody who leaves is not to hold the reconciler up."""

_EACH = 15.0
_MOST = 500
_GIT = (
    "git",
    "--no-pager",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.allow=never",
    "-c",
    "submodule.recurse=false",
)
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}


def listed(home: str) -> dict[str, Any]:
    """Each worktree of ~/hero/src with what is not pushed: `changed` files, `commits`; -1 where git cannot say."""
    deadline = time.monotonic() + SECONDS
    found = []
    trees = _worktrees(Path(home) / "hero" / "src")
    for tree in trees[:_MOST]:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        changed = _count(tree, left, "status", "--porcelain", "-z", "--no-renames", "--ignore-submodules=all")
        commits = _number(tree, left, "rev-list", "--count", "HEAD", "--not", "--remotes", "--")
        if changed or commits:
            name = tree.relative_to(Path(home)).as_posix()
            found.append({"worktree": name[:300], "changed": changed, "commits": commits})
    return {"worktrees": found, "complete": len(trees) <= _MOST and time.monotonic() < deadline}


def _worktrees(source: Path) -> list[Path]:
    """Folders two below `source` that are worktrees; no link is followed."""
    return [tree for service in _folders(source) for tree in _folders(service) if os.path.lexists(tree / ".git")]


def _folders(where: Path) -> list[Path]:
    try:
        with os.scandir(where) as entries:
            names = [one.name for one in entries if one.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [where / name for name in sorted(names) if not name.startswith(".")]


def _count(tree: Path, left: float, *arguments: str) -> int:
    said = _git(tree, left, *arguments)
    return -1 if said is None else said.count(b"\0")


def _number(tree: Path, left: float, *arguments: str) -> int:
    said = _git(tree, left, *arguments)
    return int(said) if said is not None and said.strip().isdigit() else -1


def _git(tree: Path, left: float, *arguments: str) -> bytes | None:
    environment = {**_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    try:
        done = subprocess.run(
            [*_GIT, *arguments],
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=min(left, _EACH),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
