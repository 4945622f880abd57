"""The terminal, read and written in the event loop: no thread stands between a key and what answers it.

A thread that writes waits for Python's lock, which the loop keeps for 5 ms while it works; so does one that reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import select
import termios
import threading
from array import array
from collections.abc import Callable
from typing import TextIO

_PIECE = 1 << 16


class Tty:
    """A terminal, opened once more for this program alone: there nothing blocks. All is sent, in its order.

    It takes the place of Textual's WriterThread, and of its thread that reads.
    """

    def __init__(self, read_from: int, write_to: TextIO) -> None:
        self._in, self._out = _reopened(read_from), _reopened(write_to.fileno())
        self._encoding, self._errors = write_to.encoding, write_to.errors or "replace"
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._rest = bytearray()
        self._keys = select.poll()
        self._keys.register(self._in, select.POLLIN)

    # -- what is written --------------------------------------------------------------------------

    @property
    def unsent(self) -> int:
        """Bytes that the terminal has not taken yet."""
        return len(self._rest)

    def write(self, text: str) -> None:
        """Send it, at once as far as the terminal takes it; never waits."""
        if threading.get_ident() != self._thread:
            self._loop.call_soon_threadsafe(self.write, text)
            return
        data = text.encode(self._encoding, self._errors)
        if self._rest:
            self._rest += data
            return
        sent = self._send(data)
        if sent < len(data):
            self._rest += data[sent:]
            self._loop.add_writer(self._out, self._send_rest)

    def _send(self, data: bytes | bytearray) -> int:
        """How much of it was taken; all of it where there is nobody who could take it."""
        try:
            return os.write(self._out, data)
        except BlockingIOError:
            return 0
        except OSError:
            return len(data)

    def _send_rest(self) -> None:
        del self._rest[: self._send(self._rest[:_PIECE])]
        if not self._rest:
            self._loop.remove_writer(self._out)

    # -- what is read -----------------------------------------------------------------------------

    @property
    def readable(self) -> bool:
        """Whether a key waits to be read."""
        return self._in >= 0 and bool(self._keys.poll(0))

    @property
    def typed(self) -> int:
        """How many bytes wait to be read."""
        count = array("i", [0])
        try:
            fcntl.ioctl(self._in, termios.FIONREAD, count)
        except OSError:
            return 0
        return count[0]

    def listen(self, take: Callable[[bytes], None]) -> None:
        """Have `take` called with what comes, and with nothing once the terminal is gone."""

        def read() -> None:
            try:
                data = os.read(self._in, 4096)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.ignore()
            take(data)

        with contextlib.suppress(PermissionError):  # a file: nobody types there
            self._loop.add_reader(self._in, read)

    def ignore(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._in)

    # -- as Textual's WriterThread ----------------------------------------------------------------

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """Send the rest, however long the terminal takes for it, and let go of it."""
        if self._out < 0:
            return
        self.ignore()
        self._loop.remove_writer(self._out)
        for fd in (self._in, self._out):
            os.set_blocking(fd, True)  # where it could not be opened once more, others have it, too
        while self._rest:
            del self._rest[: self._send(self._rest[:_PIECE])]
        for fd in (self._in, self._out):
            os.close(fd)
        self._in = self._out = -1


def _reopened(fd: int) -> int:
    """The same terminal with settings of its own, or where it belongs to another user, the same one again."""
    try:
        return os.open(os.ttyname(fd), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        again = os.dup(fd)
        os.set_blocking(again, False)
        return again
