"""Real git repositories for the slot's tests: what a forge would have, and people who push to it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

IDENTITY = {
    "GIT_AUTHOR_NAME": "Mik",
    "GIT_AUTHOR_EMAIL": "mik@example.org",
    "GIT_COMMITTER_NAME": "Mik",
    "GIT_COMMITTER_EMAIL": "mik@example.org",
    "GIT_AUTHOR_DATE": "2026-11-20T10:00:00Z",
    "GIT_COMMITTER_DATE": "2026-11-20T10:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


def run(where: Path, *args: str) -> str:
    """`git ARGS` in `where`, as Mik; its output."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | IDENTITY
    done = subprocess.run(["git", *args], cwd=where, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Origin:
    """A bare repository at `path`, and somebody's clone of it in which commits are made and pushed."""

    def __init__(self, folder: Path, branch: str = "development"):
        self.path = folder / "origin.git"
        self.work = folder / "mik"
        subprocess.run(["git", "init", "-q", "--bare", "-b", branch, str(self.path)], check=True)
        subprocess.run(["git", "clone", "-q", str(self.path), str(self.work)], check=True, capture_output=True)
        run(self.work, "checkout", "-q", "-b", branch)
        self.commit("readme", "hello\n", branch)

    def commit(self, name: str, text: str, branch: str) -> str:
        """Write the file `name` on `branch` (made where it is missing) and push it; the new commit."""
        heads = run(self.work, "branch", "--format=%(refname:short)").splitlines()
        if branch not in heads and heads:
            run(self.work, "checkout", "-q", "-b", branch)
        elif heads:
            run(self.work, "checkout", "-q", branch)
        file = self.work / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        run(self.work, "add", "--all")
        run(self.work, "commit", "-q", "-m", f"Change {name}")
        run(self.work, "push", "-q", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return run(self.work, "rev-parse", "HEAD")
