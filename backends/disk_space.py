"""Which file systems our folders lie on, of which kind they are, and how full."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.model.host import DiskSpace
from backends.model.text import safe_line

MOUNTS = Path("/proc/self/mountinfo")
_LIMIT = 4 << 20
_ESCAPED = re.compile(r"\\([0-7]{3})")
_SHARING = frozenset({"btrfs", "bcachefs", "zfs"})
"""File systems whose files share extents as a matter of course: snapshots, subvolumes, copies by reference."""


@dataclass(frozen=True)
class Mount:
    """A line of mountinfo: `device` names what is mounted, the same for all subvolumes of one file system."""

    point: str
    kind: str
    device: str


def read_mounts(table: Path = MOUNTS) -> list[Mount]:
    """What is mounted now, a later mount after those that it hides; empty where the kernel does not tell."""
    try:
        with table.open("rb") as file:
            text = os.fsdecode(file.read(_LIMIT))
    except OSError:
        return []
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, told = before.split(" "), after.split(" ")
        if len(fields) > 4 and len(told) > 1:
            found.append(Mount(_unescaped(fields[4]), told[0], _unescaped(told[1])))
    return found


def mount_of(path: str, mounts: list[Mount]) -> Mount:
    """The mount that `path` (absolute, without links) lies on."""
    best = Mount("/", "", "")
    for mount in mounts:
        point = mount.point
        inside = path == point or point == "/" or path.startswith(f"{point}/")
        if inside and len(point) >= len(best.point):
            best = mount
    return best


def space_of(path: Path, mounts: list[Mount] | None = None) -> DiskSpace:
    """The file system of `path`. Raises OSError; may block for as long as the file system does."""
    told = os.statvfs(path)
    real = os.path.realpath(path)
    mount = mount_of(real, read_mounts() if mounts is None else mounts)
    size = told.f_frsize
    return DiskSpace(
        mount=safe_line(mount.point, 500),
        device=safe_line(mount.device, 500),
        kind=safe_line(mount.kind, 40),
        total=told.f_blocks * size,
        used=(told.f_blocks - told.f_bfree) * size,
        free=told.f_bavail * size,
        inodes=told.f_files,
        inodes_used=told.f_files - told.f_ffree,
        shared=mount.kind in _SHARING,
    )


def spaces_of(places: Mapping[str, Path]) -> tuple[DiskSpace, ...]:
    """One entry for each file system that the places lie on, with the names of those; what cannot be asked is left
    out. Blocks, see `space_of`."""
    mounts = read_mounts()
    found: dict[tuple[str, str], DiskSpace] = {}
    for name, path in places.items():
        try:
            space = space_of(path, mounts)
        except OSError:
            continue
        # Subvolumes of one btrfs have device numbers of their own, and are one room all the same.
        key = (space.device, space.kind) if space.device.startswith("/") else (space.mount, space.kind)
        before = found.get(key, space)
        found[key] = before.model_copy(update={"holds": (*before.holds, name)})
    return tuple(found.values())


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 8)), text)
