"""The start of a cockpit where one is resident: lends it the terminal, passes signals on, and ends with it."""

# pathlib would take a third of the time that this start has
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import termios
import time

from hero_tui.resident import wire

TYPE_CHECKING = False  # typing would take another sixth
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_PATIENCE_SECONDS = 1.0
_STOP_SECONDS = 1.0
_LATER_SECONDS = 2.0
_FORWARDED = (signal.SIGWINCH, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_LEAVE = b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?7h"
"""What a cockpit that ends by itself sends last: one that was killed could not."""


def is_wanted(arguments: list[str]) -> bool:
    """Whether this start is one for the resident cockpit: a plain one, at a terminal."""
    plain = all(not one.startswith(("--screenshot", "-h", "--help", "--settings", "--plain")) for one in arguments)
    off = os.environ.get("HERO_RESIDENT") == "0"
    begins = not arguments or arguments[0].startswith("-")
    able = os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    return begins and plain and able and not off and all(os.isatty(stream) for stream in (0, 1, 2))


def open_resident(arguments: list[str]) -> int | None:
    """Show the resident cockpit until it ends; its exit code, or None where there is none that would do."""
    connection = _connect()
    if connection is None:
        return None
    with connection:
        pid = _ask(connection, arguments)
        return None if pid is None else _Lent(connection, pid).wait()


def leave_one_soon(arguments: list[str]) -> None:
    """Have a process get one ready for the next start like this one, once this one stands."""
    import threading

    later = threading.Timer(_LATER_SECONDS, _leave_one, [wire.Start.of_this_process(arguments)])
    later.daemon = True
    later.start()


def _leave_one(start: wire.Start) -> None:
    with contextlib.suppress(OSError):
        connection = _connect()
        if connection is not None:
            with connection:
                wire.send(connection, "prepare", *start.texts)
            return
        argv = [sys.executable, "-P", "-m", "hero_tui.resident", *start.arguments]
        null = os.open(os.devnull, os.O_RDWR)
        streams = [(os.POSIX_SPAWN_DUP2, null, stream) for stream in (0, 1, 2)]
        os.posix_spawn(
            sys.executable, argv, {**os.environ, "HERO_RESIDENT_SIZE": start.size},
            file_actions=streams, setsid=True,
        )  # fmt: skip
        os.close(null)


def _connect() -> socket.socket | None:
    path = wire.socket_path()
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_PATIENCE_SECONDS)
        if path:
            connection.connect(path)
            if wire.is_ours(connection):
                return connection
    except OSError:
        pass
    connection.close()
    return None


def _ask(connection: socket.socket, arguments: list[str]) -> int | None:
    """The process that will show the cockpit, once it said that it can."""
    try:
        start = wire.Start.of_this_process(arguments)
        wire.send(connection, "open", *start.texts, files=(0, 1, 2))
        told, _ = wire.receive(connection)
        if told[:1] != ["ready"]:
            return None
        wire.send(connection, "go")
        connection.settimeout(None)
        return int(told[1])
    except (OSError, ValueError):
        return None


class _Lent:
    """The terminal while another process draws on it."""

    def __init__(self, connection: socket.socket, pid: int):
        self._connection = connection
        self._pid = pid
        self._modes: list[Any] = termios.tcgetattr(0)

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
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)
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
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(0, termios.TCSANOW, self._modes)
            os.write(1, _LEAVE)


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
