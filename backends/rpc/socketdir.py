"""A folder whose sockets fit Linux's 107 bytes, however deep a box lies: itself, or a link to a short one."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import SOCKET_PATH_LIMIT

_ATTEMPTS = 5


def ensure_socket_dir(link: Path, longest: int) -> Path:
    """Have `link` be a folder for sockets whose names in it take up to `longest` bytes; the folder to use.

    Where the path would be too long, `link` is a symbolic link to a short folder that only this user can
    enter; it is made anew after a reboot took it. Raises HeroError: `denied` where somebody else made that
    folder, `conflict` where `link` is something else, `usage` where even the short folder is too long.
    """
    link = link.absolute()
    link.parent.mkdir(parents=True, exist_ok=True)
    if _fits(link, longest):
        if link.is_symlink():
            link.unlink()
        link.mkdir(mode=0o700, exist_ok=True)
        return link
    for _ in range(_ATTEMPTS):
        target = _linked(link, longest) if link.is_symlink() else _new_target(link, longest)
        if target is not None:
            return target
    raise HeroError("busy", f"{link} keeps changing while it is made.", hint="Try again.")


def _fits(folder: Path, longest: int) -> bool:
    return len(os.fsencode(folder)) + 1 + longest <= SOCKET_PATH_LIMIT


def _linked(link: Path, longest: int) -> Path | None:
    """Where `link` leads, made again if it is gone; None where it led somewhere that is not ours to use."""
    target = Path(link.readlink())
    if target not in _targets(link, longest):
        link.unlink(missing_ok=True)
        return None
    return _private(target)


def _new_target(link: Path, longest: int) -> Path | None:
    """A fresh short folder with `link` to it; None where another process made the link meanwhile."""
    if link.is_dir():
        _remove_spent(link)
    elif link.exists():
        raise HeroError("conflict", f"{link} is in the way: it should be a folder.", hint="Move it away.")
    target = _private(_targets(link, longest)[0])
    try:
        link.symlink_to(target)
    except FileExistsError:
        return None
    return target


def _remove_spent(link: Path) -> None:
    """Remove a real folder at `link` that holds nothing but locks: whoever starts a daemon takes one before it."""
    held = [path for path in link.rglob("*") if not path.is_dir() and path.suffix != ".lock"]
    if held:
        raise HeroError(
            "conflict",
            f"{link} is too long a path for sockets, and holds files already.",
            hint="Stop what runs there and move the folder away; a link to a short one is made then.",
        )
    shutil.rmtree(link, ignore_errors=True)


def _targets(link: Path, longest: int) -> list[Path]:
    """The short folders that may stand for `link`, the preferred one first."""
    name = hashlib.sha256(os.fsencode(link)).hexdigest()[:12]
    bases = [Path(f"/tmp/hero-{os.geteuid()}")]  # noqa: S108  # verified to be ours before it is used
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and _is_private(Path(runtime)):
        bases.insert(0, Path(runtime) / "hero")
    found = [base / name for base in bases if _fits(base / name, longest)]
    if found:
        return found
    raise HeroError(
        "usage",
        f"No folder is short enough for sockets whose names take {longest} bytes.",
        hint="Use a shorter name for the service or the socket.",
    )


def _private(target: Path) -> Path:
    """`target`, made if need be, with its parent; raises HeroError where somebody else could enter it."""
    for folder in (target.parent, target):
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            _refuse_foreign(folder)
    return target


def _refuse_foreign(folder: Path) -> None:
    if _is_private(folder):
        return
    found = folder.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
        folder.chmod(0o700)
        return
    what = "a link" if stat.S_ISLNK(found.st_mode) else f"made by user {found.st_uid}"
    raise HeroError(
        "denied",
        f"{folder} should be this user's private folder for sockets, but it is {what}.",
        hint="Somebody may be trying to catch your connections. Remove it (as root), then try again.",
        data={"path": str(folder), "uid": found.st_uid},
    )


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
