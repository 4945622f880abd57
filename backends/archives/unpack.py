"""Turns a verified archive into an installed tree: complete under its name, or not there at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backends.archives.disk import CHUNK, disk_errors, open_regular, write_all
from backends.archives.installed import Marker, boot_id, is_complete, write_marker
from backends.archives.members import DESCRIPTION, PROVENANCE, refused
from backends.archives.tarstream import Member, TarReader, open_tar
from backends.archives.trees import put, temporary_tree
from backends.failpoints import failpoint
from backends.model import provenance
from backends.model.errors import HeroError
from backends.model.names import check_sha256
from backends.model.provenance import Provenance
from backends.model.service import ServiceDescription
from backends.model.tomlfile import parse

MAX_BYTES = 4 << 30
MAX_FILES = 100_000
MAX_TEXT = 16 << 20
"""Longest `provenance.json` or `hero_service.toml`, in bytes."""

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes there are."""


@dataclass(frozen=True)
class Unpacked:
    """An installed tree; `fresh` is false where it was there already, complete and of the same archive."""

    tree: Path
    sha256: str
    description: ServiceDescription
    provenance: Provenance
    fresh: bool


def unpack(
    archive: Path,
    dest: Path,
    *,
    sha256: str,
    max_bytes: int = MAX_BYTES,
    max_files: int = MAX_FILES,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Unpacked:
    """Install `archive`, whose digest must be `sha256`, as the folder `dest`. Blocking: call it in a thread.

    The digest is checked before a byte is unpacked, and again over exactly the bytes that were, so nobody can
    swap or change the file in between. `max_bytes` bounds everything unpacked, `max_files` the members.
    A `dest` that is not complete, or of another archive, is replaced. Nothing is synced: see installed.py.

    Raises HeroError: "verification", "no_space", "cancelled", "not_found", "failed". The old `dest`, or none,
    is then what it was.
    """
    check_sha256(sha256)
    if is_complete(dest, sha256):
        return _installed(dest, sha256)
    with disk_errors("reading", archive):
        file = open_regular(archive)
    with file, disk_errors("unpacking to", dest):
        watch = _watch(os.fstat(file.fileno()).st_size, progress, cancelled)
        _check_digest(_digest_of(file, watch), sha256, archive)
        dest.parent.mkdir(parents=True, exist_ok=True)
        with temporary_tree(dest.parent) as tree:
            writer = _Writer(tree, max_files)
            found = _extract(file, writer, max_bytes, watch)
            _check_digest(found, sha256, archive)
            description, recorded = _check_content(writer)
            proof = writer.hashes[PROVENANCE]
            write_marker(tree, Marker(sha256, proof, boot_id(), durable=False))
            failpoint("archives.unpack.before_rename")
            put(tree, dest, sha256)
            failpoint("archives.unpack.after_rename")
    return Unpacked(dest, sha256, description, recorded, fresh=True)


def _watch(total: int, progress: Progress | None, cancelled: Callable[[], bool] | None) -> Callable[[int], None]:
    def at(done: int) -> None:
        if cancelled is not None and cancelled():
            raise HeroError("cancelled", "The unpacking was cancelled.", hint="Nothing was installed.")
        if progress is not None:
            progress(done, total)

    return at


def _digest_of(file: BinaryIO, watch: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    while block := file.read(CHUNK):
        digest.update(block)
        watch(0)
    file.seek(0)
    return digest.hexdigest()


def _check_digest(found: str, expected: str, archive: Path) -> None:
    if found != expected:
        raise HeroError(
            "verification",
            f"{archive.name} has the wrong sha256: {found}, expected {expected}.",
            hint="Nothing was installed. Run it again: the archive will be downloaded anew.",
            data={"expected": expected, "found": found, "path": str(archive)},
        )


def _extract(file: BinaryIO, writer: _Writer, max_bytes: int, watch: Callable[[int], None]) -> str:
    """Unpack `file` through `writer`; returns the sha256 of the very bytes that were unpacked."""
    digest, done = hashlib.sha256(), 0

    def feed(raw: bytes) -> None:
        nonlocal done
        digest.update(raw)
        done += len(raw)
        watch(done)

    with open_tar(file, max_bytes=max_bytes, feed=feed) as reader:
        for member in reader.members():
            writer.add(member, reader)
            failpoint("archives.unpack.member")
    return digest.hexdigest()


class _Writer:
    """Creates members below a folder that it alone fills, so what it made is what is there."""

    def __init__(self, tree: Path, max_files: int) -> None:
        self._tree = os.fspath(tree)
        self._max_files = max_files
        self._folders: set[str] = {""}
        self._listed: set[str] = set()
        self.hashes: dict[str, str] = {}
        self.texts: dict[str, bytes] = {}

    def add(self, member: Member, reader: TarReader) -> None:
        """Create `member`, its content taken from `reader`. Raises HeroError and OSError."""
        name = member.name
        if name in self._listed:
            raise refused("the same name twice", member=name)
        self._listed.add(name)
        if len(self._listed) > self._max_files:
            raise refused(f"it has more than {self._max_files} members")
        self._make_folder(name.rpartition("/")[0])
        if member.kind == "folder":
            self._make_folder(name)
        elif member.kind == "link":
            Path(self._tree, name).symlink_to(member.target)
        else:
            self._write(member, reader)

    def _make_folder(self, name: str) -> None:
        if name in self._folders:
            return
        self._make_folder(name.rpartition("/")[0])
        path = Path(self._tree, name)
        try:
            path.mkdir()
        except FileExistsError as error:
            raise refused("a member below a file or a link", member=name) from error
        path.chmod(0o755)  # whatever the umask is
        self._folders.add(name)

    def _write(self, member: Member, reader: TarReader) -> None:
        digest, kept = hashlib.sha256(), []
        keep = member.name in (DESCRIPTION, PROVENANCE)
        if keep and member.size > MAX_TEXT:
            raise refused(f"its {member.name} is too long")
        path = f"{self._tree}/{member.name}"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            for piece in reader.content(member.size):
                write_all(fd, piece)
                digest.update(piece)
                if keep:
                    kept.append(piece)
            os.fchmod(fd, 0o755 if member.executable else 0o644)
        finally:
            os.close(fd)
        self.hashes[member.name] = digest.hexdigest()
        if keep:
            self.texts[member.name] = b"".join(kept)


def _check_content(writer: _Writer) -> tuple[ServiceDescription, Provenance]:
    """Refuse a tree that its own provenance and description do not cover; returns the two."""
    for name in (DESCRIPTION, PROVENANCE):
        if name not in writer.texts:
            raise refused(f"it has no {name}")
    description = _read_description(writer.texts[DESCRIPTION])
    recorded = _read_provenance(writer.texts[PROVENANCE])
    files = recorded.files
    found = {name: digest for name, digest in writer.hashes.items() if name != PROVENANCE}
    if found == files:
        return description, recorded
    for name in sorted(found.keys() | files.keys()):
        if name not in found:
            raise refused(f"its {PROVENANCE} names a file that it does not hold", member=name)
        if name not in files:
            raise refused(f"a file that its {PROVENANCE} does not name", member=name)
        if found[name] != files[name]:
            raise refused(f"a file with another sha256 than its {PROVENANCE} says", member=name)
    raise AssertionError("unequal maps differ somewhere")


def _read_description(raw: bytes) -> ServiceDescription:
    try:
        return parse(ServiceDescription, raw.decode(), DESCRIPTION)
    except (UnicodeDecodeError, HeroError) as error:
        raise refused(f"its {DESCRIPTION} does not parse: {error}") from error


def _read_provenance(raw: bytes) -> Provenance:
    try:
        return provenance.from_json(raw.decode(), PROVENANCE)
    except (UnicodeDecodeError, HeroError) as error:
        raise refused(f"its {PROVENANCE} does not parse: {error}") from error


def _installed(dest: Path, sha256: str) -> Unpacked:
    with disk_errors("reading", dest):
        description = _read_description((dest / DESCRIPTION).read_bytes())
        recorded = _read_provenance((dest / PROVENANCE).read_bytes())
    return Unpacked(dest, sha256, description, recorded, fresh=False)
