"""The private copy of `secrets.toml` that an editor works on: in memory, for its owner alone, kept until done."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.secrets import FILE_NAME
from backends.slot.files import disk_error, write_atomically
from backends.slot.secrets_file import read_private


@dataclass(frozen=True)
class Draft:
    """An edit that is not finished: its file, and the commits (`parents`) and the tree that it changes."""

    file: Path
    parents: tuple[str, ...]
    tree: str


class Drafts:
    """Where the draft of one slot lies: `folder`, 0700, gone when the edit is."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._file = folder / FILE_NAME
        self._record = folder / "stands_on.json"

    def find(self) -> Draft | None:
        """The edit that was begun and not finished. Raises HeroError."""
        record, text = read_private(self._record), read_private(self._file)
        if record is None or text is None:
            return None
        try:
            fields = json.loads(record)
            return Draft(self._file, tuple(fields["parents"]), str(fields["tree"]))
        except (ValueError, KeyError, TypeError):
            raise HeroError(
                "failed",
                f"{self._record} is damaged, so nobody knows what the edit beside it is an edit of.",
                hint=f"Take what you need out of {self._file}, remove {self._folder}, and edit again.",
            ) from None

    def begin(self, text: str, parents: tuple[str, ...], tree: str) -> Draft:
        """A draft with this text, in place of one that is there. Raises HeroError."""
        self._make()
        write_atomically(self._file, text.encode(), mode=0o600)
        record = json.dumps({"parents": parents, "tree": tree})
        write_atomically(self._record, record.encode(), mode=0o600)
        return Draft(self._file, parents, tree)

    def discard(self) -> None:
        """Remove the draft with whatever the editor left beside it."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """One program at a time works on the secrets; HeroError busy for a second one."""
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise HeroError(
                "busy",
                "Another `hero_dev secrets` of yours is at work.",
                hint="Is an editor open in another window? Close it, then try again.",
            ) from None
        finally:
            os.close(handle)

    def _make(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
        except OSError as error:
            raise disk_error(self._folder, error) from error


def drafts_of(paths: SlotPaths, environment: Mapping[str, str] = os.environ) -> Drafts:
    """The place for a slot's draft: the user's runtime folder, which is on no disk, else the slot's own state."""
    name = hashlib.sha256(os.fsencode(paths.root)).hexdigest()[:16]
    for runtime in (environment.get("XDG_RUNTIME_DIR", ""), f"/run/user/{os.geteuid()}"):
        if runtime and _is_private(Path(runtime)):
            return Drafts(Path(runtime) / "hero_secrets" / name)
    return Drafts(paths.var / "state" / "secrets_draft" / name)


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
