"""Keeps one cockpit ready for the next start, imported, connected and painted; ends when nobody starts any."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

from hero_tui.resident import wire
from hero_tui.resident.wire import Start

IDLE_SECONDS = 30 * 60.0
"""How long nobody starts a cockpit before nothing is resident any more."""
_LATER_SECONDS = 2.0
"""The next one is made ready after this: the one that was just opened has the processor for itself at first."""


def main() -> None:
    """Serve until idle, or until the code on the disk is another."""
    size = os.environ.pop("HERO_RESIDENT_SIZE", "")
    first = Start.of_this_process(sys.argv[1:])
    first.size = size or first.size
    os.umask(0o077)
    path = wire.socket_path()
    lock = _lock(path) if path else None
    if lock is None:
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    server = Server(path, lock)
    with contextlib.suppress(FileNotFoundError):
        Path(path).unlink()
    try:
        server.serve(first)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(path).unlink()


def _lock(path: str) -> int | None:
    """Held while this process lives, whose number is in it; None where another one serves already."""
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


class Server:
    """Listens at `path`; has no thread and no event loop, so that it can fork at any time."""

    def __init__(self, path: str, lock: int):
        self._path = path
        self._lock = lock
        self._listener = socket.socket(socket.AF_UNIX)
        self._spare: tuple[Start, socket.socket] | None = None
        self._next: tuple[float, Start] | None = None

    def serve(self, first: Start) -> None:
        """Get one like `first` ready, and hand it out."""
        from screens import textual_gate

        if not textual_gate.is_known():
            return  # an app without a terminal needs our own driver
        from hero_tui.opening import load_all
        from hero_tui.resident.sources import Sources
        from hero_tui.settings_plain import settings_path

        load_all()
        sources = Sources([settings_path()])
        fixed = first.fixed
        gc.collect()
        gc.freeze()  # what is loaded is never looked at again: forked processes go on sharing it
        self._listener.bind(self._path)
        self._listener.listen(8)
        self._make_spare(first)
        while self._wait():
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(1.0)
                with contextlib.suppress(OSError, ValueError):
                    if wire.is_ours(connection) and not self._answer(connection, fixed, sources.changed()):
                        return

    def _wait(self) -> bool:
        """Until somebody asks; False when nobody does for long. Meanwhile the next one is made ready."""
        deadline = time.monotonic() + IDLE_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            if self._next:
                left = min(left, max(0.0, self._next[0] - time.monotonic()))
            if select.select([self._listener], [], [], left)[0]:
                return True
            if self._next and time.monotonic() >= self._next[0]:
                start, self._next = self._next[1], None
                self._make_spare(start)
        return False

    def _answer(self, connection: socket.socket, fixed: object, stale: bool) -> bool:
        """One start; False where this process is not what it should be any more."""
        texts, files = wire.receive(connection)
        try:
            start = Start(texts[1:])
            if stale or start.fixed != fixed:
                wire.send(connection, "cold")
                return not stale
            if texts[0] == "open" and len(files) == 3:
                if not self._hand_out(start, connection, files):
                    self._fork(start, connection, files)
            elif texts[0] == "prepare" and self._spare and self._spare[0].key == start.key:
                return True
            self._next = (time.monotonic() + _LATER_SECONDS, start)
            return True
        finally:
            for file in files:
                os.close(file)

    def _hand_out(self, start: Start, connection: socket.socket, files: list[int]) -> bool:
        """Give the terminal to the one that is ready; False where there is none like it."""
        if self._spare is None or self._spare[0].key != start.key:
            return False
        control, self._spare = self._spare[1], None
        with control:
            try:
                wire.send(control, "take", *start.texts, files=(*files, connection.fileno()))
            except OSError:
                return False
        return True

    def _make_spare(self, start: Start) -> None:
        if self._spare:
            self._spare[1].close()
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            ours.close()
            self._become(start, theirs)
        theirs.close()
        self._spare = (start, ours)

    def _fork(self, start: Start, connection: socket.socket, files: list[int]) -> None:
        """One for this terminal alone, not yet painted: quicker than a cold start, slower than a ready one."""
        if os.fork() == 0:
            self._become(start, connection, files)

    def _become(self, start: Start, connection: socket.socket, files: list[int] | None = None) -> None:
        """Be a cockpit; does not return."""
        try:
            self._listener.close()
            os.close(self._lock)
            if self._spare:
                self._spare[1].close()
            from hero_tui.resident import spare

            spare.live(start, connection, files)
        finally:
            os._exit(70)
