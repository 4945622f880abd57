"""Folders that get their name only when they are whole, and the sweeping of those that never got it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from backends.archives.disk import is_at, try_lock
from backends.archives.installed import is_complete
from backends.model.errors import HeroError

TEMPORARY = ".unpack-"
"""Prefix of a folder that is being made or thrown away, next to where it shall be."""
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


@contextlib.contextmanager
def temporary_tree(parent: Path) -> Iterator[Path]:
    """A new folder in `parent`, locked while we live, and gone at the end unless renamed away."""
    while True:
        tree = parent / f"{TEMPORARY}{secrets.token_hex(8)}"
        tree.mkdir()
        with contextlib.suppress(FileNotFoundError):
            lock = try_lock(tree)
            if lock is not None:
                break  # else a sweep came between the two
    try:
        os.fchmod(lock, 0o755)
        yield tree
    finally:
        if is_at(lock, tree):
            shutil.rmtree(tree, ignore_errors=True)
        os.close(lock)


def put(tree: Path, dest: Path, sha256: str) -> None:
    """Give `tree`, of the archive `sha256`, the name `dest`; what is there is removed unless it is as good.

    Raises OSError, and HeroError("busy") where others keep putting something else there.
    """
    for _ in range(100):
        try:
            tree.rename(dest)
            return
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
        if is_complete(dest, sha256):
            return  # somebody else unpacked the same archive meanwhile
        aside = dest.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
        with contextlib.suppress(FileNotFoundError):
            dest.rename(aside)
            _remove(aside)
    raise HeroError("busy", f"{dest} is being replaced by others again and again.", hint="Try it again.")


def sweep(parent: Path) -> list[Path]:
    """Remove what a killed unpacking left in `parent`, never what a living one works on. Blocking.

    Returns what was removed. A `parent` that is not there is clean.
    """
    removed = []
    for path in sorted(parent.glob(f"{TEMPORARY}*")):
        with contextlib.suppress(OSError):
            lock = try_lock(path)
            if lock is None:
                continue
            try:
                _remove(path)
            finally:
                os.close(lock)
            if not path.exists():
                removed.append(path)
    return removed


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
