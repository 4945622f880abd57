"""Verifying and unpacking one archive: ours against sha256sum with tar, and against hashlib with tarfile.

Run as `python -m benchmarks.unpack [--rounds N] [--dir DIR]`. The contenders take turns, each in a new folder.
Nothing is deleted before the end, as ext4 is slow to make files where many have just been deleted.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from backends.archives.installed import check_installed, is_complete, settle
from backends.archives.pack import Packed, pack
from backends.archives.stage import stage
from backends.archives.unpack import unpack
from backends.model.provenance import Provenance

DESCRIPTION = """schema = 1
name = "bench"
[build]
command = "true"
artifacts = ["bench", "share"]
platform = "any"
[run]
command = ["bin/bench"]
"""
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Python 3.11.2, which Debian 12 has, knows no filters yet."""

SIZE = 40 << 20
FILES = 2000


def content(size: int, chance: random.Random) -> bytes:
    """`size` bytes of which gzip leaves about half, like a real program's."""
    return chance.randbytes(size // 2) + b"hello world " * (size // 24)


def made(folder: Path, files: int) -> Packed:
    """An archive of about 20 MB that unpacks to 40 MB in `files` files."""
    chance, worktree = random.Random(1), folder / "worktree"
    for number in range(files):
        path = worktree / "share" / f"d{number % 50}" / f"f{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(SIZE // files, chance))
    (worktree / "bench").write_text("#!/bin/sh\n")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    provenance = Provenance(
        repo="hero/bench",
        branch="development",
        commit="0" * 40,
        builder="bench",
        platform="any",
        command="true",
        started=moment,
        finished=moment,
        files={},
    )
    stage(folder / "payload", worktree, ["bench", "share"], DESCRIPTION, provenance)
    return pack(folder / "payload", folder / "bench-any.tar.gz", mtime=0)


def with_tar(packed: Packed, dest: Path) -> None:
    dest.mkdir()
    listed = subprocess.run(["sha256sum", packed.path], capture_output=True, text=True, check=True).stdout
    if not listed.startswith(packed.sha256):
        raise SystemExit("the archive changed")
    subprocess.run(["tar", "-xzf", packed.path, "-C", dest], check=True)


def with_tarfile(packed: Packed, dest: Path) -> None:
    with packed.path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != packed.sha256:
            raise SystemExit("the archive changed")
    with tarfile.open(packed.path) as tar:
        tar.extractall(dest, **SAFELY)


def with_ours(packed: Packed, dest: Path) -> None:
    unpack(packed.path, dest, sha256=packed.sha256)


def timed(work: Callable[[], object]) -> float:
    """How long `work` takes, in milliseconds."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def compare(packed: Packed, folder: Path, rounds: int) -> None:
    contenders = {"ours": with_ours, "sha256sum + tar -xz": with_tar, "hashlib + tarfile": with_tarfile}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    after: dict[str, list[float]] = {
        "already installed": [],
        "check_installed": [],
        "settle (after the switch)": [],
    }
    for number in range(rounds):
        names = list(contenders)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            contender = contenders[name]
            dest = folder / f"{name.split()[0]}{number}"
            times[name].append(timed(lambda contender=contender, dest=dest: contender(packed, dest)))  # type: ignore[misc]
        tree = folder / f"ours{number}"
        after["settle (after the switch)"].append(timed(lambda tree=tree: settle(tree)))  # type: ignore[misc]
        after["already installed"].append(timed(lambda tree=tree: is_complete(tree, packed.sha256)))  # type: ignore[misc]
        after["check_installed"].append(timed(lambda tree=tree: check_installed(tree)))  # type: ignore[misc]
    ours = median(times["ours"])
    for name, taken in times.items():
        print(f"  {name:28} {median(taken):8.1f} ms   ours / this {ours / median(taken):5.2f}")
    for name, taken in after.items():
        print(f"  {name:28} {median(taken):8.2f} ms")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--dir", type=Path, help="where to unpack; default: the temporary folder")
    given = options.parse_args()
    for files in (FILES, 1):
        with tempfile.TemporaryDirectory(prefix="bench", dir=given.dir) as name:
            folder = Path(name)
            packed = made(folder, files)
            print(f"{files} file(s), {packed.size / 1e6:.1f} MB packed, {SIZE / 1e6:.1f} MB unpacked:")
            compare(packed, folder, given.rounds)


if __name__ == "__main__":
    main()
