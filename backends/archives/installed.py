"""Whether an installed version is whole: its marker, its provenance, and how it gets durable.

Unpacking does not sync: a flush in a switch's path costs from 20 ms to seconds, as others write too. Instead
the tree carries `MARKER`, which names the boot it was made in. While that boot lasts the page cache holds what
was written, so the tree is whole. `settle` flushes later, outside the switch, and marks the tree durable.
After a power loss in between, the marker is of another boot and not durable (or gone): `is_complete` then reads
every file against the provenance before anybody runs one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Literal

from backends.archives.disk import (
    CHUNK,
    disk_errors,
    link_text,
    open_regular,
    sync_file_system,
    write_all,
)
from backends.archives.members import PROVENANCE, check_link
from backends.durable import sync_folder
from backends.model.errors import HeroError
from backends.model.provenance import from_json
from backends.model.text import safe_line

MARKER = ".installed.json"
"""Stands at the top of an installed tree; no archive may hold it."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Problem:
    """What is wrong with one file of an installed tree; `extra` files are strange but do not break it."""

    path: str
    kind: Literal["missing", "changed", "extra", "unreadable", "link"]
    message: str


@dataclass(frozen=True)
class Marker:
    """`archive` and `provenance` are sha256, `boot` the kernel's boot id when the tree was written."""

    archive: str
    provenance: str
    boot: str
    durable: bool


def check_installed(tree: Path) -> list[Problem]:
    """Each difference between the installed `tree` and its provenance; empty when every file is as it was made."""
    try:
        recorded = (tree / PROVENANCE).read_bytes()
        files = dict(from_json(recorded.decode()).files)
    except FileNotFoundError:
        return [Problem(PROVENANCE, "missing", f"{tree} has no {PROVENANCE}, so nothing in it can be verified.")]
    except (OSError, ValueError, HeroError) as error:
        return [Problem(PROVENANCE, "unreadable", f"{PROVENANCE} cannot be read: {safe_line(str(error), 300)}")]
    marker = read_marker(tree)
    problems = []
    if marker and marker.provenance != hashlib.sha256(recorded).hexdigest():
        problems.append(Problem(PROVENANCE, "changed", f"{PROVENANCE} is not the one that was installed."))
    for name, entry in _entries(tree):
        problem = _check_entry(name, entry, files.pop(name, None))
        if problem and name not in (MARKER, PROVENANCE):
            problems.append(problem)
    gone = [Problem(name, "missing", f"{name} is gone.") for name in sorted(files)]
    return problems + gone


def _entries(tree: Path) -> Iterator[tuple[str, Path]]:
    """Everything in `tree` that is not a real folder, sorted, no link followed."""
    for folder, folders, files in os.walk(tree):
        folders.sort()
        linked = [name for name in folders if Path(folder, name).is_symlink()]
        for name in sorted(files + linked):
            path = Path(folder, name)
            yield path.relative_to(tree).as_posix(), path


def _check_entry(name: str, path: Path, expected: str | None) -> Problem | None:
    try:
        if path.is_symlink():
            if expected is not None:
                return Problem(name, "changed", f"{name} was a file and is a link now.")
            check_link(name, link_text(path))
            return None
        if expected is None:
            return Problem(name, "extra", f"{safe_line(name)} did not come with the archive.")
        found = file_sha256(path)
    except HeroError as error:
        return Problem(name, "link" if path.is_symlink() else "unreadable", error.message)
    if found != expected:
        return Problem(
            name, "changed", f"{name} has sha256 {found[:12]}…, not the {expected[:12]}… of its archive."
        )
    return None


def file_sha256(path: Path) -> str:
    """The sha256 of the regular file at `path`. Raises HeroError for anything else there."""
    with disk_errors("reading", path), open_regular(path) as file:
        return hash_file(file).hexdigest()


def hash_file(file: FileIO) -> hashlib._Hash:
    """The SHA-256 state over `file` from its position to its end."""
    digest = hashlib.sha256()
    while block := file.read(CHUNK):
        digest.update(block)
    return digest


def is_complete(tree: Path, sha256: str | None = None) -> bool:
    """Whether `tree` is whole (and of the archive `sha256`, if given).

    One small read; every file is read only where a power loss may have come between the unpacking and `settle`.
    """
    marker = read_marker(tree)
    if marker is None or (sha256 is not None and marker.archive != sha256):
        return False
    if marker.durable or (marker.boot and marker.boot == boot_id()):
        return True
    return not any(problem.kind != "extra" for problem in check_installed(tree))


def settle(tree: Path) -> None:
    """Make the installed `tree` survive a power loss, and mark it so.

    It may take seconds where others write to the same file system: call it in a thread, after the switch.
    Raises HeroError.
    """
    marker = read_marker(tree)
    if marker is None:
        raise HeroError("failed", f"{tree} is not an installed version.", hint="Switch to it again.")
    if marker.durable:
        return
    with disk_errors("writing", tree):
        sync_file_system(tree)
        write_marker(tree, Marker(marker.archive, marker.provenance, marker.boot, durable=True))
        sync_folder(tree)


def read_marker(tree: Path) -> Marker | None:
    """The marker of `tree`; None where it has none that parses."""
    try:
        fields = json.loads((tree / MARKER).read_bytes())
        marker = Marker(fields["archive"], fields["provenance"], fields["boot"], fields["durable"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    texts = (marker.archive, marker.provenance, marker.boot)
    return marker if all(isinstance(text, str) for text in texts) and isinstance(marker.durable, bool) else None


def write_marker(tree: Path, marker: Marker) -> None:
    """Put `marker` into `tree` by a rename; synced when it claims to be durable. Raises OSError."""
    fields = {"schema": 1, **vars(marker)}
    temporary = tree / f"{MARKER}.tmp"
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        try:
            write_all(fd, json.dumps(fields).encode() + b"\n")
            if marker.durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        temporary.replace(tree / MARKER)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def boot_id() -> str:
    """The id of the running boot; "" where the kernel does not tell, so that nothing rests on it."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
