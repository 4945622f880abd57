"""The supervising process: supervisord with our RPC interface, woken by events instead of a tick."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from io import StringIO
from pathlib import Path

from supervisor.medusa.asyncore_25 import ExitNow
from supervisor.options import ServerOptions
from supervisor.poller import Poller
from supervisor.supervisord import Supervisor

from backends.supervisors.supervisord_service import ServiceGroup
from backends.supervisors.supervisord_wire import EVENTS_SOCKET, READY, RPC_SOCKET

IDLE = 30.0
"""Seconds that a poll lasts at most when nothing is due."""
_PR_SET_CHILD_SUBREAPER = 36

# Paths do not stand here: no quoting of this format carries every path.
_CONFIGURATION = """
[supervisord]
nodaemon = true
silent = true
nocleanup = true
minfds = 256
minprocs = 1
logfile_maxbytes = 1MB
logfile_backups = 2
[unix_http_server]
file = set_below
chmod = 0600
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:hero]
supervisor.rpcinterface_factory = backends.supervisors.supervisord_plugin:make_rpcinterface
"""


class EventPoller(Poller):  # type: ignore[misc]
    """Polls until something happens or is due, whatever supervisord's loop asks for."""

    def poll(self, timeout: float) -> tuple[list[int], list[int]]:
        found: tuple[list[int], list[int]] = super().poll(self.options.patience())
        return found


class HeroOptions(ServerOptions):  # type: ignore[misc]
    """supervisord's settings and its access to the system, for one slot."""

    services: ServiceGroup | None = None
    signalled = False

    def __init__(self, home: Path, runtime_dir: Path, ready_fd: int):
        super().__init__()
        self.home = home
        self.runtime_dir = runtime_dir
        self._ready_fd = ready_fd
        self.poller = EventPoller(self)
        self.configfile = StringIO(_CONFIGURATION)
        self.realize([])
        socket = os.fspath(runtime_dir / RPC_SOCKET)
        self.logfile = os.fspath(home / "supervisord.log")
        self.pidfile = os.fspath(home / "supervisord.pid")
        self.server_configs[0]["file"] = socket
        self.serverurl = f"unix://{socket}"
        self.first = True
        self.test = False

    def ready(self) -> None:
        """Tell who started us that calls are answered."""
        os.write(self._ready_fd, READY)
        os.close(self._ready_fd)

    def patience(self) -> float:
        """Seconds until something is due."""
        if self.signalled or self.services is None:
            return 0
        return max(0.0, min(self.services.next_due() - time.monotonic(), IDLE))

    def get_signal(self) -> int | None:
        received: int | None = super().get_signal()
        self.signalled = received is not None  # one is taken a turn; there may be more
        return received

    def setsignals(self) -> None:
        super().setsignals()
        # A handler and not SIG_IGN, which the processes would inherit.
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)

    def waitpid(self) -> tuple[int | None, int | None]:
        """Reap one child. What is left of the group of one that ended by itself is killed first, since
        only an unreaped leader keeps its group's number from being given to somebody else."""
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None, None
        if ended is None:
            return None, None
        service = self.pidhistory.get(ended.si_pid)
        if service is not None and not service.killing:
            os.killpg(ended.si_pid, signal.SIGKILL)
        return os.waitpid(ended.si_pid, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent ended: they are reaped here and seen as ours."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def main(arguments: list[str]) -> None:
    """Supervise until told to end. Arguments: home, runtime folder, descriptors of the lock and of the pipe
    that takes the readiness."""
    home, runtime_dir, lock_fd, ready_fd = Path(arguments[0]), Path(arguments[1]), *map(int, arguments[2:])
    if os.fork():
        os._exit(0)
    os.set_inheritable(lock_fd, False)
    os.set_inheritable(ready_fd, False)
    os.umask(0o022)
    (runtime_dir / RPC_SOCKET).unlink(missing_ok=True)
    adopt_orphans()
    try:
        Supervisor(HeroOptions(home, runtime_dir, ready_fd)).main()
    except ExitNow:
        pass  # supervisord's way to say that all is stopped
    finally:
        (runtime_dir / EVENTS_SOCKET).unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1:])
