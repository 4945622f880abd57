"""The unit files of a slot on disk: written whole or not at all, and never one that is not ours."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from backends.durable import sync_folder
from backends.model.errors import HeroError
from backends.supervisors.systemd_unit import MARKER, SECRETS, UnitNames

WANTS = "default.target.wants"
"""Beside the units: links to those that are started with the user manager."""
_HEAD = 4096
"""Bytes of a unit file in which our marker stands."""


class UnitFiles:
    """The units in `folder`, `~/.config/systemd/user`, and their secrets, which are in `runtime`: on no disk.

    Its calls are short and block.
    """

    def __init__(self, folder: Path, runtime: Path, names: UnitNames):
        self._folder = folder
        self._secrets = runtime / SECRETS
        self._names = names

    def listed(self) -> set[str]:
        """The processes that have a unit of ours here."""
        found: set[str] = set()
        with contextlib.suppress(FileNotFoundError), os.scandir(self._folder) as entries:
            for entry in entries:
                name = self._names.name(entry.name)
                if name is not None and _marked_for(Path(entry.path)) == name:
                    found.add(name)
        return found

    def write(self, name: str, text: str) -> bool:
        """Make `text` the unit of `name`; tells whether that changed anything.

        HeroError: conflict where a unit of that name is not ours, failed or no_space where it cannot be written.
        """
        path = self._path(name)
        content = text.encode()
        if os.path.lexists(path) and _marked_for(path) != name:
            raise HeroError(
                "conflict",
                f"{path} is in the way: it is no unit that Hero Team Box wrote.",
                hint="Rename it, or rename the service; nothing of it has been changed.",
            )
        try:
            if path.exists() and path.read_bytes() == content:
                return False
            _replace(path, content)
        except OSError as error:
            raise _disk_error(path, error) from error
        return True

    def write_secrets(self, name: str, text: str) -> None:
        """Make `text` the secret variables of `name`; none leave no file. Raises HeroError."""
        path = self._secrets / self._names.secrets(name)
        try:
            if not text:
                path.unlink(missing_ok=True)
                return
            self._secrets.mkdir(mode=0o700, exist_ok=True)
            _replace(path, text.encode())
        except OSError as error:
            raise _disk_error(path, error) from error

    def remove(self, name: str) -> None:
        """Drop the unit of `name`, its secrets and the link that starts it, where they are ours."""
        self.disable(name)
        self.write_secrets(name, "")
        path = self._path(name)
        if _marked_for(path) == name:
            path.unlink(missing_ok=True)

    def enable(self, name: str) -> None:
        """Have `name` started with the user manager, which lingering users have from boot on. Raises HeroError."""
        link = self._link(name)
        if link.is_symlink():
            return
        try:
            link.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                link.symlink_to(Path("..", self._names.unit(name)))
            sync_folder(link.parent)
        except OSError as error:
            raise _disk_error(link, error) from error

    def enabled(self, name: str) -> bool:
        """Whether `name` is started with the user manager."""
        return self._link(name).is_symlink()

    def disable(self, name: str) -> None:
        """No longer start `name` by itself. Raises HeroError."""
        link = self._link(name)
        try:
            if link.is_symlink():
                link.unlink(missing_ok=True)
                sync_folder(link.parent)
        except OSError as error:
            raise _disk_error(link, error) from error

    def _path(self, name: str) -> Path:
        return self._folder / self._names.unit(name)

    def _link(self, name: str) -> Path:
        return self._folder / WANTS / self._names.unit(name)


def _replace(path: Path, content: bytes) -> None:
    """Write `path` beside and put it in place: whole, for its owner only, durable."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def _marked_for(path: Path) -> str | None:
    """The process whose unit of ours the regular file `path` is; None where it is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        lines = os.read(handle, _HEAD).decode(errors="replace").split("\n")
    finally:
        os.close(handle)
    values = [line.removeprefix(f"{MARKER}=") for line in lines if line.startswith(f"{MARKER}=")]
    return values[0] if values else None


def _disk_error(path: Path, error: OSError) -> HeroError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return HeroError("no_space", f"No space left while writing {path}.", hint="Free some, then try again.")
    return HeroError("failed", f"Cannot write {path}: {error.strerror}.", hint="Check its owner and mode.")
