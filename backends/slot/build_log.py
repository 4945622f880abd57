"""What a build prints: kept raw on disk under a size limit, its last lines at hand for people."""

from __future__ import annotations

import os
import re
import select
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from backends.model.text import safe_line

MIB = 1024 * 1024
LIMIT = 64 * MIB
"""Bytes of output that a log keeps."""
TAIL = 4 * MIB
"""Bytes of them that are the output's end, held in memory until the build is over."""
CHUNK = 64 * 1024
TELL_EVERY = 0.1
"""Seconds between two tells of the last line."""

_BREAKS = re.compile(rb"[\r\n]+")


class BuildLog:
    """One build's log file: `header`, the head of the output, a notice of what was left out, the tail.

    Raises OSError on creation where the file cannot be made. A write that fails later (a full disk) is kept
    in `failure` and ends the writing, not the build.
    """

    def __init__(self, path: Path, header: str = "", *, limit: int = LIMIT, tail: int = TAIL):
        self.path = path
        self.failure: OSError | None = None
        self.lines = 0
        self._head_limit = limit - tail
        self._tail_limit = tail
        self._total = 0
        self._head = 0
        self._tail: deque[bytes] = deque()
        self._tail_size = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("wb", buffering=0)
        self._put(header.encode())

    def write(self, data: bytes) -> None:
        """Take `data`, however much there is in all: disk and memory stay bounded."""
        self.lines += data.count(b"\n")
        if self._head == self._total and (room := self._head_limit - self._head) > 0:
            self._head += self._put(data[:room])
        self._total += len(data)
        self._tail.append(data)
        self._tail_size += len(data)
        while self._tail_size - len(self._tail[0]) >= self._tail_limit:
            self._tail_size -= len(self._tail.popleft())

    def last_lines(self, count: int) -> list[str]:
        """The last `count` lines that say something, harmless for a terminal."""
        recent: list[bytes] = []
        size = 0
        for chunk in reversed(self._tail):
            recent.append(chunk)
            size += len(chunk)
            if size >= CHUNK:
                break
        text = b"".join(reversed(recent))[-CHUNK:]
        lines = (safe_line(line.decode(errors="replace"), 500).strip() for line in _BREAKS.split(text))
        return [line for line in lines if line][-count:]

    def close(self, footer: str = "") -> None:
        """Write what is held back, then `footer`, and close the file."""
        start = self._total - self._tail_size
        if self._head < start:
            self._put(f"\n[… {start - self._head} bytes of output left out …]\n".encode())
        if self._head < self._total:
            self._put(b"".join(self._tail)[max(0, self._head - start) :])
        self._put(footer.encode())
        self._file.close()

    def _put(self, data: bytes) -> int:
        """Write as much of `data` as the disk takes; returns how much."""
        view, done = memoryview(data), 0
        try:
            while done < len(view):
                done += self._file.write(view[done:]) or 0
        except OSError as error:
            self.failure = self.failure or error
        return done


def pump(source: int, stop: int, log: BuildLog, tell: Callable[[str, int], None]) -> None:
    """Move what the pipe `source` brings into `log` until its end, or until `stop` is readable and it is empty.

    `tell(last line, lines so far)` is called in this thread, ten times a second at most. Blocks: its own thread.
    """
    poll = select.poll()
    poll.register(source, select.POLLIN)
    poll.register(stop, select.POLLIN)
    told, untold, left = 0.0, False, LIMIT
    while True:
        ready = {handle for handle, _ in poll.poll(TELL_EVERY * 1000 if untold else None)}
        data = os.read(source, CHUNK) if source in ready else None
        if data:
            log.write(data)
            untold = True
            # A process that escaped may hold the pipe and print for ever; what is over is over.
            left -= len(data) if stop in ready else 0
        over = data == b"" or (stop in ready and (data is None or left <= 0))
        if untold and (over or time.monotonic() - told >= TELL_EVERY):
            tell("".join(log.last_lines(1)), log.lines)
            told, untold = time.monotonic(), False
        if over:
            return
