"""Finding processes by what they inherited, and ending them until none is left."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from backends.slot import processes
from backends.slot.build_run import marked

NAME = "HERO_TEST_MARK"


@pytest.fixture
def mark() -> str:
    return f"{os.getpid()}-{time.monotonic_ns()}"


@pytest.fixture
def forking(mark: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that starts another of its kind again and again, each in a session of its own."""
    script = "while :; do setsid sh -c 'exec sleep 1000' & sleep 0.01; done"
    process = subprocess.Popen(["sh", "-c", script], env={**os.environ, NAME: mark})
    yield process
    process.kill()
    process.wait()


def test_a_process_that_forks_all_the_time_is_ended_with_all_its_children(
    forking: subprocess.Popen[bytes], mark: str
) -> None:
    # One of the six may be the loop's own short sleep, which ends by itself before it is killed.
    while len(processes.find(marked(NAME, mark))) < 6:
        time.sleep(0.01)
    assert processes.end(marked(NAME, mark)) >= 5
    assert processes.find(marked(NAME, mark)) == []
    assert forking.wait() == -9


def test_one_with_another_mark_is_spared(forking: subprocess.Popen[bytes], mark: str) -> None:
    assert processes.end(marked(NAME, mark[:-1])) == 0
    assert processes.end(marked("OTHER", mark)) == 0
    assert forking.poll() is None
    processes.end(marked(NAME, mark))


def test_a_dead_process_that_nobody_looked_at_has_no_session() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"], start_new_session=True)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.session_of(child.pid) == 0
    assert processes.end(lambda pid: processes.session_of(pid) == child.pid) == 0
    child.wait()


def test_this_process_and_its_ancestors_are_never_found() -> None:
    assert {os.getpid(), os.getppid()}.isdisjoint(processes.find(lambda _: True))


def test_a_process_that_is_gone_has_nothing() -> None:
    child = subprocess.Popen(["true"])
    child.wait()
    assert processes.environment_of(child.pid) == {}
    assert processes.session_of(child.pid) == 0
