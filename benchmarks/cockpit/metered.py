"""A Textual app that tells what CPU a key costs it: `python -m benchmarks.cockpit.metered FILE MODULE WORDS…`.

FILE gets a line `key WALL CPU` for each key that was read, and `sent WALL CPU` for each piece that goes to the
terminal, in seconds of the system's clock and of this process. MODULE is run as with `python -m`.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from typing import Any

from textual import events
from textual.driver import Driver
from textual.message import Message

from screens.tty import Tty


class _Out:
    """The standard error, which says when it is written to: Textual's own driver does so in a thread."""

    def __init__(self, file: Any, meter: Meter) -> None:
        self._file, self._meter = file, meter

    def write(self, text: str) -> None:
        self._meter.tell("sent")
        self._file.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class Meter:
    """Writes to one file."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def tell(self, what: str) -> None:
        """One line."""
        os.write(self._fd, f"{what} {time.perf_counter():.6f} {time.process_time():.6f}\n".encode())

    def install(self) -> None:
        """From now on."""
        process, send, meter = Driver.process_message, Tty._send, self

        def read(driver: Driver, message: Message) -> None:
            if isinstance(message, events.Key):
                meter.tell("key")
            process(driver, message)

        def sent(tty: Tty, data: bytes | bytearray) -> int:
            meter.tell("sent")
            return send(tty, data)

        Driver.process_message = read  # type: ignore[method-assign,assignment]
        Tty._send = sent  # type: ignore[method-assign,assignment]
        sys.__stderr__ = _Out(sys.__stderr__, self)  # type: ignore[misc,assignment]


def main() -> None:
    """Until the app ends."""
    path, module = sys.argv[1:3]
    Meter(path).install()
    sys.argv[:] = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
