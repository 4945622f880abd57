"""A terminal that another process of the same user draws on: passes signals on, runs programs, takes it back."""

# pathlib and contextlib would take a third of the time that a start has
# ruff: noqa: PTH123, SIM105

from __future__ import annotations

import os
import signal
import termios
import time

from hero_tui.resident import wire

TYPE_CHECKING = False  # typing would take another sixth
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_STOP_SECONDS = 1.0
_FORWARDED = (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_LEAVE = b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?7h"
"""What a cockpit that ends by itself sends last: one that was killed could not."""


class Lent:
    """The terminal while the process `pid` draws on it; it had these `modes` before."""

    def __init__(self, connection: wire.Connection, pid: int, modes: list[Any]):
        self._connection = connection
        self._pid = pid
        self._modes = modes

    def wait(self) -> int:
        """Until the other process says how it ended, or has gone without a word."""
        for number in _FORWARDED:
            signal.signal(number, self._pass_on)
        signal.signal(signal.SIGTSTP, self._stop)
        while True:
            try:
                told, _ = wire.receive(self._connection)
            except OSError:
                told = []
            match told:
                case ["exit", code]:
                    return int(code)
                case ["run", folder, *argv]:
                    wire.send(self._connection, "ran", str(_run(folder, argv)))
                case _:
                    self._take_back()
                    return 1

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        try:
            os.kill(self._pid, number)
        except ProcessLookupError:
            pass  # what it says, or does not say any more, is on its way
        if number in (signal.SIGTERM, signal.SIGHUP):
            self._take_back()
            os._exit(128 + number)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Stop after the cockpit has given the terminal back, go on before it takes it again."""
        os.kill(self._pid, signal.SIGTSTP)
        deadline = time.monotonic() + _STOP_SECONDS
        while not _is_stopped(self._pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.kill(self._pid, signal.SIGCONT)

    def _take_back(self) -> None:
        try:
            termios.tcsetattr(0, termios.TCSANOW, self._modes)
            os.write(1, _LEAVE)
        except (OSError, termios.error):
            pass  # the terminal has gone


def _is_stopped(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(") ")[2][:1] == "T"
    except OSError:
        return True


def _run(folder: str, argv: list[str]) -> int:
    """A program in front of the person; here, because the terminal belongs to this process's session."""
    ignored = [(number, signal.signal(number, signal.SIG_IGN)) for number in (signal.SIGINT, signal.SIGTSTP)]
    pid = os.fork()
    if pid == 0:
        for number in (signal.SIGINT, signal.SIGTSTP, *_FORWARDED):
            signal.signal(number, signal.SIG_DFL)
        try:
            os.chdir(folder)
            os.execvp(argv[0], argv)  # noqa: S606
        except OSError as error:
            os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    for number, handler in ignored:
        signal.signal(number, handler)
    return code
