"""Compares an archive with the folder that it is of: `python -I -m backends.team.archive_check ARCHIVE FOLDER`.

A process of its own, for it may take long, and what it unpacks may be damaged. It imports only what Python has.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

_SHOWN = 20
_CHUNK = 1 << 20

Entry = tuple[str, int, int, str]
"""Kind, size, time of the last change in seconds, target of a link."""


def main() -> None:
    """Print `{"files": n, "bytes": n, "differences": [path, …]}`; exit 0 only where there is no difference."""
    archive, folder = sys.argv[1:3]
    there = dict(walked(folder))
    differences = []
    size = 0
    names: set[str] = set()
    for name, entry in archived(archive):
        names.add(name)
        size += entry[1]
        if there.get(name) != entry:
            differences.append(name)
    differences += [name for name in there if name not in names]
    shown = [name.encode("utf-8", "backslashreplace").decode() for name in sorted(differences)[:_SHOWN]]
    print(json.dumps({"files": len(names), "bytes": size, "count": len(differences), "differences": shown}))
    sys.exit(1 if differences else 0)


def walked(folder: str) -> Iterator[tuple[str, Entry]]:
    """What is in `folder`, itself included: no link followed, nothing mounted in it, no sockets."""
    device = Path(folder).lstat().st_dev
    for path, folders, files, top in os.fwalk(folder, follow_symlinks=False):
        inside = os.path.relpath(path, folder)
        yield inside, _entry(os.fstat(top), "")
        deeper = [name for name in folders if _is_folder_on(name, top, device)]
        names = [*files, *(name for name in folders if name not in set(deeper))]
        for name in names:
            found = os.stat(name, dir_fd=top, follow_symlinks=False)
            if stat.S_ISSOCK(found.st_mode):
                continue
            target = os.readlink(name, dir_fd=top) if stat.S_ISLNK(found.st_mode) else ""
            yield os.path.normpath(f"{inside}/{name}"), _entry(found, target)
        folders[:] = deeper


def archived(archive: str) -> Iterator[tuple[str, Entry]]:
    """What is in the archive, read to its end. Raises where it is damaged."""
    with subprocess.Popen(["zstd", "-dcq", "--", archive], stdout=subprocess.PIPE) as unpacker:
        assert unpacker.stdout
        sizes: dict[str, Entry] = {}
        with tarfile.open(fileobj=unpacker.stdout, mode="r|", errors="surrogateescape", encoding="utf-8") as tar:
            for member in tar:
                name = os.path.normpath(member.name)
                if member.islnk():
                    # A second name of a file that came before.
                    yield name, sizes[os.path.normpath(member.linkname)]
                    continue
                entry = (_kind(member), member.size if member.isfile() else 0, int(member.mtime), member.linkname)
                sizes[name] = entry
                yield name, entry
        while unpacker.stdout.read(_CHUNK):
            pass
    if unpacker.returncode:
        sys.exit(f"zstd ended with {unpacker.returncode}")


def _kind(member: tarfile.TarInfo) -> str:
    if member.issym():
        return "link"
    if member.isdir():
        return "folder"
    return "file" if member.isfile() else "other"


def _entry(found: os.stat_result, target: str) -> Entry:
    kinds = {stat.S_IFLNK: "link", stat.S_IFDIR: "folder", stat.S_IFREG: "file"}
    kind = kinds.get(stat.S_IFMT(found.st_mode), "other")
    return kind, found.st_size if kind == "file" else 0, int(found.st_mtime_ns // 10**9), target


def _is_folder_on(name: str, top: int, device: int) -> bool:
    found = os.stat(name, dir_fd=top, follow_symlinks=False)
    return stat.S_ISDIR(found.st_mode) and found.st_dev == device


if __name__ == "__main__":
    main()
