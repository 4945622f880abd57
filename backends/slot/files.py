"""Writing small files so that a reader finds the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path

from backends.durable import sync_folder
from backends.model.errors import HeroError


def disk_error(path: Path, error: OSError) -> HeroError:
    """`error` at `path` in a person's words; `no_space` where the disk, quota or inodes ran out."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HeroError(
            "no_space",
            f"No space left while writing {path}.",
            hint="Free some: `hero_dev doctor` lists what can go; nothing that was there has been changed.",
        )
    return HeroError("failed", f"Cannot write {path}: {error.strerror}.", hint="Check its owner and mode.")


def write_atomically(
    path: Path,
    content: bytes,
    *,
    mode: int = 0o600,
    durable: bool = True,
    owner: tuple[int, int] | None = None,
) -> None:
    """Replace `path` with `content`, synced to disk first when `durable`. Raises HeroError.

    `owner`: the uid and gid that it has from the first moment, for root.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as out:
            if owner is not None:
                os.fchown(out.fileno(), *owner)
            os.fchmod(out.fileno(), mode)
            out.write(content)
            out.flush()
            if durable:
                os.fsync(out.fileno())
        temporary.replace(path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        remove_file(temporary)
        raise disk_error(path, error) from error


def remove_file(path: Path) -> None:
    """Remove `path` if it is there and can be removed."""
    with contextlib.suppress(OSError):
        path.unlink()


def swap_link(link: Path, target: Path) -> None:
    """Point the symlink `link` at `target` by one rename(2); relative, so that a home may move.

    Raises HeroError.
    """
    temporary = link.with_name(f".{link.name}.{secrets.token_hex(4)}.tmp")
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary.symlink_to(os.path.relpath(target, link.parent))
        temporary.replace(link)
    except OSError as error:
        remove_file(temporary)
        raise disk_error(link, error) from error


def link_target(link: Path) -> Path | None:
    """Where the symlink `link` leads, as an absolute path; None where there is none."""
    try:
        return Path(os.path.normpath(link.parent / link.readlink()))
    except OSError:
        return None
