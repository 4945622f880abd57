"""The start of a cockpit where one is resident: lends it the terminal, passes signals on, and ends with it.

All that is imported here a person waits for: what is needed once the resident one has been asked, comes then.
"""

from __future__ import annotations

import os
import sys
import termios

from hero_tui.resident import wire

_PATIENCE_SECONDS = 1.0
_LATER_SECONDS = 2.0


def is_wanted(arguments: list[str]) -> bool:
    """Whether this start is one for the resident cockpit: a plain one, at a terminal."""
    other = ("--screenshot", "-h", "--help", "--settings", "--plain", "--l")  # --log, however short
    plain = all(not one.startswith(other) for one in arguments)
    off = os.environ.get("HERO_RESIDENT") == "0"
    begins = not arguments or arguments[0].startswith("-")
    able = os.environ.get("TERM", "") not in ("", "dumb", "unknown")
    return begins and plain and able and not off and all(os.isatty(stream) for stream in (0, 1, 2))


def open_resident(arguments: list[str]) -> int | None:
    """Show the resident cockpit until it ends; its exit code, or None where there is none that would do."""
    connection = _connect()
    if connection is None:
        return None
    try:
        return _lend(connection, arguments)
    finally:
        connection.close()


def _lend(connection: wire.Connection, arguments: list[str]) -> int | None:
    """To the process that will show the cockpit, once it said that it can."""
    try:
        modes = termios.tcgetattr(0)
        wire.send(connection, "open", *wire.Start.of_this_process(arguments).texts, files=(0, 1, 2))
        told, _ = wire.receive(connection)
        if told[:1] != ["ready"]:
            return None
        pid = int(told[1])
        wire.send(connection, "go")
        connection.settimeout(None)
    except (OSError, ValueError, termios.error):
        return None
    from hero_tui.resident.lent import Lent  # while the other process paints

    return Lent(connection, pid, modes).wait()


def leave_one_soon(arguments: list[str]) -> None:
    """Have a process get one ready for the next start like this one, once this one stands."""
    import threading

    later = threading.Timer(_LATER_SECONDS, _leave_one, [wire.Start.of_this_process(arguments)])
    later.daemon = True
    later.start()


def _leave_one(start: wire.Start) -> None:
    try:
        connection = _connect()
        if connection is not None:
            try:
                wire.send(connection, "prepare", *start.texts)
            finally:
                connection.close()
            return
        argv = [sys.executable, "-P", "-m", "hero_tui.resident", *start.arguments]
        null = os.open(os.devnull, os.O_RDWR)
        streams = [(os.POSIX_SPAWN_DUP2, null, stream) for stream in (0, 1, 2)]
        os.posix_spawn(
            sys.executable, argv, {**os.environ, "HERO_RESIDENT_SIZE": start.size},
            file_actions=streams, setsid=True,
        )  # fmt: skip
        os.close(null)
    except OSError:
        return  # the next start is as this one


def _connect() -> wire.Connection | None:
    path = wire.socket_path()
    connection = wire.unconnected()
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
