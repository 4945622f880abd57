"""However many clients ask, one daemon starts; one that cannot start says why, in its own last words."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from backends.rpc.spawn import answers, ensure_daemon
from backends.rpc.sync_client import SyncClient

ROOT = Path(__file__).parents[3]
DAEMON = Path(__file__).with_name("daemon.py")
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
TIMEOUT = 30.0


@pytest.fixture
def path(short_dir: Path) -> Iterator[Path]:
    """A socket whose daemons end with the test."""
    made = short_dir / "run" / "rpc.sock"
    yield made
    for pid in started(made):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)


def started(path: Path) -> list[int]:
    """The pids of the daemons that came to serve `path`."""
    starts = path.with_name(path.name + ".starts")
    return [int(line) for line in starts.read_text().split()] if starts.exists() else []


def argv(path: Path) -> list[str]:
    return [sys.executable, str(DAEMON), str(path)]


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_daemon_is_started_once_and_found_afterwards(path: Path) -> None:
    log = path.parent / "log" / "daemon.log"
    assert not answers(path)
    assert ensure_daemon(path, argv(path), log=log, timeout=TIMEOUT, env=ENV)
    assert not ensure_daemon(path, argv(path), log=log, timeout=TIMEOUT, env=ENV)
    with SyncClient(path) as client:
        found = client.call("rpc.ping")
    assert [found["pid"]] == started(path)
    assert os.getsid(found["pid"]) == found["pid"]
    assert Path(f"/proc/{found['pid']}/cwd").readlink() == Path("/")
    assert log.stat().st_mode & 0o777 == 0o600


def test_eight_processes_at_once_start_one_daemon(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from backends.rpc.spawn import ensure_daemon\n"
        "path = Path(sys.argv[1]); sys.stdin.read()\n"
        f"print(ensure_daemon(path, [sys.executable, {str(DAEMON)!r}, str(path)],"
        f" log=path.parent / 'log', timeout={TIMEOUT}))"
    )
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENV,
            text=True,
        )
        for _ in range(8)
    ]
    for client in clients:
        assert client.stdin
        client.stdin.close()
        client.stdin = None
    answers_of_all = sorted(client.communicate(timeout=60)[0].strip() for client in clients)
    assert answers_of_all == ["False"] * 7 + ["True"]
    assert len(started(path)) == 1


def test_a_daemon_killed_with_9_is_started_again(path: Path) -> None:
    log = path.parent / "log"
    ensure_daemon(path, argv(path), log=log, timeout=TIMEOUT, env=ENV)
    (first,) = started(path)
    with SyncClient(path) as client:
        client.call("rpc.ping")
        os.kill(first, signal.SIGKILL)
        with pytest.raises(HeroError):
            next(client.notifications(timeout=TIMEOUT))
    assert ensure_daemon(path, argv(path), log=log, timeout=TIMEOUT, env=ENV)
    assert len(set(started(path))) == 2


def test_a_daemon_that_ends_at_once_is_reported_with_its_last_words(path: Path, short_dir: Path) -> None:
    log = short_dir / "log"
    log.write_text("words of yesterday\n")
    program = "import sys; print('first'); sys.exit('no manifest\\x1b[2J here')"
    with pytest.raises(HeroError) as caught:
        ensure_daemon(path, python(program), log=log, timeout=TIMEOUT)
    error = caught.value
    assert error.code == "unreachable"
    assert "exit code 1" in error.message
    assert "no manifest here" in error.hint
    assert "yesterday" not in error.hint
    assert "\x1b" not in str(error)


def test_a_daemon_that_is_killed_by_a_signal_is_reported_so(path: Path, short_dir: Path) -> None:
    program = "import os; os.kill(os.getpid(), 9)"
    with pytest.raises(HeroError) as caught:
        ensure_daemon(path, python(program), log=short_dir / "log", timeout=TIMEOUT)
    assert "signal 9" in caught.value.message
    assert "wrote nothing" in caught.value.hint


def test_a_daemon_that_never_answers_is_stopped(path: Path, short_dir: Path) -> None:
    program = "import os; print(os.getpid(), flush=True)\nwhile True: __import__('time').sleep(60)"
    with pytest.raises(HeroError) as caught:
        ensure_daemon(path, python(program), log=short_dir / "log", timeout=1)
    assert caught.value.code == "unreachable"
    with pytest.raises(ProcessLookupError):
        os.kill(int((short_dir / "log").read_text()), 0)


def test_a_program_that_is_not_there_is_named(path: Path, short_dir: Path) -> None:
    with pytest.raises(HeroError) as caught:
        ensure_daemon(path, ["/nowhere/hero_slotd"], log=short_dir / "log", timeout=TIMEOUT)
    assert "/nowhere/hero_slotd" in caught.value.message


def test_a_log_that_is_a_link_is_not_written_through(path: Path, short_dir: Path) -> None:
    target = short_dir / "target"
    target.touch()
    (short_dir / "log").symlink_to(target)
    with pytest.raises(HeroError) as caught:
        ensure_daemon(path, argv(path), log=short_dir / "log", timeout=TIMEOUT, env=ENV)
    assert str(short_dir / "log") in caught.value.message
    assert target.read_bytes() == b""
