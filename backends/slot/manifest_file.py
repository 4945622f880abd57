"""The slot's manifest on disk: read, last good one kept, edited under a lock without losing an editor's save."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backends.durable import sync_folder
from backends.model.errors import HeroError
from backends.model.manifest import Manifest
from backends.model.paths import SlotPaths
from backends.model.tomlfile import InvalidFile, parse
from backends.slot.files import disk_error, remove_file, write_atomically

EMPTY = "schema = 1\n"
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100
_ATTEMPTS = 20

Change = Callable[[str], str]


@dataclass(frozen=True)
class Loaded:
    """The manifest in force, and what is wrong with the file if it is not the file's."""

    manifest: Manifest
    problem: InvalidFile | None = None


class ManifestFile:
    """`cfg/dev_manifest.toml` of one slot. An unreadable file leaves the last good manifest in force."""

    def __init__(self, paths: SlotPaths):
        self._path = paths.manifest
        self._lock = paths.manifest.with_name(f".{paths.manifest.name}.lock")
        self._last_good = paths.var / "state" / "dev_manifest.last_good.toml"
        self._kept: str | None = None

    def load(self) -> Loaded:
        """Read the file; a missing one is an empty manifest. Never raises for bad content."""
        try:
            text = self._read()
            manifest = parse(Manifest, text, str(self._path))
        except InvalidFile as problem:
            return Loaded(self._read_last_good(), problem)
        self._keep(text)
        return Loaded(manifest)

    async def edit(self, *changes: Change) -> Manifest:
        """Apply `changes`, text to text, as one atomic write; returns the new manifest.

        Two writers take turns; a save by an editor in between is kept and the changes are made on it.
        Raises InvalidFile (nothing written) when the file does not parse, HeroError when it cannot be written.
        """
        return await asyncio.to_thread(self._edit, changes)

    def _edit(self, changes: tuple[Change, ...]) -> Manifest:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            for _ in range(_ATTEMPTS):
                before = self._read()
                parse(Manifest, before, str(self._path))
                after = before
                for change in changes:
                    after = change(after)
                manifest = parse(Manifest, after, str(self._path))
                if self._replace(before, after):
                    self._keep(after)
                    return manifest
        raise HeroError(
            "busy",
            f"{self._path} keeps being saved by another program.",
            hint="Close the editor that writes it, then run this again.",
        )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise disk_error(self._lock, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _read(self) -> str:
        try:
            return self._path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return EMPTY
        except UnicodeDecodeError as error:
            return f"\x00 not UTF-8 at byte {error.start}"
        except OSError as error:
            raise disk_error(self._path, error) from error

    def _replace(self, before: str, after: str) -> bool:
        """Put `after` in place unless somebody saved something other than `before` meanwhile."""
        if before == after and self._path.exists():
            return True
        temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("xb") as out:
                os.fchmod(out.fileno(), self._mode())
                out.write(after.encode())
                out.flush()
                os.fsync(out.fileno())
            if not self._path.exists():
                return self._create(temporary)
            _exchange(temporary, self._path)
            if temporary.read_bytes().decode("utf-8", "replace") != before:
                temporary.replace(self._path)
                return False
            temporary.unlink()
            sync_folder(self._path.parent)
        except OSError as error:
            remove_file(temporary)
            raise disk_error(self._path, error) from error
        return True

    def _create(self, temporary: Path) -> bool:
        try:
            os.link(temporary, self._path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
        sync_folder(self._path.parent)
        return True

    def _mode(self) -> int:
        try:
            return self._path.stat().st_mode & 0o777
        except FileNotFoundError:
            return 0o644

    def _keep(self, text: str) -> None:
        if text == self._kept:
            return
        with contextlib.suppress(HeroError):
            write_atomically(self._last_good, text.encode(), durable=False)
            self._kept = text

    def _read_last_good(self) -> Manifest:
        try:
            return parse(Manifest, self._last_good.read_text(encoding="utf-8"), str(self._last_good))
        except (OSError, UnicodeDecodeError, InvalidFile):
            return parse(Manifest, EMPTY, str(self._path))


def _exchange(one: Path, other: Path) -> None:
    """Swap two names in one step (renameat2), so that whatever an editor saved last is still there to look at."""
    libc = ctypes.CDLL(None, use_errno=True)
    failed = libc.renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    if not failed:
        return
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), str(other))
