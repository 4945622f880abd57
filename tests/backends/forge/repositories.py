"""Real git repositories for the tests of the forge: made, committed to and pushed with plain git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Mik",
    "GIT_AUTHOR_EMAIL": "mik@example.org",
    "GIT_COMMITTER_NAME": "Mik",
    "GIT_COMMITTER_EMAIL": "mik@example.org",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def run_git(folder: Path, *args: str, date: int | None = None, **variables: str) -> str:
    """Plain `git ARGS` in `folder`; `date` in seconds since 1970 is when it commits."""
    env = os.environ | IDENTITY | variables
    if date is not None:
        env |= {"GIT_AUTHOR_DATE": f"@{date} +0000", "GIT_COMMITTER_DATE": f"@{date} +0000"}
    done = subprocess.run(
        ["git", "-C", str(folder), *args], env=env, check=True, capture_output=True, text=True, errors="replace"
    )
    return done.stdout.strip()


def new_repository(folder: Path, branch: str = "development") -> Path:
    """A repository with a worktree and one commit."""
    folder.mkdir(parents=True)
    run_git(folder, "init", "--quiet", f"--initial-branch={branch}")
    commit(folder, "first", date=1_700_000_000)
    return folder


def commit(work: Path, subject: str, files: Mapping[str, str] | None = None, *, date: int = 1_700_000_000) -> str:
    """Commit `files` (name: content) to the worktree `work`; the full hash."""
    for name, content in (files or {}).items():
        (work / name).write_text(content)
        run_git(work, "add", "--", name)
    run_git(work, "commit", "--quiet", "--allow-empty", "-m", subject, date=date)
    return run_git(work, "rev-parse", "HEAD")
