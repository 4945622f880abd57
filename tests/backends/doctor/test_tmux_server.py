"""The options of a real tmux server: found, set while it runs, found again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backends.doctor import terminal
from backends.doctor.context import Context
from tests.backends.doctor.contexts import context_in, found_by

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def context(short_dir: Path) -> Iterator[Context]:
    """A context whose user has a tmux server of factory settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
    environment = {**kept, "TMUX_TMPDIR": str(short_dir), "LC_ALL": "C.UTF-8"}
    command = ["tmux", "-f", "/dev/null", "new-session", "-d", "cat"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    yield replace(context_in(short_dir), environment=environment)
    subprocess.run(["tmux", "kill-server"], env=environment, check=False, capture_output=True)


async def test_what_the_cockpit_needs_is_set_in_the_running_server(context: Context) -> None:
    found = await found_by(terminal.CHECKS, "terminal.tmux_options", context)
    assert [one.part for one in found] == ["escape_time", "set_clipboard", "true_colour"]
    for one in found:
        assert "~/.tmux.conf" in one.mend
        if one.state == "warn":
            assert one.repair
            assert "~/.tmux.conf" in await one.repair()
    again = await found_by(terminal.CHECKS, "terminal.tmux_options", context)
    assert [one.state for one in again] == ["ok", "ok", "ok"]


async def test_setting_it_twice_changes_nothing_more(context: Context) -> None:
    (waits, *_) = await found_by(terminal.CHECKS, "terminal.tmux_options", context)
    if waits.repair is None:
        pytest.skip("this tmux waits no longer by itself")
    assert await waits.repair() == await waits.repair()


async def test_without_a_server_there_is_nothing_to_look_at(short_dir: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "TMUX_TMPDIR": str(short_dir)}
    (found,) = await found_by(
        terminal.CHECKS, "terminal.tmux_options", replace(context_in(short_dir), environment=environment)
    )
    assert found.state == "skipped"


async def test_the_installed_tmux_tells_its_version(short_dir: Path) -> None:
    (found,) = await found_by(terminal.CHECKS, "terminal.tmux", context_in(short_dir))
    assert found.what.startswith("tmux ")


async def test_a_machine_without_tmux_is_told(short_dir: Path) -> None:
    bare = replace(context_in(short_dir), environment={"PATH": str(short_dir)})
    (found,) = await found_by(terminal.CHECKS, "terminal.tmux", bare)
    assert (found.state, found.what) == ("warn", "There is no tmux.")
