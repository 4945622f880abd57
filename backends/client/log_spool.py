"""What is piped in, kept in a file without a name while it is shown, so that it is a log like any other."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

_PIECE = 1 << 16


class Spool:
    """Copies what `source` gives into a file that is gone with this process. `ended` once no more can come.

    `problem` says why what came last could not be kept. Raises OSError without a file to write to.
    """

    def __init__(self, source: int) -> None:
        self._source = source
        self._file = tempfile.TemporaryFile(prefix="hero-log-", buffering=0)  # noqa: SIM115 - lives with this
        self.ended = False
        self.problem = ""
        self._thread = threading.Thread(target=self._run, name="log spool", daemon=True)
        self._thread.start()

    @property
    def path(self) -> Path:
        """A path to it, also for other programs of the same user, while this one lives."""
        return Path(f"/proc/{os.getpid()}/fd/{self._file.fileno()}")

    def _run(self) -> None:
        try:
            while piece := os.read(self._source, _PIECE):
                while piece:
                    piece = piece[self._file.write(piece) or 0 :]
        except OSError as error:
            self.problem = f"What was piped in is cut off here: {error.strerror}."
        finally:
            self.ended = True
            os.close(self._source)


def take_input() -> Spool:
    """Keep what standard input gives, and have the keys come from the terminal in its place. Raises OSError."""
    source = os.dup(0)
    terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    os.dup2(terminal, 0)
    os.close(terminal)
    return Spool(source)
