"""The user manager is restarted by root: who watches is told, and everything comes back under its successor.

It disturbs every other program of the user's manager, so it runs only where `sudo -n` may do this one thing:
`NAME ALL=(root) NOPASSWD: /usr/bin/systemctl restart user@UID.service`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace

import pytest

from backends.supervisors.base import ProcessSpec, SupervisorLost
from backends.supervisors.systemd import Systemd
from tests.backends.supervisors.contract import ended, reached, until
from tests.backends.supervisors.test_systemd import prefix, sleeper, supervisor

__all__ = ["prefix", "sleeper", "supervisor"]

RESTART = ["sudo", "-n", "/usr/bin/systemctl", "restart", f"user@{os.getuid()}.service"]


@pytest.fixture
def manager(supervisor: Systemd) -> Systemd:
    """One that may be restarted."""
    try:
        allowed = subprocess.run([*RESTART[:2], "-l", *RESTART[2:]], capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip(f"this user may not run `{' '.join(RESTART)}`")
    return supervisor


async def test_a_restarted_manager_is_told_and_its_successor_runs_what_ran(
    manager: Systemd, sleeper: ProcessSpec
) -> None:
    await manager.apply(sleeper)
    await manager.apply(replace(sleeper, name="rests"))
    await manager.start("web")
    first = (await manager.states())["web"].pid
    assert first
    watching = asyncio.create_task(until(manager, lambda state: state.state == "unknown"))
    await reached(manager, "web", "running")
    restarting = await asyncio.create_subprocess_exec(*RESTART)
    with pytest.raises(SupervisorLost):
        await watching
    await ended(first)
    assert await restarting.wait() == 0
    await manager.up()
    second = await reached(manager, "web", "running")
    assert second.pid != first
    assert (await manager.states())["rests"].state == "stopped"
    await manager.stop("web")
