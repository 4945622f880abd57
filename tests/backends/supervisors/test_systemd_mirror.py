"""What watchers are told: everything first, each change once, all anew where they were too slow."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from backends.supervisors.base import ProcessState, SupervisorLost
from backends.supervisors.launch_errors import likely_error, why_not
from backends.supervisors.systemd_bus import unit_of, unit_path
from backends.supervisors.systemd_memory import why_no_memory_limit
from backends.supervisors.systemd_mirror import BACKLOG, Mirror
from tests.backends.supervisors.test_systemd_state import FAILED, NEVER, RUNNING


async def told(mirror: Mirror) -> list[ProcessState]:
    """All that a reader gets who reads only after everything has happened."""
    found: list[ProcessState] = []
    mirror.end("over")
    with pytest.raises(SupervisorLost, match="over"):
        async for state in mirror.read():
            found.append(state)
    return found


async def test_a_reader_gets_everything_first_and_then_each_change_once() -> None:
    mirror = Mirror()
    mirror.take("a", dict(NEVER))
    mirror.take("b", dict(RUNNING))
    async with aclosing(mirror.read()) as states:  # type: ignore[type-var]
        assert {(await anext(states)).name, (await anext(states)).name} == {"a", "b"}
        mirror.take("a", {"MainPID": 7}, complete=False)
        mirror.take("a", {"ActiveState": "active"})
        mirror.take("a", {"ActiveState": "active"})
        mirror.forget("b")
        mirror.forget("b")
        running, gone = await anext(states), await anext(states)
        assert (running.name, running.state, running.pid) == ("a", "running", 7)
        assert (gone.name, gone.state, gone.reason) == ("b", "unknown", "removed")
        mirror.end("the manager has gone")
        with pytest.raises(SupervisorLost, match="gone"):
            await anext(states)


async def test_a_reader_that_waits_is_woken() -> None:
    mirror = Mirror()
    async with aclosing(mirror.read()) as states:  # type: ignore[type-var]
        waiting = asyncio.ensure_future(anext(states))
        await asyncio.sleep(0)
        mirror.take("a", dict(NEVER))
        assert (await waiting).state == "stopped"


async def test_a_reader_that_is_too_slow_gets_everything_anew() -> None:
    mirror = Mirror()
    mirror.take("a", dict(NEVER))
    async with aclosing(mirror.read()) as states:  # type: ignore[type-var]
        await anext(states)
        mirror.take("b", dict(NEVER))
        for pid in range(1, 3 * BACKLOG):
            mirror.take("a", RUNNING | {"MainPID": pid})
        last = mirror.states["a"]
        found: dict[str, ProcessState] = {}
        count = 0
        mirror.end("over")
        with pytest.raises(SupervisorLost):
            async for state in states:
                found[state.name] = state
                count += 1
        assert count <= BACKLOG
        assert found == {"a": last, "b": mirror.states["b"]}


async def test_readers_that_have_gone_cost_nothing() -> None:
    mirror = Mirror()
    mirror.take("a", dict(NEVER))
    async with aclosing(mirror.read()) as states:  # type: ignore[type-var]
        await anext(states)
    assert mirror._readers == set()


async def test_why_a_program_was_not_launched_is_looked_up(tmp_path: Path) -> None:
    mirror = Mirror()
    command = [[str(tmp_path / "gone"), ["gone", "x"], False, 0, 0, 0, 0, 0, 0, 0]]
    unit: dict[str, Any] = FAILED | {
        "ExecMainStatus": 203,
        "ExecStart": command,
        "WorkingDirectory": str(tmp_path),
    }
    mirror.take("a", unit)
    assert mirror.states["a"].reason == "there is no command 'gone' on its PATH"
    mirror.take("b", unit | {"WorkingDirectory": str(tmp_path / "nowhere")})
    assert "nowhere cannot be entered" in mirror.states["b"].reason
    mirror.take("c", FAILED | {"ExecMainStatus": 203})
    assert mirror.states["c"].reason == "its program cannot be executed"
    assert [state.name for state in await told(mirror)] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        ("#!/no/interpreter\n", 0o755, "interpreter"),
        ("\x7fELF", 0o755, "no program of this machine"),
        ("#!/bin/sh\n", 0o644, "may not be executed"),
    ],
)
def test_the_likely_error_is_that_of_the_file(tmp_path: Path, content: str, mode: int, why: str) -> None:
    program = tmp_path / "run"
    program.write_text(content)
    program.chmod(mode)
    assert why in why_not("./run", tmp_path, likely_error(program, tmp_path))


@pytest.mark.parametrize("unit", ["slot-web.service", r"slot-a\x40b_c.service", "0.service", "ü.service"])
def test_a_unit_comes_back_from_its_path(unit: str) -> None:
    path = unit_path(unit)
    assert path.isascii()
    assert all(char.isalnum() or char in "_/" for char in path)
    if unit.isascii():
        assert unit_of(path) == unit


def test_a_path_of_something_else_is_no_unit() -> None:
    assert unit_path("slot-web.service") == "/org/freedesktop/systemd1/unit/slot_2dweb_2eservice"
    assert unit_of("/org/freedesktop/systemd1/unit/a_zz") == ""


def made(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_a_limit_is_kept_where_the_manager_has_the_controller(tmp_path: Path) -> None:
    group = "/user.slice/user-1000.slice/user@1000.service"
    controllers = f"{group[1:]}/cgroup.controllers"
    v2 = made(tmp_path / "v2", {"cgroup.controllers": "cpu memory", controllers: "cpu memory pids\n"})
    assert why_no_memory_limit(group, v2) == ""
    (v2 / controllers).write_text("pids\n")
    assert "not delegated" in why_no_memory_limit(group, v2)
    (v2 / controllers).unlink()
    assert "cannot be read" in why_no_memory_limit(group, v2)
    hybrid = made(tmp_path / "hybrid", {"memory/tasks": "", "unified/cgroup.controllers": ""})
    assert "cgroup v1" in why_no_memory_limit(group, hybrid)
    made(hybrid, {f"memory{group}/tasks": ""})
    assert why_no_memory_limit(group, hybrid) == ""
    for strange in ("", "relative", "/../../etc"):
        assert "does not tell" in why_no_memory_limit(strange, hybrid)
    if os.getuid():
        (hybrid / f"memory{group}").chmod(0o500)
        assert "cgroup v1" in why_no_memory_limit(group, hybrid)
