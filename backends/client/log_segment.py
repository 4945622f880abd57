"""One file of a log as bytes on disk, read in pieces; a file that shrinks meanwhile just ends earlier.

It is read and not mapped: a page that a truncation takes from under a mapping ends the whole process, and reading
lets other threads run while the bytes are copied. Either way they lie in the kernel's memory, once.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path

FOLD = 8192
"""Bytes after which a line without an end is broken, so that none costs more than others."""
CHUNK = 128 * 1024
"""Bytes that are searched at once, and whose lines are counted together; a multiple of FOLD."""
_MARK = 64


@dataclass(frozen=True, slots=True)
class Segment:
    """The first `size` bytes of an open file; `base` is the place of the first one in the log: whole CHUNKs.

    `mark` are the bytes at its beginning: other ones tell that the file was written anew.
    """

    base: int
    handle: int
    size: int
    mark: bytes

    @property
    def end(self) -> int:
        """The place behind its last byte."""
        return self.base + self.size

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from offset `start` to `stop`, fewer where the file ends."""
        try:
            return os.pread(self.handle, max(0, min(stop, self.size) - start), start)
        except OSError:
            return b""

    def grown(self) -> Segment:
        """The file as it is now, None of its old bytes changed."""
        size = file_size(self.handle)
        mark = self.mark if len(self.mark) == _MARK else os.pread(self.handle, min(_MARK, size), 0)
        return replace(self, size=size, mark=mark)

    def is_rewritten(self) -> bool:
        """Whether what was seen of the file is no longer there."""
        if file_size(self.handle) < self.size:
            return True
        return os.pread(self.handle, len(self.mark), 0) != self.mark

    # -- where lines begin ------------------------------------------------------------------------
    #
    # A line begins at the start of the file, behind a newline, and where it has gone on for a whole FOLD: at each
    # offset that is a multiple of FOLD and has no newline in the FOLD bytes before it. So any beginning is found
    # from the bytes around it, whatever the length of the line.

    def first_from(self, offset: int) -> int | None:
        """The first beginning at `offset` or behind it."""
        if offset <= 0:
            return 0 if self.size else None
        fold = -(-offset // FOLD) * FOLD
        low = fold - FOLD
        data = self.read(low, fold + FOLD)
        found = data.find(b"\n", offset - 1 - low)
        if data.find(b"\n", 0, FOLD) >= 0:
            fold += FOLD
        begin = fold if found < 0 else min(fold, low + found + 1)
        return begin if begin < self.size else None

    def after(self, offset: int) -> int | None:
        """The beginning behind the line that begins at `offset`."""
        fold = -(-offset // FOLD) * FOLD + FOLD
        found = self.read(offset, fold).find(b"\n")
        begin = fold if found < 0 else offset + found + 1
        return begin if begin < self.size else None

    def before(self, offset: int) -> int | None:
        """The beginning before `offset`, which is a beginning or the end."""
        if offset <= 0:
            return None
        low = max(0, offset - 1 - 2 * FOLD)
        begin = low + self.read(low, offset - 1).rfind(b"\n") + 1
        fold = (offset - 1) // FOLD * FOLD
        return fold if fold - FOLD >= begin else begin


def open_segment(path: Path, base: int) -> Segment | None:
    """The regular file at `path`, None where there is none that can be read.

    A pipe or device is not opened: whoever waits for a reader of it would write to one that is gone at once.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return None
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    if not os.path.isfile(f"/proc/self/fd/{handle}"):  # noqa: PTH113 - of the open file, not of a path
        os.close(handle)
        return None
    return Segment(base, handle, 0, b"").grown()


def file_size(handle: int) -> int:
    """How many bytes the open file has."""
    return os.fstat(handle).st_size
