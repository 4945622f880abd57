"""Where the cockpit in the browser keeps what is for it alone: passwords' hashes, the secret from the forge."""

from __future__ import annotations

import os
from pathlib import Path

from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.slot.files import write_atomically
from backends.system_box import WEB_SECRET, WEB_STATE

CALLBACK = "/admin/login/callback"
"""Below the box's address: where the forge sends browsers back to."""


def state_of(box: BoxPaths, boxfile: BoxFile) -> Path:
    """The folder of the daemon's user alone."""
    return WEB_STATE if boxfile.kind == "system" else box.web


def secret_path(box: BoxPaths, boxfile: BoxFile) -> Path:
    """The file of the secret that the forge gave with the client id; none for a public application."""
    return state_of(box, boxfile) / WEB_SECRET


def write_secret(path: Path, secret: str) -> None:
    """Keep `secret` for the one whose folder it is, and nobody else. Raises HeroError."""
    if path.parent != WEB_STATE:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        folder = path.parent.stat()
    except OSError as error:
        raise HeroError(
            "not_found",
            f"{path.parent} is not there: {error.strerror}.",
            hint="As root: `deploy/bootstrap.sh` makes it.",
        ) from error
    # Its owner from the first moment: the folder is not root's, who must not touch there what has a name already.
    owner = (folder.st_uid, folder.st_gid) if os.geteuid() == 0 else None
    write_atomically(path, f"{secret}\n".encode(), mode=0o600, owner=owner)


def remove_secret(path: Path) -> None:
    """Have no secret. Raises HeroError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise HeroError("failed", f"{path} cannot be removed: {error.strerror}.") from error


def read_secret(path: Path) -> str:
    """What is in it; "" without one. Raises HeroError where others can read it."""
    try:
        if path.stat().st_mode & 0o077:
            raise HeroError("denied", f"{path} is not for its owner alone.", hint=f"`chmod 600 {path}`")
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError("failed", f"{path} cannot be read: {error}.") from error
