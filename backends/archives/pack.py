"""Packs a staged payload into an archive whose bytes depend on nothing but the payload and the time given."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from backends.archives.disk import CHUNK, disk_errors, link_text, open_regular, write_all
from backends.archives.members import DESCRIPTION, PROVENANCE, check_kind, check_link, member_name
from backends.durable import sync_folder
from backends.model.errors import HeroError
from backends.model.text import safe_line

LEVEL = 6
"""The one compression level: another would give the same files other bytes."""
MAX_TIME = (1 << 33) - 1
"""Latest modification time that a plain tar header holds, in seconds."""


@dataclass(frozen=True)
class Packed:
    """An archive as written; `size` in bytes."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True)
class _Entry:
    name: str
    path: Path
    info: os.stat_result


def pack(
    payload: Path,
    out: Path,
    *,
    mtime: int,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Packed:
    """Write the folder `payload` as the gzipped tar `out`. Blocking: call it in a thread.

    Equal payloads and `mtime` (the commit's, in seconds) give equal bytes, whatever the files' times, owners,
    umask and order in their folders are: names sorted, owner 0, modes 0755 or 0644, a bare gzip header.
    (zlib's own version counts too: builders of one box share it.) `progress` gets bytes done and in all.

    `out` appears complete and synced, by a rename. Raises HeroError: "verification" for a device, pipe, socket,
    hard link, link out of the payload or unfit name; "failed", "no_space", "cancelled". Then `out` is what it was.
    """
    if not 0 <= mtime <= MAX_TIME:
        raise HeroError("usage", f"{mtime} is no time for an archive.", hint="Give the commit's time in seconds.")
    with disk_errors("packing", payload):
        entries = list(_entries(payload, ""))
    for name in (DESCRIPTION, PROVENANCE):
        if all(entry.name != name for entry in entries):
            raise HeroError("failed", f"{payload} has no {name}.", hint="Build the service again.")
    total = sum(entry.info.st_size for entry in entries if stat.S_ISREG(entry.info.st_mode))
    temporary = out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")
    try:
        with disk_errors("writing", out):
            out.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("xb", buffering=0) as file:
                sink = _Sink(file.fileno())
                _write_tar(entries, sink, mtime, _watch(total, progress, cancelled))
                os.fsync(file.fileno())
            temporary.replace(out)
            sync_folder(out.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return Packed(out, sink.sha256, sink.size)


def _watch(
    total: int, progress: Callable[[int, int], None] | None, cancelled: Callable[[], bool] | None
) -> Callable[[int], None]:
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        if cancelled is not None and cancelled():
            raise HeroError("cancelled", "The packing was cancelled.", hint="Nothing was published.")
        if progress is not None:
            progress(done, total)

    return more


class _Sink:
    """Compresses and hashes on the way into a file."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._digest = hashlib.sha256()
        self._engine = zlib.compressobj(LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, content: bytes) -> None:
        self._put(self._engine.compress(content))

    def close(self) -> None:
        self._put(self._engine.flush())

    def _put(self, packed: bytes) -> None:
        self._digest.update(packed)
        self.size += len(packed)
        if packed:
            write_all(self._fd, packed)


def _entries(folder: Path, prefix: str) -> Iterator[_Entry]:
    """Everything below `folder`, each checked, in the order of its names' bytes."""
    for path in sorted(folder.iterdir(), key=lambda path: os.fsencode(path.name)):
        raw = f"{prefix}{path.name}"
        name, info = member_name(raw), path.lstat()
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise _unfit(raw, "has a name that is not UTF-8") from error
        _check_entry(name, path, info)
        yield _Entry(name, path, info)
        if stat.S_ISDIR(info.st_mode):
            yield from _entries(path, f"{name}/")


def _check_entry(name: str, path: Path, info: os.stat_result) -> None:
    if stat.S_ISDIR(info.st_mode):
        check_kind(name, "folder")
    elif stat.S_ISLNK(info.st_mode):
        check_kind(name, "link")
        check_link(name, link_text(path))
    elif not stat.S_ISREG(info.st_mode):
        raise _unfit(name, "is a device, a pipe or a socket")
    elif info.st_nlink > 1:
        raise _unfit(name, "is a hard link: its other name could change it while it is packed")
    else:
        check_kind(name, "file")


def _unfit(name: str, why: str) -> HeroError:
    return HeroError(
        "verification",
        f"{safe_line(name, 200)!r} cannot be packed: it {why}.",
        hint="Only files, folders and links inside the archive can. Correct the build's artifacts.",
        data={"member": safe_line(name, 200)},
    )


def _write_tar(entries: list[_Entry], sink: _Sink, mtime: int, watch: Callable[[int], None]) -> None:
    for entry in entries:
        watch(0)
        sink.write(_header(entry, mtime))
        if stat.S_ISREG(entry.info.st_mode):
            _write_content(entry, sink, watch)
    sink.write(bytes(2 * tarfile.BLOCKSIZE))
    sink.close()


def _header(entry: _Entry, mtime: int) -> bytes:
    member = tarfile.TarInfo(entry.name)
    member.mtime = mtime
    member.mode = 0o644
    if stat.S_ISDIR(entry.info.st_mode):
        member.type, member.mode = tarfile.DIRTYPE, 0o755
    elif stat.S_ISLNK(entry.info.st_mode):
        member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o755, link_text(entry.path)
    else:
        member.size = entry.info.st_size
        member.mode = 0o755 if entry.info.st_mode & 0o100 else 0o644
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "strict")


def _write_content(entry: _Entry, sink: _Sink, watch: Callable[[int], None]) -> None:
    with open_regular(entry.path) as file:
        left = entry.info.st_size
        while left and (block := file.read(min(CHUNK, left))):
            sink.write(block)
            left -= len(block)
            watch(len(block))
        if left or file.read(1) or not os.path.samestat(os.fstat(file.fileno()), entry.info):
            raise HeroError(
                "failed",
                f"{entry.path} changed while it was packed.",
                hint="Something still writes to the build's result. Build again when it has ended.",
            )
    sink.write(bytes(-entry.info.st_size % tarfile.BLOCKSIZE))
