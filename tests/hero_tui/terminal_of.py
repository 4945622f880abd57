"""A program on a real pseudo-terminal, its screen emulated, for tests that see what a person sees."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pyte

DEADLINE = 30.0


class Terminal:
    """The screen of one running program."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, columns: int, rows: int):
        self.process = process
        self._master = master
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = bytearray()
        """Everything that the program has written."""

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return "\n".join(self._screen.display)

    @property
    def title(self) -> str:
        """What the program calls its window."""
        return str(self._screen.title)

    def press(self, keys: str) -> None:
        """Type; `\\r` is enter, `\\x1b` escape."""
        os.write(self._master, keys.encode())

    def take(self, seconds: float = 0.05) -> bool:
        """Take in what the program writes within `seconds`; False once it has closed its terminal."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.raw += data
        self._stream.feed(data)
        return bool(data)

    def until(self, condition: Callable[[str], bool], what: str) -> None:
        """Wait until the screen's text fulfils `condition`."""
        deadline = time.monotonic() + DEADLINE
        while not condition(self.text):
            assert time.monotonic() < deadline, f"{what} was not seen in time; the screen:\n{self.text}"
            assert self.take(), f"{what} was not seen before the program ended; the screen:\n{self.text}"

    def shows(self, text: str) -> None:
        """Wait until `text` is on the screen."""
        self.until(lambda screen: text in screen, repr(text))

    def ends(self) -> int:
        """Wait until the program has ended; its exit code."""
        deadline = time.monotonic() + DEADLINE
        while self.process.poll() is None and time.monotonic() < deadline:
            self.take()
        return self.process.wait(1)


@contextmanager
def terminal_of(
    argv: Sequence[str], environment: Mapping[str, str], columns: int = 120, rows: int = 40
) -> Iterator[Terminal]:
    """Run `argv` on a terminal of that size; it is ended with the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        argv, stdin=slave, stdout=slave, stderr=slave, env=dict(environment), start_new_session=True
    )
    os.close(slave)
    try:
        yield Terminal(process, master, columns, rows)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE)
        os.close(master)
