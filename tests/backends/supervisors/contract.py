"""What every implementation of the supervisor port must do, proven on real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backends.model.errors import HeroError
from backends.slot.logs import follow
from backends.supervisors.base import ProcessSpec, ProcessState, Supervisor, SupervisorLost

DEADLINE = 30.0
"""Seconds after which a test is taken to hang."""

IGNORES_TERM = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").write(f"{os.getpid()}\\n")
signal.pause()
"""
LEAVES_A_CHILD = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {IGNORES_TERM!r}, sys.argv[1]])
time.sleep(1000)
"""
TELLS_ITS_WORLD = """
import json, os, sys
world = {"env": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv[2:], "stdin": sys.stdin.read()}
open(sys.argv[1], "w").write(json.dumps(world))
"""


class Bell:
    """A named pipe that a process writes a line to, so that a test need not look again and again."""

    def __init__(self, folder: Path):
        self.path = folder / "bell"
        os.mkfifo(self.path)
        self._fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK)

    async def line(self) -> str:
        """The next line that is written to it."""
        await readable(self._fd)
        return os.read(self._fd, 4096).decode().strip()

    def close(self) -> None:
        os.close(self._fd)


async def readable(descriptor: int) -> None:
    """Wait until `descriptor` has something to say."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        async with asyncio.timeout(DEADLINE):
            await ready.wait()
    finally:
        loop.remove_reader(descriptor)


async def ended(pid: int) -> None:
    """Wait until the process `pid` has ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        await readable(handle)
    finally:
        os.close(handle)


async def until(supervisor: Supervisor, wanted: Callable[[ProcessState], bool]) -> list[ProcessState]:
    """What is told up to the first state that is `wanted`."""
    told: list[ProcessState] = []
    async with asyncio.timeout(DEADLINE), aclosing(supervisor.watch()) as states:  # type: ignore[type-var]
        async for state in states:
            told.append(state)
            if wanted(state):
                return told
    raise AssertionError("the watch ended by itself")


async def reached(supervisor: Supervisor, name: str, *states: str) -> ProcessState:
    """The state of `name` as soon as it is one of `states`."""
    return (await until(supervisor, lambda state: state.name == name and state.state in states))[-1]


async def logged(supervisor: Supervisor, spec: ProcessSpec, count: int, last: str = "") -> list[str]:
    """The last `count` lines that the process wrote, once they, and `last`, can be read."""
    told: list[str] = []
    source = supervisor.log_source(spec.name, spec.log)
    async with asyncio.timeout(DEADLINE), aclosing(follow([(spec.name, source)], lines=count)) as batches:
        async for lines in batches:
            told += [line.text for line in lines]
            if len(told) >= count and last in ("", told[-1]):
                break
    return told[-count:]


class SupervisorContract:
    """Give the fixtures `supervisor`, one that is up and that you take down, and `bell`."""

    @pytest.fixture
    def spec(self, tmp_path: Path) -> Callable[..., ProcessSpec]:
        """Makes definitions; by default of a process that runs until it is stopped."""

        def make(*argv: str, name: str = "web", **changes: Any) -> ProcessSpec:
            log = tmp_path / "log" / f"{name}.log"
            plain = ProcessSpec(name, argv or ("sleep", "1000"), cwd=tmp_path, env={}, log=log)
            return replace(plain, **changes)

        return make

    async def test_a_started_process_runs(self, supervisor: Supervisor, spec: Any) -> None:
        before = datetime.now(UTC) - timedelta(seconds=1)
        await supervisor.apply(spec())
        assert (await supervisor.states())["web"].state == "stopped"
        await supervisor.start("web")
        state = (await supervisor.states())["web"]
        assert state.state == "running"
        assert state.pid
        assert state.since >= before
        os.kill(state.pid, 0)

    async def test_starting_a_running_process_changes_nothing(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        await supervisor.start("web")
        state = (await supervisor.states())["web"]
        await supervisor.start("web")
        assert (await supervisor.states())["web"] == state

    async def test_a_stopped_process_is_gone_when_stop_returns(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        await supervisor.start("web")
        pid = (await supervisor.states())["web"].pid
        await supervisor.stop("web")
        state = (await supervisor.states())["web"]
        assert (state.state, state.pid) == ("stopped", None)
        assert pid
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        await supervisor.stop("web")

    async def test_a_restart_uses_the_newest_definition(
        self, supervisor: Supervisor, spec: Any, tmp_path: Path
    ) -> None:
        await supervisor.apply(spec())
        await supervisor.start("web")
        first = (await supervisor.states())["web"].pid
        world = tmp_path / "world"
        newer = spec(sys.executable, "-c", TELLS_ITS_WORLD, str(world), restart="never")
        await supervisor.apply(newer)
        assert (await supervisor.states())["web"].pid == first
        await supervisor.restart("web")
        await reached(supervisor, "web", "exited")
        assert json.loads(world.read_text())["cwd"] == str(tmp_path)

    async def test_a_restart_starts_what_does_not_run(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        await supervisor.restart("web")
        assert (await supervisor.states())["web"].state == "running"

    async def test_the_exit_code_is_told(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec("sh", "-c", "exit 7", restart="never"))
        await supervisor.start("web")
        state = await reached(supervisor, "web", "exited")
        assert (state.exit_code, state.signal, state.pid) == (7, None, None)
        assert "7" in state.reason

    async def test_the_signal_that_ended_it_is_told(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec("sh", "-c", "kill -USR1 $$", restart="never"))
        await supervisor.start("web")
        state = await reached(supervisor, "web", "exited")
        assert (state.exit_code, state.signal) == (None, signal.SIGUSR1)
        assert "SIGUSR1" in state.reason

    @pytest.mark.parametrize(
        ("policy", "command", "again"),
        [
            ("always", "exit 0", True),
            ("always", "exit 1", True),
            ("on-failure", "exit 0", False),
            ("on-failure", "exit 1", True),
            ("on-failure", "kill -KILL $$", True),
            ("never", "exit 1", False),
        ],
    )
    async def test_the_restart_policy_is_kept(
        self, supervisor: Supervisor, spec: Any, tmp_path: Path, policy: str, command: str, again: bool
    ) -> None:
        once = f"if [ -e again ]; then exec sleep 1000; fi; touch again; {command}"
        await supervisor.apply(spec("sh", "-c", once, restart=policy))
        await supervisor.start("web")
        if again:
            state = (await until(supervisor, lambda state: state.state == "running" and state.restarts > 0))[-1]
            assert state.restarts == 1
        else:
            await reached(supervisor, "web", "exited")
            assert (await supervisor.states())["web"].restarts == 0

    async def test_a_killed_process_is_told_and_runs_again(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        await supervisor.start("web")
        first = (await supervisor.states())["web"]
        assert first.pid
        watching = asyncio.create_task(
            until(supervisor, lambda state: state.state == "running" and state.pid != first.pid)
        )
        os.kill(first.pid, signal.SIGKILL)
        told = await watching
        assert told[-1].restarts == 1
        assert told[-1].signal == signal.SIGKILL

    async def test_a_crash_loop_is_slowed_down_and_given_up(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec("sh", "-c", "exit 3"))
        watching = asyncio.create_task(until(supervisor, lambda state: state.state == "fatal"))
        await supervisor.start("web")
        told = await watching
        assert "backoff" in [state.state for state in told]
        assert told[-1].exit_code == 3
        assert told[-1].restarts == 4
        assert "code 3" in told[-1].reason
        await supervisor.apply(spec())
        await supervisor.start("web")
        state = (await supervisor.states())["web"]
        assert (state.state, state.restarts, state.exit_code) == ("running", 0, None)

    async def test_a_process_that_waits_to_be_restarted_can_be_stopped(
        self, supervisor: Supervisor, spec: Any
    ) -> None:
        await supervisor.apply(spec("sh", "-c", "exit 3"))
        watching = asyncio.create_task(until(supervisor, lambda state: state.restarts == 2))
        await supervisor.start("web")
        await watching
        await supervisor.stop("web")
        assert (await supervisor.states())["web"].state in ("stopped", "exited")

    async def test_a_group_that_ignores_sigterm_is_killed_after_its_time(
        self, supervisor: Supervisor, spec: Any, bell: Bell
    ) -> None:
        await supervisor.apply(spec(sys.executable, "-c", IGNORES_TERM, str(bell.path), stop_timeout=0.2))
        await supervisor.start("web")
        pid = int(await bell.line())
        await supervisor.stop("web")
        state = (await supervisor.states())["web"]
        assert (state.state, state.signal) == ("stopped", signal.SIGKILL)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    async def test_a_child_that_ignores_sigterm_is_killed_with_its_group(
        self, supervisor: Supervisor, spec: Any, bell: Bell
    ) -> None:
        await supervisor.apply(spec(sys.executable, "-c", LEAVES_A_CHILD, str(bell.path), stop_timeout=0.2))
        await supervisor.start("web")
        child = int(await bell.line())
        await supervisor.stop("web")
        state = (await supervisor.states())["web"]
        assert (state.state, state.signal) == ("stopped", signal.SIGTERM)
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)

    async def test_children_do_not_outlive_a_process_that_dies(
        self, supervisor: Supervisor, spec: Any, bell: Bell
    ) -> None:
        await supervisor.apply(spec(sys.executable, "-c", LEAVES_A_CHILD, str(bell.path), restart="never"))
        await supervisor.start("web")
        child = int(await bell.line())
        parent = (await supervisor.states())["web"].pid
        assert parent
        os.kill(parent, signal.SIGKILL)
        await ended(child)

    async def test_calls_that_overlap_all_return(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        calls = [supervisor.restart("web"), supervisor.start("web"), supervisor.stop("web")] * 5
        async with asyncio.timeout(DEADLINE):
            results = await asyncio.gather(*calls, return_exceptions=True)
        for result in results:
            assert result is None or (isinstance(result, HeroError) and result.code == "cancelled")
        await supervisor.restart("web")
        assert (await supervisor.states())["web"].state == "running"

    async def test_a_removed_process_is_stopped_and_forgotten(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        await supervisor.start("web")
        pid = (await supervisor.states())["web"].pid
        watching = asyncio.create_task(until(supervisor, lambda state: state.state == "unknown"))
        await supervisor.remove("web")
        await watching
        assert pid
        await ended(pid)
        assert await supervisor.states() == {}
        with pytest.raises(HeroError, match="web"):
            await supervisor.start("web")

    async def test_processes_do_not_disturb_each_other(self, supervisor: Supervisor, spec: Any) -> None:
        names = [f"p{number}" for number in range(12)]
        for name in names:
            await supervisor.apply(spec(name=name))
        await asyncio.gather(*(supervisor.start(name) for name in names))
        pids = {name: state.pid for name, state in (await supervisor.states()).items()}
        await supervisor.restart("p3")
        now = {name: state.pid for name, state in (await supervisor.states()).items()}
        assert {name for name in names if now[name] != pids[name]} == {"p3"}

    async def test_arguments_environment_and_folders_arrive_unchanged(
        self, supervisor: Supervisor, spec: Any, tmp_path: Path
    ) -> None:
        hard = "a b\t'\"\\`$HOME %s %(x)s ; # , = ä 中 \r\n\x01\x1b[31m <&> "
        folder = tmp_path / "Größe 100% 'x' # ; ü"
        folder.mkdir()
        world = folder / "world"
        changes = {"env": {"HARD": hard, "EMPTY": ""}, "cwd": folder, "log": folder / "l g" / "%d.log"}
        await supervisor.apply(
            spec(sys.executable, "-c", TELLS_ITS_WORLD, str(world), hard, "", restart="never", **changes)
        )
        await supervisor.start("web")
        await reached(supervisor, "web", "exited")
        told = json.loads(world.read_text())
        assert told["env"]["HARD"] == hard
        assert told["env"]["EMPTY"] == ""
        assert told["argv"] == [hard, ""]
        assert told["cwd"] == str(folder)
        assert told["stdin"] == ""

    async def test_a_relative_program_is_found_from_its_folder(
        self, supervisor: Supervisor, spec: Any, tmp_path: Path
    ) -> None:
        program = tmp_path / "bin" / "run"
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nexit 5\n")
        program.chmod(0o755)
        await supervisor.apply(spec("bin/run", restart="never"))
        await supervisor.start("web")
        assert (await reached(supervisor, "web", "exited")).exit_code == 5

    @pytest.mark.parametrize(
        ("argv", "why"),
        [
            (["no-such-command-anywhere"], "no command"),
            (["./missing"], "no command"),
            (["./plain"], "may not be executed"),
        ],
    )
    async def test_what_cannot_be_started_says_why(
        self, supervisor: Supervisor, spec: Any, tmp_path: Path, argv: list[str], why: str
    ) -> None:
        (tmp_path / "plain").write_text("no program")
        await supervisor.apply(spec(*argv))
        with pytest.raises(HeroError, match=why):
            await supervisor.start("web")
        state = (await supervisor.states())["web"]
        assert state.state == "fatal"
        assert why in state.reason
        await supervisor.apply(spec())
        await supervisor.start("web")

    async def test_a_missing_folder_is_named(self, supervisor: Supervisor, spec: Any, tmp_path: Path) -> None:
        await supervisor.apply(spec(cwd=tmp_path / "gone"))
        with pytest.raises(HeroError, match="gone"):
            await supervisor.start("web")

    async def test_output_of_both_streams_is_logged_in_order(self, supervisor: Supervisor, spec: Any) -> None:
        definition = spec("sh", "-c", "echo one; echo two >&2; echo three", restart="never")
        await supervisor.apply(definition)
        await supervisor.start("web")
        await reached(supervisor, "web", "exited")
        assert await logged(supervisor, definition, 3) == ["one", "two", "three"]

    async def test_a_flood_of_bytes_that_are_no_text_holds_nobody(self, supervisor: Supervisor, spec: Any) -> None:
        write = 'import sys\nsys.stdout.buffer.write(b"\\xff\\xfe\\x1b[2J\\x01\\x80\\n" * 5000)'
        flood = f"{write}\nprint('end', flush=True)"
        definition = spec(sys.executable, "-c", flood, restart="never", log_max_bytes=0)
        await supervisor.apply(definition)
        await supervisor.start("web")
        assert (await supervisor.states())["web"].name == "web"
        assert (await reached(supervisor, "web", "exited")).exit_code == 0
        assert await logged(supervisor, definition, 2, "end") == ["\ufffd\ufffd\ufffd\ufffd", "end"]

    async def test_nothing_of_the_environment_leaks_into_processes(
        self, supervisor: Supervisor, spec: Any, tmp_path: Path
    ) -> None:
        world = tmp_path / "world"
        await supervisor.apply(spec(sys.executable, "-c", TELLS_ITS_WORLD, str(world), restart="never"))
        await supervisor.start("web")
        await reached(supervisor, "web", "exited")
        told = set(json.loads(world.read_text())["env"])
        allowed = {"PATH", "HOME", "LANG", "USER", "TMPDIR", "LC_CTYPE"}
        assert {name for name in told if not name.startswith("HERO_")} <= allowed

    async def test_secret_variables_arrive_and_are_changed_by_the_next_start(
        self, supervisor: Supervisor, spec: Any, tmp_path: Path
    ) -> None:
        hard = "a b\t'\"\\`$HOME %s ; # = ä \r\n\x01\x1b[31m "
        world = tmp_path / "world"
        for secret in (hard, "another"):
            argv = (sys.executable, "-c", TELLS_ITS_WORLD, str(world))
            changes = {"env": {"TOKEN": "open", "PLAIN": "1"}, "secret_env": {"TOKEN": secret, "EMPTY": ""}}
            await supervisor.apply(spec(*argv, restart="never", **changes))
            await supervisor.restart("web")
            await reached(supervisor, "web", "exited")
            told = json.loads(world.read_text())["env"]
            assert (told["TOKEN"], told["EMPTY"], told["PLAIN"]) == (secret, "", "1")
            world.unlink()

    @pytest.mark.parametrize(
        "name", ["", "../x", "a/b", "-x", ".x", "a\nb", "a:b", "a b", "ä", "\x1b[31m", "x" * 101]
    )
    async def test_hostile_names_are_refused(self, supervisor: Supervisor, spec: Any, name: str) -> None:
        with pytest.raises(HeroError) as refused:
            await supervisor.apply(spec(name=name, log=Path("/dev/null")))
        assert refused.value.code == "usage"
        with pytest.raises(HeroError):
            await supervisor.start(name)

    async def test_an_unknown_name_is_answered_with_the_nearest(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        for call in (supervisor.start, supervisor.stop, supervisor.restart, supervisor.remove):
            with pytest.raises(HeroError, match="webb") as error:
                await call("webb")
            assert error.value.code == "not_found"
            assert error.value.data["nearest"] == ["web"]

    async def test_a_watch_begins_with_every_process(self, supervisor: Supervisor, spec: Any) -> None:
        for name in ("a", "b", "c"):
            await supervisor.apply(spec(name=name))
        await supervisor.start("b")
        seen: dict[str, str] = {}

        def complete(state: ProcessState) -> bool:
            seen[state.name] = state.state
            return len(seen) == 3

        await until(supervisor, complete)
        assert seen == {"a": "stopped", "b": "running", "c": "stopped"}

    async def test_down_stops_everything_and_ends_the_watches(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        await supervisor.start("web")
        pid = (await supervisor.states())["web"].pid
        watching = asyncio.create_task(until(supervisor, lambda state: state.state == "unknown"))
        await supervisor.down()
        assert pid
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        with pytest.raises(SupervisorLost):
            await watching
        await supervisor.down()

    async def test_up_adopts_what_runs(self, supervisor: Supervisor, spec: Any) -> None:
        await supervisor.apply(spec())
        await supervisor.start("web")
        before = await supervisor.states()
        assert await supervisor.up() == []
        assert await supervisor.states() == before
        assert await supervisor.strays() == []
