"""What the steps do to the machine: run programs, write files whole, make folders with their owner."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.setup.step import Stopped

_LAST_LINES = 15


def run(*argv: str, stdin: str = "", env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """What a program printed. Raises Stopped with its last lines where it failed."""
    done = subprocess.run(
        argv,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **(env or {})},
        cwd=cwd or "/",
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-_LAST_LINES:])
        raise Stopped(f"`{' '.join(argv[:4])}` failed with exit {done.returncode}:\n{last}")
    return done.stdout


def succeeds(*argv: str) -> bool:
    """Whether a program ends well."""
    try:
        return subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def uid_of(user: str) -> int:
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        raise Stopped(f"there is no user {user} yet") from None


def gid_of(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise Stopped(f"there is no group {group} yet") from None


def is_file(path: Path, content: bytes, mode: int, owner: str = "root", group: str = "root") -> bool:
    """Whether `path` is a regular file of just this content, mode and owner."""
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or stat.S_IMODE(found.st_mode) != mode:
            return False
        return (found.st_uid, found.st_gid) == (uid_of(owner), gid_of(group)) and path.read_bytes() == content
    except (OSError, Stopped):
        return False


def write_file(path: Path, content: bytes, mode: int, owner: str = "root", group: str = "root") -> None:
    """Have `path` be that file: written beside it, synced, renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            os.fchown(out.fileno(), uid_of(owner), gid_of(group))
            os.fchmod(out.fileno(), mode)
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def is_folder(path: Path, mode: int, owner: str, group: str) -> bool:
    """Whether `path` is a real folder of this mode and owner."""
    try:
        found = path.lstat()
        right = (found.st_uid, found.st_gid) == (uid_of(owner), gid_of(group))
    except (OSError, Stopped):
        return False
    return stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == mode and right


def make_folder(path: Path, mode: int, owner: str, group: str) -> None:
    """Have `path` be that folder; its parents are root's."""
    if path.is_symlink():
        raise Stopped(f"{path} is a link, and should be a folder: look who made it, and move it away")
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, uid_of(owner), gid_of(group))
    path.chmod(mode)


def points_to(link: Path, target: str) -> bool:
    return link.is_symlink() and str(link.readlink()) == target


def point(link: Path, target: str) -> None:
    """Have `link` lead to `target`, whatever moment it is looked at."""
    if link.exists() and not link.is_symlink():
        raise Stopped(f"{link} is in the way: it should be a link to {target}. Move it away")
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)


def lines_of(path: Path) -> Sequence[str]:
    """The lines of a text file; none where it is not there."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ()
