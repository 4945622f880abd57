"""What a build of a worktree would be made of beyond its commit, as one digest of what git sees differ."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from pathlib import Path

from backends.forge.git import git

_CHUNK = 1024 * 1024


async def uncommitted(worktree: Path) -> str:
    """The SHA-256 over all that is not committed in `worktree`, empty where nothing is; ignored files do not
    count. Raises HeroError."""
    changed = await git(
        "diff", "--name-only", "--no-renames", "--ignore-submodules=none", "-z", "HEAD", cwd=worktree
    )
    untracked = await git("ls-files", "--others", "--exclude-standard", "-z", cwd=worktree)
    names = sorted({name for name in (changed.stdout + untracked.stdout).split("\0") if name})
    return await asyncio.to_thread(_digest, worktree, names) if names else ""


def _digest(worktree: Path, names: list[str]) -> str:
    whole = hashlib.sha256()
    for name in names:
        whole.update(os.fsencode(name) + b"\0" + _content(worktree / name) + b"\n")
    return whole.hexdigest()


def _content(path: Path) -> bytes:
    """What stands at `path`, in a few bytes. What is no file is never opened: it could keep us for ever."""
    try:
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return b"link " + os.fsencode(path.readlink())
        if not stat.S_ISREG(found.st_mode):
            return b"other %o" % stat.S_IFMT(found.st_mode)
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as content:
            said = hashlib.sha256()
            while data := content.read(_CHUNK):
                said.update(data)
    except OSError as error:
        return b"none %d" % (error.errno or 0)
    return b"file %o " % stat.S_IMODE(found.st_mode) + said.digest()
