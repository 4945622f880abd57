"""A strict reader of gzipped tar: files, folders and symlinks only, within limits, one block ahead."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO, Literal

from backends.archives.members import check_kind, check_link, member_name, refused

BLOCK = 512
READ = 1 << 18
"""Compressed bytes read at once; what is left of them is copied for each block, so it stays smaller than one."""
INFLATED = 1 << 20
"""Most bytes of one decompressed block."""
RATIO_FROM = 64 << 20
"""Unpacked bytes from which `MAX_RATIO` counts; below it a bomb does no harm."""
MAX_RATIO = 200
MAX_EXTENSION = 1 << 16
"""Longest pax header or GNU long name, in bytes."""

Kind = Literal["file", "folder", "link"]


@dataclass(frozen=True, slots=True)
class Member:
    """One entry; `size` in bytes counts for files, `target` for links."""

    name: str
    kind: Kind
    size: int
    executable: bool
    target: str


def inflate(file: BinaryIO, *, max_bytes: int, feed: Callable[[bytes], None]) -> Iterator[bytes]:
    """The decompressed blocks of `file`, each compressed byte given to `feed` as it is used.

    Raises HeroError("verification") for damage, truncation, bytes after the end, and more than
    `max_bytes` or `MAX_RATIO` times the compressed size.
    """
    engine, taken, given = zlib.decompressobj(zlib.MAX_WBITS | 16), 0, 0
    while not engine.eof:
        raw = file.read(READ)
        if not raw:
            raise refused("it is truncated" if taken else "it is empty")
        feed(raw)
        taken += len(raw)
        while block := _inflate_some(engine, raw):
            raw = engine.unconsumed_tail
            given += len(block)
            if given > max_bytes or (given > RATIO_FROM and given > taken * MAX_RATIO):
                raise refused(f"it unpacks to far more than it should: over {given} bytes from {taken}")
            yield block
    if engine.unused_data or file.read(1):
        raise refused("there are bytes after its end")


def _inflate_some(engine: zlib._Decompress, raw: bytes) -> bytes:
    try:
        return b"" if engine.eof else engine.decompress(raw, INFLATED)
    except zlib.error as error:
        raise refused("it is not a gzip file, or a damaged one") from error


def read_ahead(blocks: Iterator[bytes]) -> Generator[bytes, None, None]:
    """`blocks`, the next one made in a thread while this one is used: zlib and the disk then overlap."""
    with ThreadPoolExecutor(1, thread_name_prefix="inflate") as pool:
        pending = pool.submit(next, blocks, None)
        while (block := pending.result()) is not None:
            pending = pool.submit(next, blocks, None)
            yield block


class TarReader:
    """Walks a tar's members; between two members the content of a file must be taken by `content`."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._block = b""
        self._at = 0

    def members(self) -> Iterator[Member]:
        """Each member, safe to create below an empty folder as far as its own name and target go.

        Raises HeroError("verification") for anything else. Duplicates and parents are the caller's to check.
        """
        extended: dict[str, str] = {}
        while any(header := self._take(BLOCK)):
            kind = header[156:157]
            _check_sum(header)
            size = int(extended["size"]) if "size" in extended else _octal(header[124:136])
            if kind in b"xgLK":
                extended |= self._extension(kind, size)
                continue
            member = _member(header, kind, size, extended)
            extended = {}
            if member is not None:
                yield member
        if extended:
            raise refused("it is truncated")
        self._finish()

    def content(self, size: int) -> Iterator[bytes]:
        """The `size` bytes that follow, in pieces, and past their padding."""
        left = size
        while left:
            piece = self._piece(left)
            left -= len(piece)
            yield piece
        self._take(-size % BLOCK)

    def _piece(self, most: int) -> bytes:
        if self._at >= len(self._block):
            self._block, self._at = next(self._blocks, b""), 0
            if not self._block:
                raise refused("it is truncated")
        piece = self._block[self._at : self._at + most]
        self._at += len(piece)
        return piece

    def _take(self, size: int) -> bytes:
        if self._at + size <= len(self._block):
            self._at += size
            return self._block[self._at - size : self._at]
        pieces = []
        while size:
            pieces.append(self._piece(size))
            size -= len(pieces[-1])
        return b"".join(pieces)

    def _extension(self, kind: bytes, size: int) -> dict[str, str]:
        if size > MAX_EXTENSION:
            raise refused("a member header that is too long")
        raw = b"".join(self.content(size))
        if kind == b"L":
            return {"path": _text(raw.rstrip(b"\0"))}
        if kind == b"K":
            return {"linkpath": _text(raw.rstrip(b"\0"))}
        fields = _pax(raw)
        if kind == b"g" and fields:
            raise refused("a global header that renames members")
        return fields

    def _finish(self) -> None:
        """After the end marker only padding may follow: a second archive there would be seen by other readers."""
        if any(self._block[self._at :]) or any(any(block) for block in self._blocks):
            raise refused("there are bytes after its end")


def _member(header: bytes, kind: bytes, size: int, extended: dict[str, str]) -> Member | None:
    raw = extended.get("path") or _plain_name(header)
    target = extended.get("linkpath") or _text(header[157:257].split(b"\0", 1)[0])
    if kind not in _KINDS:
        raise refused(_REFUSED.get(kind, "a member of an unknown kind"), member=raw)
    sort, name = _KINDS[kind], member_name(raw)
    if sort == "file" and raw.endswith("/"):
        raise refused("a file whose name ends in a slash", member=raw)
    if sort != "file" and size:
        raise refused("a folder or link with content", member=raw)
    if not name:
        if sort != "folder":
            raise refused("a member without a name", member=raw)
        return None
    check_kind(name, sort)
    if sort == "link":
        check_link(name, target)
    return Member(name, sort, size, bool(_octal(header[100:108]) & 0o111), target if sort == "link" else "")


_KINDS: dict[bytes, Kind] = {b"0": "file", b"\0": "file", b"5": "folder", b"2": "link"}
_REFUSED = {
    b"1": "a hard link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a named pipe",
    b"S": "a sparse file",
}


def _plain_name(header: bytes) -> str:
    name = _text(header[:100].split(b"\0", 1)[0])
    if header[257:263] != b"ustar\0":  # only POSIX headers have a prefix; GNU keeps times in those bytes
        return name
    prefix = _text(header[345:500].split(b"\0", 1)[0])
    return f"{prefix}/{name}" if prefix else name


def _check_sum(header: bytes) -> None:
    # An unsigned sum with the sum's own field read as spaces.
    if sum(header) - sum(header[148:156]) + 8 * 0x20 != _octal(header[148:156]):
        raise refused("a damaged member header")


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if digits.strip(b"01234567"):
        raise refused("a number in a member header that is none")
    return int(digits, 8)


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refused("a name that is not UTF-8", member=repr(raw)) from error
    if "\0" in text:
        raise refused("a NUL in a name", member=repr(raw))
    return text


def _pax(raw: bytes) -> dict[str, str]:
    """The fields of a pax header that change what a member is; times and owners are not ours to keep."""
    fields: dict[str, str] = {}
    while raw:
        digits, _, rest = raw.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 8 else 0
        record = raw[:length]
        if not rest or len(record) != length or not record.endswith(b"\n"):
            raise refused("a damaged member header")
        key, _, value = record[len(digits) + 1 : -1].partition(b"=")
        if key.startswith(b"GNU.sparse"):
            raise refused("a sparse file")
        if key in (b"path", b"linkpath") or (key == b"size" and value.isdigit() and len(value) < 20):
            fields[key.decode()] = _text(value)
        raw = raw[length:]
    return fields


@contextlib.contextmanager
def open_tar(file: BinaryIO, *, max_bytes: int, feed: Callable[[bytes], None]) -> Iterator[TarReader]:
    """A reader of the gzipped tar at the position of `file`; its thread ends with the block. See `inflate`."""
    with contextlib.closing(read_ahead(inflate(file, max_bytes=max_bytes, feed=feed))) as blocks:
        yield TarReader(blocks)
