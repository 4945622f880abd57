"""What the tests of this folder pack: small services, good archives, and archives that nobody should send."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from backends.archives.pack import Packed, pack
from backends.archives.stage import stage
from backends.model.names import BadValue, check_relative_path
from backends.model.provenance import Provenance, to_json

TIME = 1_780_000_000
DESCRIPTION = """schema = 1
name = "hero_slides"
[build]
command = "make"
artifacts = ["hero_slides", "share"]
platform = "any"
[run]
command = ["bin/hero_slides", "--socket", "{socket:web}"]
sockets = ["web"]
"""
PROGRAM = b"#!/bin/sh\necho slides\n"


def made_provenance(files: dict[str, str] | None = None) -> Provenance:
    moment = datetime(2026, 6, 1, 12, tzinfo=UTC)
    return Provenance(
        repo="lhumina_code/hero_slides",
        branch="development",
        commit="0123456789abcdef0123456789abcdef01234567",
        builder="hero_builder 0.1.0",
        platform="any",
        command="make",
        started=moment,
        finished=moment,
        files=files or {},
    )


def made_worktree(folder: Path, share: dict[str, bytes] | None = None) -> Path:
    """A worktree whose build made `hero_slides` and `share/`."""
    (folder / "share").mkdir(parents=True)
    (folder / "hero_slides").write_bytes(PROGRAM)
    for name, content in (share or {"deck/one.txt": b"one"}).items():
        path = folder / "share" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def made_payload(folder: Path, share: dict[str, bytes] | None = None) -> Path:
    worktree = made_worktree(folder / "worktree", share)
    stage(folder / "payload", worktree, ["hero_slides", "share"], DESCRIPTION, made_provenance())
    return folder / "payload"


def made_archive(folder: Path, share: dict[str, bytes] | None = None) -> Packed:
    return pack(made_payload(folder, share), folder / "hero_slides-any.tar.gz", mtime=TIME)


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def member(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, target: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, len(content), target, 0o6755
    return info, content


def crafted(
    path: Path,
    members: Sequence[tuple[tarfile.TarInfo, bytes]],
    *,
    before: bool = False,
    tar_format: int = tarfile.PAX_FORMAT,
) -> str:
    """Write an archive that is good but for `members`; returns its sha256.

    Its provenance lists every member that it can, so that only the fault under test is refused.
    """
    good = [member("hero_service.toml", DESCRIPTION.encode()), member("bin", kind=tarfile.DIRTYPE)]
    good.append(member("bin/hero_slides", PROGRAM))
    everything = [*members, *good] if before else [*good, *members]
    files = {}
    for info, content in everything:
        if info.isreg():
            with contextlib.suppress(BadValue):
                files[check_relative_path(info.name)] = sha256_of(content)
    everything.append(member("provenance.json", to_json(made_provenance(files)).encode()))
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tar_format) as tar:
        for info, content in everything:
            tar.addfile(info, io.BytesIO(content))
    return written(path, gzip.compress(raw.getvalue(), mtime=0))


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return sha256_of(content)


def tree_of(folder: Path) -> dict[str, tuple[str, bytes, int]]:
    """Kind, content or target, and mode of everything in `folder`, but the marker of an installed tree."""
    found: dict[str, tuple[str, bytes, int]] = {}
    for path in sorted(folder.rglob("*")):
        name, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode & 0o7777
        if path.is_symlink():
            found[name] = ("link", os.fsencode(path.readlink()), 0)
        elif path.is_dir():
            found[name] = ("folder", b"", mode)
        elif name != ".installed.json":
            found[name] = ("file", path.read_bytes(), mode)
    return found


class Source:
    """Serves one content as a download does, and notes from where it was asked."""

    def __init__(self, content: bytes, *, chunk: int = 1000, fails_at: int | None = None) -> None:
        self.content = content
        self.offsets: list[int] = []
        self._chunk = chunk
        self._fails_at = fails_at

    @property
    def sha256(self) -> str:
        return sha256_of(self.content)

    async def open_at(self, offset: int) -> AsyncIterator[bytes]:
        self.offsets.append(offset)
        for at in range(offset, len(self.content), self._chunk):
            if self._fails_at is not None and at >= self._fails_at:
                raise ConnectionResetError("the line is cut")
            yield self.content[at : at + self._chunk]
