"""Files and folders of root's own: written whole or not at all, exchanged in one step, never through a link."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
from pathlib import Path

from backends.durable import sync_folder
from backends.model.errors import HeroError

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_root_file(path: Path, content: bytes, *, mode: int, group: int | None = None) -> None:
    """Replace `path`, in a folder that only root writes to, and have it on disk. Raises HeroError."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        with temporary.open("xb") as out:
            if group is not None:
                os.fchown(out.fileno(), -1, group)
            os.fchmod(out.fileno(), mode)
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise _told(path, error) from error


def remove_root_file(path: Path) -> None:
    """Remove `path` if it is there. Raises HeroError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _told(path, error) from error


def read_root_file(path: Path, limit: int = 64 * 1024) -> str:
    """The text of a file of root's own; "" where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


def put_in_place(fresh: Path, place: Path) -> None:
    """Have the folder `fresh` be at `place` in one step; what was there is removed then. Raises HeroError."""
    try:
        if not place.exists():
            fresh.rename(place)
            sync_folder(place.parent)
            return
        _exchange(fresh, place)
        sync_folder(place.parent)
        shutil.rmtree(fresh)
    except OSError as error:
        raise _told(place, error) from error


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


def _told(path: Path, error: OSError) -> HeroError:
    if error.errno in (28, 122):
        return HeroError("no_space", f"No space left while writing {path}.", hint="Free some; then it goes on.")
    return HeroError("failed", f"{path} cannot be written: {error.strerror or error}.")
