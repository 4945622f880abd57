"""Start a daemon the moment when a client needs it, once, however many clients ask at the same time."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired

from backends.model.errors import HeroError
from backends.model.text import safe_line
from backends.rpc.sync_client import SyncClient

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.05
_LOG_TAIL_BYTES = 8192
_LOG_TAIL_LINES = 5
_STOP_SECONDS = 2.0


def ensure_daemon(
    socket_path: Path,
    argv: list[str],
    *,
    log: Path,
    timeout: float = 10,
    env: dict[str, str] | None = None,
) -> bool:
    """Have a daemon answer at `socket_path`; True where `argv` had to be started for that.

    `timeout` in seconds for all of it; `log` takes the daemon's output. Raises HeroError: "unreachable" where the
    daemon ends or does not answer in time (it is stopped then), "denied" where this user may not use the socket,
    "timeout" where a daemon that is there stays silent. Blocks; async code calls it in a thread. A client in a
    hurry tries its call first and comes here when that is "unreachable".
    """
    deadline = time.monotonic() + timeout
    if answers(socket_path, timeout):
        return False
    lock = _take_lock(socket_path, deadline)
    try:
        if answers(socket_path, timeout):
            return False
        return _start(socket_path, argv, log, deadline, env)
    finally:
        os.close(lock)


def answers(socket_path: Path, timeout: float = 10) -> bool:
    """Whether a daemon answers `rpc.ping` at `socket_path`.

    Raises HeroError: "denied" where this user may not ask, "timeout" where one is there but stays silent.
    """
    try:
        with SyncClient(socket_path, timeout=timeout) as client:
            client.call("rpc.ping")
    except HeroError as error:
        if error.code != "unreachable":
            raise
        return False
    return True


def _take_lock(socket_path: Path, deadline: float) -> int:
    name = socket_path.with_name(socket_path.name + ".spawn.lock")
    fd = _open(name, os.O_RDWR)
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return fd
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(fd)
                raise HeroError(
                    "unreachable", f"Somebody else has been starting the daemon of {socket_path} for too long."
                ) from None
        time.sleep(_LONGEST_PAUSE)


def _start(socket_path: Path, argv: list[str], log: Path, deadline: float, env: dict[str, str] | None) -> bool:
    fd = _open(log, os.O_WRONLY | os.O_APPEND)
    try:
        start = os.fstat(fd).st_size
        daemon = _spawn(argv, fd, env)
    finally:
        os.close(fd)
    try:
        ours = _wait(daemon, argv[0], socket_path, deadline)
    except HeroError as error:
        _stop(daemon)
        raise HeroError(error.code, error.message, hint=_last_words(log, start), data={"log": str(log)}) from None
    # A client that lives long would otherwise keep a dead daemon as a zombie.
    threading.Thread(target=daemon.wait, name=f"reap {daemon.pid}", daemon=True).start()
    return ours


def _open(path: Path, flags: int) -> int:
    """A file of ours, made with its folder where it is not there; never one that a link leads to."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise HeroError(
            "failed", f"{path} cannot be opened, so no daemon was started: {error.strerror or error}."
        ) from error


def _spawn(argv: list[str], output: int, env: dict[str, str] | None) -> Popen[bytes]:
    try:
        return Popen(argv, stdin=DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/", env=env)
    except OSError as error:
        raise HeroError(
            "unreachable",
            f"The daemon {argv[0]} cannot be started: {error.strerror or error}.",
            hint="Is it installed?",
        ) from error


def _wait(daemon: Popen[bytes], name: str, socket_path: Path, deadline: float) -> bool:
    """Whether it is `daemon` that answers, and not one that somebody else started meanwhile."""
    pause = _FIRST_PAUSE
    while (left := deadline - time.monotonic()) > 0:
        # Looked at before the question: where it has ended by now, nothing that answers later is it.
        ended = daemon.poll() is not None
        if answers(socket_path, left):
            return not ended
        if ended:
            how = _how_it_ended(daemon.returncode)
            raise HeroError("unreachable", f"The daemon {name} {how} before it answered.")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    raise HeroError("unreachable", f"The daemon {name} did not answer in time and was stopped.")


def _how_it_ended(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _stop(daemon: Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(_STOP_SECONDS)
    except TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _last_words(log: Path, start: int) -> str:
    """The end of what the daemon wrote since byte `start`, harmless to show."""
    with log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - _LOG_TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    shown = [safe_line(line, 300) for line in lines if line.strip()][-_LOG_TAIL_LINES:]
    if not shown:
        return f"It wrote nothing to {log}."
    return f"The end of {log}:\n" + "\n".join(f"  {line}" for line in shown)
