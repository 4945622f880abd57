"""Log files as bytes on disk: newest line first, through rotations, never more than a chunk in memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from backends.model.log_text import LINE_LIMIT

CHUNK = 64 * 1024
ROTATIONS = 100
"""Old files `<name>.1`, `<name>.2`, … that are looked at."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int | None]:
    """A descriptor to read the regular file `path` by, None where there is none."""
    handle = open_log(path)
    try:
        yield handle
    finally:
        if handle is not None:
            os.close(handle)


def open_log(path: Path) -> int | None:
    """As `opened`, for the caller to close. A pipe or device in a log's place is not opened."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    if os.path.isfile(f"/proc/self/fd/{handle}"):  # noqa: PTH113 - of the open file, not of a path
        return handle
    os.close(handle)
    return None


def rotations(path: Path) -> Iterator[Path]:
    """`path`, then its older rotations, newest first."""
    yield path
    for number in range(1, ROTATIONS + 1):
        older = path.with_name(f"{path.name}.{number}")
        if not older.exists():
            return
        yield older


def lines_backwards(handle: int, end: int, worth: Callable[[bytes], bool] = lambda chunk: True) -> Iterator[bytes]:
    """The lines before offset `end`, last first, each cut to LINE_LIMIT + 1 bytes.

    `worth(chunk)` False passes over the lines that lie wholly in `chunk`. A line of any length costs no more
    memory than a chunk. A file that shrinks meanwhile just ends earlier.
    """
    head, at_end = b"", True
    while end > 0:
        begin = max(0, end - CHUNK)
        chunk = os.pread(handle, end - begin, begin)
        end = begin
        first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
        if last < 0:
            head = (chunk + head)[: LINE_LIMIT + 1]
            continue
        newest = (chunk[last + 1 :] + head)[: LINE_LIMIT + 1]
        if newest or not at_end:
            yield newest
        at_end = False
        if first < last and worth(chunk):
            for line in reversed(chunk[first + 1 : last].split(b"\n")):
                yield line[: LINE_LIMIT + 1]
        head = chunk[:first][: LINE_LIMIT + 1]
    if head or not at_end:
        yield head


def end_of_lines(handle: int) -> int:
    """The offset behind the last complete line."""
    end = os.fstat(handle).st_size
    while end > 0:
        begin = max(0, end - CHUNK)
        found = os.pread(handle, end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0
