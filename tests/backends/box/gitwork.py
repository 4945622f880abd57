"""A real git worktree for tests, driven by plain git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENV = {
    "GIT_AUTHOR_NAME": "Mik",
    "GIT_AUTHOR_EMAIL": "mik@example.org",
    "GIT_COMMITTER_NAME": "Mik",
    "GIT_COMMITTER_EMAIL": "mik@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def plain_git(folder: Path, *args: str) -> str:
    """`git ARGS` in `folder`; what it printed."""
    argv = ["git", "-C", str(folder), *args]
    return subprocess.run(argv, env=os.environ | ENV, check=True, capture_output=True, text=True).stdout.strip()


def new_work(folder: Path, remote: Path) -> Path:
    """An empty worktree whose `origin` is `remote`."""
    folder.mkdir(parents=True)
    plain_git(folder, "init", "--quiet", "--initial-branch=development")
    plain_git(folder, "remote", "add", "origin", str(remote))
    return folder


def push(work: Path, files: Mapping[str, str], branch: str = "development") -> str:
    """Commit `files` (content by path) and push them; the full hash."""
    for name, content in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(content)
    plain_git(work, "add", "--all")
    plain_git(work, "commit", "--quiet", "--allow-empty", "-m", "change")
    plain_git(work, "push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}")
    return plain_git(work, "rev-parse", "HEAD")
