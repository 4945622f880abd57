"""The supervisor contract on supervisord, and what only it can do wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from backends.model.errors import HeroError
from backends.supervisors.base import ProcessSpec, SupervisorLost
from backends.supervisors.supervisord import Supervisord
from backends.supervisors.supervisord_wire import RPC_SOCKET
from backends.supervisors.xmlrpc_client import FaultError, call
from tests.backends.supervisors.contract import (
    DEADLINE,
    IGNORES_TERM,
    Bell,
    SupervisorContract,
    ended,
    reached,
    until,
)


@pytest.fixture
def runtime_dir() -> Iterator[Path]:
    """A folder short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "Müller & Söhne 100% #1 ; x" / "supervisor"


@pytest.fixture
async def supervisor(home: Path, runtime_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Supervisord]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a secret of whoever starts it")
    supervisor = Supervisord(home, runtime_dir=runtime_dir)
    await supervisor.up()
    yield supervisor
    await supervisor.down()
    await supervisor.end_strays()


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    bell = Bell(tmp_path)
    yield bell
    bell.close()


@pytest.fixture
def sleeper(tmp_path: Path) -> ProcessSpec:
    return ProcessSpec("web", ("sleep", "1000"), cwd=tmp_path, env={}, log=tmp_path / "web.log")


def supervisors_of(home: Path) -> list[int]:
    """Pids of the supervising processes of `home`."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if str(home) in (process.info["cmdline"] or []):
            found.append(process.pid)
    return found


class TestSupervisord(SupervisorContract):
    """The port's contract."""


async def test_the_log_is_the_file_that_the_definition_names(supervisor: Supervisord, tmp_path: Path) -> None:
    log = tmp_path / "l g ü" / "%d.log"
    script = "echo one; echo two >&2; echo three"
    await supervisor.apply(ProcessSpec("web", ("sh", "-c", script), tmp_path, {}, log, restart="never"))
    await supervisor.start("web")
    await reached(supervisor, "web", "exited")
    assert log.read_text() == "one\ntwo\nthree\n"


async def test_a_flood_of_bytes_that_are_no_text_is_logged_whole(supervisor: Supervisord, tmp_path: Path) -> None:
    flood = 'import sys\nfor _ in range(20): sys.stdout.buffer.write(b"\\xff\\xfe\\x1b[2J\\x00\\x80\\n" * 100_000)'
    log = tmp_path / "web.log"
    argv = (sys.executable, "-c", flood)
    await supervisor.apply(ProcessSpec("web", argv, tmp_path, {}, log, restart="never", log_max_bytes=0))
    await supervisor.start("web")
    assert (await reached(supervisor, "web", "exited")).exit_code == 0
    assert log.stat().st_size == 20 * 900_000


async def test_logs_are_rotated(supervisor: Supervisord, tmp_path: Path) -> None:
    flood = 'import os\nfor _ in range(20): os.write(1, b"x" * 99 + b"\\n" * 100_000)'
    log = tmp_path / "log" / "web.log"
    argv = (sys.executable, "-c", flood)
    spec = ProcessSpec("web", argv, tmp_path, {}, log, restart="never", log_max_bytes=100_000, log_backups=2)
    await supervisor.apply(spec)
    await supervisor.start("web")
    await reached(supervisor, "web", "exited")
    files = {file.name: file.stat().st_size for file in log.parent.iterdir()}
    assert set(files) == {"web.log", "web.log.1", "web.log.2"}
    assert max(files.values()) < 100_000 + 256 * 1024


async def test_starting_twice_at_once_gives_one_supervisor(home: Path, runtime_dir: Path) -> None:
    several = [Supervisord(home, runtime_dir=runtime_dir) for _ in range(4)]
    try:
        await asyncio.gather(*(supervisor.up() for supervisor in several))
        assert len(supervisors_of(home)) == 1
        assert await several[3].states() == {}
    finally:
        await several[0].down()
    assert supervisors_of(home) == []


async def test_up_while_it_goes_down_starts_a_new_one(supervisor: Supervisord, sleeper: ProcessSpec) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    await asyncio.gather(supervisor.down(), supervisor.up())
    await supervisor.up()
    assert await supervisor.strays() == []


async def test_what_a_killed_supervisor_left_is_replaced(
    supervisor: Supervisord, home: Path, sleeper: ProcessSpec
) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    left = (await supervisor.states())["web"].pid
    assert left
    (pid,) = supervisors_of(home)
    watching = asyncio.create_task(until(supervisor, lambda state: state.state == "stopped"))
    await reached(supervisor, "web", "running")
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(SupervisorLost):
        await watching
    with pytest.raises(SupervisorLost):
        await supervisor.states()
    assert await supervisor.strays() == [left]
    assert await supervisor.up() == [left]
    await ended(left)
    assert await supervisor.states() == {}
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    assert await supervisor.strays() == []


async def test_a_stray_that_ignores_sigterm_is_killed(
    supervisor: Supervisord, home: Path, tmp_path: Path, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.supervisors.strays.GRACE", 0.1)
    argv = (sys.executable, "-c", IGNORES_TERM, str(bell.path))
    await supervisor.apply(ProcessSpec("web", argv, tmp_path, {}, tmp_path / "web.log"))
    await supervisor.start("web")
    left = int(await bell.line())
    (pid,) = supervisors_of(home)
    os.kill(pid, signal.SIGKILL)
    await ended(pid)
    assert await supervisor.up() == [left]
    await ended(left)


async def test_strays_of_another_home_are_left_alone(
    supervisor: Supervisord, home: Path, runtime_dir: Path, sleeper: ProcessSpec
) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    other = Supervisord(home.with_name("other"), runtime_dir=runtime_dir / "other")
    try:
        assert await other.up() == []
        assert (await supervisor.states())["web"].state == "running"
    finally:
        await other.down()


async def test_a_second_client_sees_and_drives_the_same_processes(
    supervisor: Supervisord, home: Path, runtime_dir: Path, sleeper: ProcessSpec
) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    second = Supervisord(home, runtime_dir=runtime_dir)
    assert await second.up() == []
    assert second.log_source("web", sleeper.log) == sleeper.log
    await second.stop("web")
    assert (await supervisor.states())["web"].state == "stopped"


async def test_a_hangup_does_not_disturb_it(supervisor: Supervisord, home: Path, sleeper: ProcessSpec) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    (pid,) = supervisors_of(home)
    os.kill(pid, signal.SIGHUP)
    assert (await supervisor.states())["web"].state == "running"


async def test_sigterm_ends_it_cleanly(supervisor: Supervisord, home: Path, sleeper: ProcessSpec) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    service = (await supervisor.states())["web"].pid
    assert service
    (pid,) = supervisors_of(home)
    os.kill(pid, signal.SIGTERM)
    await ended(pid)
    await ended(service)
    assert await supervisor.strays() == []


async def test_it_keeps_no_secret_of_who_started_it(supervisor: Supervisord, home: Path) -> None:
    (pid,) = supervisors_of(home)
    assert b"ANTHROPIC" not in Path(f"/proc/{pid}/environ").read_bytes()


async def test_a_definition_that_makes_no_sense_is_refused_and_not_logged(
    supervisor: Supervisord, home: Path, runtime_dir: Path
) -> None:
    for text in ("{", "[]", "7", '{"name": "x", "token": "hush-hush"}', '{"name": "x", "argv": 3}'):
        with pytest.raises(FaultError):
            await call(runtime_dir / RPC_SOCKET, "hero.apply", text)
    assert "hush-hush" not in (home / "supervisord.log").read_text()
    assert await supervisor.states() == {}


async def test_a_log_that_cannot_be_written_is_named(
    supervisor: Supervisord, sleeper: ProcessSpec, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    blocked = ProcessSpec("web", ("sleep", "1"), tmp_path, {}, log=tmp_path / "file" / "web.log")
    await supervisor.apply(blocked)
    with pytest.raises(HeroError, match="log"):
        await supervisor.start("web")


async def test_a_log_whose_folder_goes_does_not_block_its_process(supervisor: Supervisord, tmp_path: Path) -> None:
    script = "rm -r logs; i=0; while [ $i -lt 40 ]; do head -c 50000 /dev/zero; i=$((i+1)); done; exit 6"
    log = tmp_path / "logs" / "web.log"
    await supervisor.apply(
        ProcessSpec("web", ("sh", "-c", script), tmp_path, {}, log, restart="never", log_max_bytes=50_000)
    )
    await supervisor.start("web")
    assert (await reached(supervisor, "web", "exited")).exit_code == 6


async def test_logs_that_fail_at_the_last_reading_do_not_end_the_supervisor(
    supervisor: Supervisord, tmp_path: Path
) -> None:
    script = 'rm -r "$0"; for i in 1 2 3; do head -c 60000 /dev/zero; done; exit 6'
    # Which reading is the last is chance; of twenty some are.
    names = [f"web{number}" for number in range(20)]
    for name in names:
        log = tmp_path / name / "its.log"
        argv = ("sh", "-c", script, name)
        await supervisor.apply(ProcessSpec(name, argv, tmp_path, {}, log, restart="never", log_max_bytes=50_000))
        await supervisor.start(name)
    for name in names:
        assert (await reached(supervisor, name, "exited")).exit_code == 6


def test_a_runtime_folder_too_long_for_sockets_is_refused(home: Path) -> None:
    with pytest.raises(HeroError, match="107") as error:
        Supervisord(home, runtime_dir=Path("/tmp") / ("x" * 90))
    assert "shorter" in error.value.hint


async def test_a_runtime_folder_that_others_can_write_is_refused(home: Path, runtime_dir: Path) -> None:
    runtime_dir.chmod(0o777)
    with pytest.raises(HeroError) as error:
        await Supervisord(home, runtime_dir=runtime_dir).up()
    assert error.value.code == "denied"


async def test_a_supervisor_that_cannot_start_says_why(home: Path, runtime_dir: Path) -> None:
    (runtime_dir / RPC_SOCKET).mkdir()
    with pytest.raises(HeroError, match="did not start") as error:
        await Supervisord(home, runtime_dir=runtime_dir).up()
    assert RPC_SOCKET in error.value.hint


async def test_a_home_held_by_one_that_does_not_answer_is_busy(
    supervisor: Supervisord, home: Path, runtime_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.supervisors.supervisord.START_TIMEOUT", 0.05)
    elsewhere = Supervisord(home, runtime_dir=runtime_dir / "elsewhere")
    with pytest.raises(HeroError) as error:
        await elsewhere.up()
    assert error.value.code == "busy"


async def test_calls_without_a_supervisor_say_so(home: Path, runtime_dir: Path) -> None:
    supervisor = Supervisord(home, runtime_dir=runtime_dir)
    with pytest.raises(SupervisorLost):
        await supervisor.start("web")
    with pytest.raises(SupervisorLost):
        await until(supervisor, lambda state: True)
    await supervisor.down()


async def test_calls_end_when_the_supervisor_dies_during_them(
    supervisor: Supervisord, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.supervisors.strays.GRACE", 0.1)
    stubborn = ("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    await supervisor.apply(ProcessSpec("web", stubborn, tmp_path, {}, tmp_path / "l", stop_timeout=1000))
    await supervisor.start("web")
    stopping = asyncio.create_task(supervisor.stop("web"))
    await reached(supervisor, "web", "stopping")
    (pid,) = supervisors_of(home)
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(SupervisorLost):
            await stopping
