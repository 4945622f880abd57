"""Files that are their owner's alone: written whole or not at all, read without following a link out."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path

from backends.durable import sync_folder
from backends.model.errors import HeroError

SIZE_LIMIT = 1 << 20
"""Bytes that are read of a file; a longer one is refused."""


class Unreadable(Exception):
    """Why a file of somebody's is not read, in a few words."""


def write_private(path: Path, content: bytes) -> None:
    """Replace `path` with `content`, 0600, synced. Raises HeroError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(handle)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise cannot("write", path, error) from error


def private_folder(path: Path) -> Path:
    """Have the folder `path`, 0700 and real. Raises HeroError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise HeroError(
                "denied", f"{path} is not a folder of this user.", hint="Move it away, then try again."
            )
        path.chmod(0o700)
    except OSError as error:
        raise cannot("make", path, error) from error
    return path


def read_own(path: Path, limit: int = SIZE_LIMIT) -> bytes:
    """The bytes of a plain file of this user's. Raises FileNotFoundError, Unreadable."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(str(path)) from None
    except OSError as error:
        raise Unreadable(
            "it is a link" if path.is_symlink() else (error.strerror or "it cannot be read")
        ) from None
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable("it is no plain file")
        if found.st_uid != os.geteuid():
            raise Unreadable("it belongs to somebody else")
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Unreadable(f"it is longer than {limit:,} bytes")
    return content


def cannot(do: str, path: Path, error: OSError) -> HeroError:
    """`error` at `path` in a person's words."""
    return HeroError("failed", f"Cannot {do} {path}: {error.strerror}.", hint="Check its owner, mode and disk.")
