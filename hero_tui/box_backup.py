"""`hero_dev box backup`: what a new machine needs to become this box again, in one file, and no key in it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.version import VERSION

FORMAT = 1
"""Of the file; deploy/setup/restore.py reads it."""
INDEX = "backup.json"


@dataclass(frozen=True)
class Backup:
    """A backup that was made: where, its size in bytes, and the names of what is in it."""

    path: Path
    size: int
    files: tuple[str, ...]


def backup_box(box: BoxPaths, name: str, target: Path) -> Backup:
    """Write the state of `box` to `target`: uids, audit log, build history, box.toml, the index of archives.

    The file is whole or not there, and its owner's alone. Raises HeroError: denied, failed, no_space.
    """
    try:
        content = _content(box)
        index = {
            "format": FORMAT,
            "box": name,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": VERSION,
            "files": {file: hashlib.sha256(data).hexdigest() for file, data in content.items()},
        }
        size = _write(target, {INDEX: json.dumps(index, indent=1).encode(), **content})
    except PermissionError as error:
        raise HeroError(
            "denied", f"{error.filename} cannot be read or written by this user.", hint="Run it as root."
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise HeroError("failed", f"The box was not backed up to {target}: {error}.") from error
    _note(box)
    return Backup(target, size, tuple(content))


def _content(box: BoxPaths) -> dict[str, bytes]:
    content = {"box.toml": box.config.read_bytes(), "var/events.sqlite": _database(box.database)}
    if box.team_state.exists():
        content["team_sync/state.json"] = box.team_state.read_bytes()
    content["archives.json"] = json.dumps(_archives(box.team_archive), indent=1).encode()
    return content


def _database(path: Path) -> bytes:
    """A consistent copy, whatever its daemon writes meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.sqlite"
        with (
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as to,
        ):
            source.backup(to)
        return copy.read_bytes()


def _archives(folder: Path) -> list[dict[str, object]]:
    """The archives of removed slots, which lie on the box itself: too large for a backup of its state."""
    found = sorted(folder.glob("*.tar.zst")) if folder.is_dir() else []
    return [{"name": path.name, "size": path.stat().st_size, "sha256": _digest(path)} for path in found]


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _write(target: Path, content: dict[str, bytes]) -> int:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz") as archive:
                for file, data in content.items():
                    member = tarfile.TarInfo(file)
                    member.size, member.mode = len(data), 0o600
                    archive.addfile(member, io.BytesIO(data))
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return target.stat().st_size


def _note(box: BoxPaths) -> None:
    """When it was last done, for `hero_dev doctor`."""
    if box.team_state.parent.is_dir():
        stamp = box.team_state.with_name("last_backup")
        stamp.write_text(datetime.now(UTC).isoformat(timespec="seconds") + "\n", encoding="ascii")
