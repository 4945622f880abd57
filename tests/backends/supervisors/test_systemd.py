"""The supervisor contract on a real `systemd --user`, and what only it can do wrong."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from backends.model.errors import HeroError
from backends.slot.logs import follow, tail
from backends.supervisors.base import JournalUnit, ProcessSpec, SupervisorLost
from backends.supervisors.systemd import Systemd
from backends.supervisors.systemd_bus import bus_socket
from backends.supervisors.systemd_unit import MARKER
from tests.backends.supervisors.contract import (
    DEADLINE,
    TELLS_ITS_WORLD,
    Bell,
    SupervisorContract,
    logged,
    reached,
    until,
)

UNITS = Path.home() / ".config" / "systemd" / "user"


@pytest.fixture
def prefix() -> str:
    """Units of one test only: names of units are shared by all that a user runs."""
    return f"herotest-{secrets.token_hex(4)}-"


@pytest.fixture
async def supervisor(prefix: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Systemd]:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a secret of whoever starts it")
    supervisor = Systemd(prefix=prefix)
    try:
        await supervisor.up()
    except HeroError as error:
        pytest.skip(error.message)
    yield supervisor
    await supervisor.up()
    for name in await supervisor.states():
        await supervisor.remove(name)
    await supervisor.down()
    assert [path.name for path in UNITS.rglob(f"{prefix}*")] == []


@pytest.fixture
def bell(tmp_path: Path) -> Iterator[Bell]:
    bell = Bell(tmp_path)
    yield bell
    bell.close()


@pytest.fixture
def sleeper(tmp_path: Path) -> ProcessSpec:
    return ProcessSpec("web", ("sleep", "1000"), cwd=tmp_path, env={}, log=tmp_path / "web.log")


def systemctl(*arguments: str) -> str:
    """What `systemctl --user` answers."""
    done = subprocess.run(["systemctl", "--user", *arguments], capture_output=True, text=True, timeout=DEADLINE)
    return done.stdout.strip()


class TestSystemd(SupervisorContract):
    """The port's contract."""


async def test_what_runs_is_started_with_the_manager_and_what_was_stopped_is_not(
    supervisor: Systemd, sleeper: ProcessSpec, prefix: str
) -> None:
    unit = f"{prefix}web.service"
    await supervisor.apply(sleeper)
    assert systemctl("is-enabled", unit) == "disabled"
    await supervisor.start("web")
    assert systemctl("is-enabled", unit) == "enabled"
    await supervisor.stop("web")
    assert systemctl("is-enabled", unit) == "disabled"


async def test_all_kinds_of_text_arrive_as_arguments_and_variables(supervisor: Systemd, tmp_path: Path) -> None:
    dice = random.Random(4)
    alphabet = [chr(code) for code in range(1, 0x180)] + list("$%\\\"';{}~*?\u2028\ue000\U0001f600\U0010fffd中")
    texts = ["".join(dice.choices(alphabet, k=dice.randint(0, 12))) for _ in range(400)]
    texts += [
        "%%",
        "%n",
        "$$",
        "${HOME}",
        "$HOME",
        ";",
        "\\;",
        "\\",
        '"',
        "a\\",
        "-",
        "@x",
        "#",
        " ",
        "\\x41",
        "\\n",
    ]
    world = tmp_path / "world"
    argv = (sys.executable, "-c", TELLS_ITS_WORLD, str(world), *texts)
    env = {f"V{number}": text for number, text in enumerate(texts)}
    await supervisor.apply(ProcessSpec("web", argv, tmp_path, env, tmp_path / "l", restart="never"))
    await supervisor.start("web")
    await reached(supervisor, "web", "exited")
    told = json.loads(world.read_text())
    assert told["argv"] == texts
    assert {name: told["env"][name] for name in env} == env


async def test_secrets_are_on_no_disk_and_gone_with_the_unit(
    supervisor: Systemd, sleeper: ProcessSpec, prefix: str
) -> None:
    await supervisor.apply(replace(sleeper, secret_env={"TOKEN": "hush-hush"}))
    await supervisor.start("web")
    unit = f"{prefix}web.service"
    assert "hush-hush" not in (UNITS / unit).read_text()
    assert "hush-hush" not in systemctl("show", unit)
    (file,) = bus_socket().parent.rglob(f"{prefix}*.env")
    assert "hush-hush" in file.read_text()
    assert "tmpfs" in subprocess.run(["stat", "-f", "-c", "%T", file], capture_output=True, text=True).stdout
    await supervisor.remove("web")
    assert not file.exists()


async def test_what_is_started_before_its_secrets_are_there_waits_for_them(
    supervisor: Systemd, sleeper: ProcessSpec, prefix: str
) -> None:
    spec = replace(sleeper, secret_env={"TOKEN": "hush-hush"})
    await supervisor.apply(spec)
    await supervisor.start("web")
    await supervisor.stop("web")
    assert await supervisor.unprovided() == set()
    await supervisor.start("web")
    (file,) = bus_socket().parent.rglob(f"{prefix}*.env")
    file.unlink()
    await asyncio.to_thread(systemctl, "restart", f"{prefix}web.service")  # as a boot does it
    after_boot = Systemd(prefix=prefix)
    await after_boot.up()
    assert (await after_boot.states())["web"].state == "stopped"
    assert await after_boot.unprovided() == {"web"}
    await after_boot.apply(spec)
    await after_boot.start("web")
    assert (await after_boot.states())["web"].state == "running"
    assert await after_boot.unprovided() == set()
    await after_boot.down()


async def test_a_reload_by_hand_disturbs_nothing(supervisor: Systemd, sleeper: ProcessSpec) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    before = (await supervisor.states())["web"]
    async with aclosing(supervisor.watch()) as states:  # type: ignore[type-var]
        assert await anext(states) == before
        await asyncio.to_thread(systemctl, "daemon-reload")
        assert (await supervisor.states())["web"] == before
        assert before.pid
        os.kill(before.pid, signal.SIGKILL)
        async with asyncio.timeout(DEADLINE):
            assert (await anext(states)).signal == signal.SIGKILL


async def test_units_run_on_when_the_message_bus_ends_and_are_found_again(
    supervisor: Systemd, sleeper: ProcessSpec
) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    before = (await supervisor.states())["web"]
    watching = asyncio.create_task(until(supervisor, lambda state: state.state == "stopped"))
    await reached(supervisor, "web", "running")
    await asyncio.to_thread(systemctl, "kill", "--signal=KILL", "dbus.service")
    with pytest.raises(SupervisorLost):
        await watching
    with pytest.raises(SupervisorLost):
        await supervisor.states()
    with pytest.raises(SupervisorLost):
        await supervisor.start("web")
    await supervisor.up()
    assert (await supervisor.states())["web"].pid == before.pid


async def test_a_manager_that_executes_itself_anew_is_still_listened_to(
    supervisor: Systemd, sleeper: ProcessSpec
) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    before = (await supervisor.states())["web"]
    async with aclosing(supervisor.watch()) as states:  # type: ignore[type-var]
        assert await anext(states) == before
        await asyncio.to_thread(systemctl, "daemon-reexec")
        assert before.pid
        os.kill(before.pid, signal.SIGKILL)
        async with asyncio.timeout(DEADLINE):
            assert (await anext(states)).signal == signal.SIGKILL
    await supervisor.restart("web")


async def test_a_call_ends_when_the_message_bus_does(supervisor: Systemd, tmp_path: Path) -> None:
    stubborn = ("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    await supervisor.apply(ProcessSpec("web", stubborn, tmp_path, {}, tmp_path / "l", stop_timeout=5))
    await supervisor.start("web")
    stopping = asyncio.create_task(supervisor.stop("web"))
    await reached(supervisor, "web", "stopping")
    await asyncio.to_thread(systemctl, "kill", "--signal=KILL", "dbus.service")
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(SupervisorLost):
            await stopping


async def test_a_second_client_sees_and_drives_the_same_processes(
    supervisor: Systemd, sleeper: ProcessSpec, prefix: str
) -> None:
    await supervisor.apply(replace(sleeper, argv=("sh", "-c", "exit 3"), restart="never"))
    await supervisor.start("web")
    await reached(supervisor, "web", "exited")
    await supervisor.apply(replace(sleeper, name="two"))
    await supervisor.start("two")
    second = Systemd(prefix=prefix)
    await second.up()
    states = await second.states()
    assert (states["web"].state, states["web"].exit_code) == ("exited", 3)
    assert states["two"].state == "running"
    watching = asyncio.create_task(reached(supervisor, "two", "stopped"))
    await second.stop("two")
    await watching
    await second.down()


async def test_a_sigterm_from_elsewhere_is_a_failure_and_one_of_a_stop_is_not(
    supervisor: Systemd, sleeper: ProcessSpec
) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    pid = (await supervisor.states())["web"].pid
    assert pid
    watching = asyncio.create_task(
        until(supervisor, lambda state: state.restarts == 1 and state.state == "running")
    )
    os.kill(pid, signal.SIGTERM)
    assert (await watching)[-1].signal == signal.SIGTERM


async def test_a_unit_edited_by_hand_is_ours_again_at_the_next_start(
    supervisor: Systemd, sleeper: ProcessSpec, prefix: str
) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    unit = UNITS / f"{prefix}web.service"
    written = unit.read_text()
    unit.write_text(written.replace('"1000"', '"2000"') + "\n# mine\n")
    await asyncio.to_thread(systemctl, "daemon-reload")
    assert (await supervisor.states())["web"].state == "running"
    await supervisor.restart("web")
    assert unit.read_text() == written
    pid = (await supervisor.states())["web"].pid
    assert Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x001000\0"


async def test_a_unit_broken_by_hand_says_so_when_it_is_started_and_is_mended(
    supervisor: Systemd, sleeper: ProcessSpec, prefix: str
) -> None:
    await supervisor.apply(sleeper)
    unit = UNITS / f"{prefix}web.service"
    unit.write_text(unit.read_text().replace("ExecStart", "ExecStrat"))
    await asyncio.to_thread(systemctl, "daemon-reload")
    other = Systemd(prefix=prefix)
    await other.up()
    state = (await other.states())["web"]
    assert state.state == "stopped"
    assert "bad-setting" in state.reason
    with pytest.raises(HeroError, match="cannot be started"):
        await other.start("web")
    await other.down()
    await supervisor.start("web")
    assert (await supervisor.states())["web"].state == "running"


async def test_a_unit_of_the_user_is_never_touched(supervisor: Systemd, sleeper: ProcessSpec, prefix: str) -> None:
    unit = UNITS / f"{prefix}web.service"
    UNITS.mkdir(parents=True, exist_ok=True)
    unit.write_text("[Service]\nExecStart=/bin/true\n")
    try:
        assert await supervisor.states() == {}
        with pytest.raises(HeroError) as refused:
            await supervisor.apply(sleeper)
        assert refused.value.code == "conflict"
        with pytest.raises(HeroError):
            await supervisor.remove("web")
        assert unit.read_text() == "[Service]\nExecStart=/bin/true\n"
        assert MARKER not in unit.read_text()
    finally:
        unit.unlink()


async def test_a_unit_that_is_removed_by_hand_is_forgotten_once_it_has_stopped(
    supervisor: Systemd, sleeper: ProcessSpec, prefix: str
) -> None:
    await supervisor.apply(sleeper)
    await supervisor.start("web")
    (UNITS / f"{prefix}web.service").unlink()
    await asyncio.to_thread(systemctl, "daemon-reload")
    assert (await supervisor.states())["web"].state == "running"
    await supervisor.stop("web")
    assert await supervisor.states() == {}


async def test_a_unit_that_a_user_masked_stays_masked(
    supervisor: Systemd, sleeper: ProcessSpec, prefix: str
) -> None:
    unit = UNITS / f"{prefix}web.service"
    UNITS.mkdir(parents=True, exist_ok=True)
    unit.symlink_to("/dev/null")
    try:
        with pytest.raises(HeroError, match="in the way"):
            await supervisor.apply(sleeper)
        assert unit.is_symlink()
    finally:
        unit.unlink()


async def test_a_process_that_takes_more_memory_than_it_may_is_killed(supervisor: Systemd, tmp_path: Path) -> None:
    if not supervisor.limits_memory:
        pytest.skip(supervisor.memory_problem)
    hungry = "blocks = []\nwhile True: blocks.append(bytearray(1 << 20))"
    argv = (sys.executable, "-c", hungry)
    await supervisor.apply(
        ProcessSpec("web", argv, tmp_path, {}, tmp_path / "l", restart="never", memory_max=64 << 20)
    )
    await supervisor.start("web")
    state = await reached(supervisor, "web", "exited")
    assert state.signal == signal.SIGKILL
    assert "memory" in state.reason or "SIGKILL" in state.reason


async def test_a_limit_that_cannot_be_kept_is_told(
    supervisor: Systemd, sleeper: ProcessSpec, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor.memory_problem = "the memory controller is not delegated"
    await supervisor.apply(replace(sleeper, memory_max=1 << 30))
    assert "the memory limit of web is not kept: the memory controller is not delegated" in caplog.text


async def test_what_very_short_lives_wrote_is_in_the_log(supervisor: Systemd, tmp_path: Path) -> None:
    spec = ProcessSpec("web", ("sh", "-c", "echo $$"), tmp_path, {}, tmp_path / "l", restart="never")
    await supervisor.apply(spec)
    for _ in range(30):
        await supervisor.start("web")
        await reached(supervisor, "web", "exited")
    assert len(set(await logged(supervisor, spec, 30))) == 30


async def test_nothing_is_lost_or_told_twice_between_tail_and_follow(supervisor: Systemd, tmp_path: Path) -> None:
    count = 5000
    script = f"import time\nfor n in range({count}): print(f'line {{n}}', flush=True); time.sleep(0.0005)"
    spec = ProcessSpec("web", (sys.executable, "-c", script), tmp_path, {}, tmp_path / "l", restart="never")
    await supervisor.apply(spec)
    await supervisor.start("web")
    await logged(supervisor, spec, 50)
    source = supervisor.log_source("web", spec.log)
    assert isinstance(source, JournalUnit)
    told: list[str] = []
    async with asyncio.timeout(DEADLINE), aclosing(follow([("web", source)], lines=count)) as batches:
        async for lines in batches:
            told += [line.text for line in lines]
            if told[-1] == f"line {count - 1}":
                break
    assert told == [f"line {number}" for number in range(count)]


async def test_a_journal_is_searched_like_a_file(supervisor: Systemd, tmp_path: Path) -> None:
    script = r"printf '\033[31mred\033[0m needle\n\033[2Jplain needle\nnothing\n'"
    script += "; head -c 20000 /dev/zero | tr '\\0' x; echo"
    spec = ProcessSpec("web", ("sh", "-c", script), tmp_path, {}, tmp_path / "l", restart="never")
    await supervisor.apply(spec)
    await supervisor.start("web")
    lines = await logged(supervisor, spec, 4)
    assert lines[:3] == ["\x1b[31mred\x1b[0m needle", "plain needle", "nothing"]
    assert lines[3] == "x" * 8192 + "…"
    source = supervisor.log_source("web", spec.log)
    found = await tail([("web", source)], grep="^red needle$")
    assert [line.text for line in found] == ["\x1b[31mred\x1b[0m needle"]
    assert [line.text for line in await tail([("web", source)], grep="needle", lines=1)] == ["plain needle"]
    newest = found[0].time
    assert newest
    assert await tail([("web", source)], since=newest + 3600) == []
    assert len(await tail([("web", source)], since=newest - 3600)) == 4


async def test_a_reader_of_the_journal_that_is_killed_goes_on_where_it_was(
    supervisor: Systemd, tmp_path: Path
) -> None:
    spec = ProcessSpec("web", ("sh", "-c", "echo one; read x < go; echo two"), tmp_path, {}, tmp_path / "l")
    os.mkfifo(tmp_path / "go")
    await supervisor.apply(replace(spec, restart="never"))
    await supervisor.start("web")
    await logged(supervisor, spec, 1, "one")
    told: list[str] = []
    async with (
        asyncio.timeout(DEADLINE),
        aclosing(follow([("web", supervisor.log_source("web", spec.log))], lines=10)) as batches,
    ):
        told += [line.text for line in await anext(batches)]
        waiting = asyncio.ensure_future(anext(batches))
        while not (readers := _children("journalctl")):
            await asyncio.sleep(0.01)
        os.kill(readers[0], signal.SIGKILL)
        await asyncio.to_thread((tmp_path / "go").write_text, "now\n")
        told += [line.text for line in await waiting]
    assert told == ["one", "two"]


async def test_followers_leave_no_process(supervisor: Systemd, sleeper: ProcessSpec) -> None:
    source: Any = supervisor.log_source("web", sleeper.log)
    task = asyncio.create_task(anext(follow([("web", source)])))
    while not _children("journalctl"):
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert _children("journalctl") == []


def _children(program: str) -> list[int]:
    return [child.pid for child in psutil.Process().children(recursive=True) if child.name() == program]


async def test_without_a_user_manager_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    supervisor = Systemd(prefix="x-", folder=tmp_path)
    with pytest.raises(HeroError, match="systemd --user") as error:
        await supervisor.up()
    assert error.value.code == "unreachable"
    assert "enable-linger" in error.value.hint
    for call in (supervisor.states(), supervisor.start("web"), anext(supervisor.watch())):
        with pytest.raises(SupervisorLost):
            await call
    await supervisor.down()
