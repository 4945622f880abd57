"""`hero_dev login` on a real box in real tmux: the cockpit in its window, a detach, a way back, a second one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from backends.client.blocking import call_box, connect_box
from hero_tui.login.record import STEPS, Record, write_record
from tests.acceptance.small_box import SmallBox, small_box
from tests.hero_tui.terminal_of import Terminal, terminal_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here"),
]

DETACH = "\x02d"


@dataclass
class Door:
    """Where alice logs in; `run` is her runtime folder, in which her tmux server has its socket."""

    box: SmallBox
    run: Path

    def login(self, *, columns: int = 100, rows: int = 30, **environment: str) -> AbstractContextManager[Terminal]:
        world = {**os.environ, **self.environment, **environment}
        world.pop("TMUX", None)
        command = ["--box", str(self.box.root), "--slot", "alice", "login"]
        argv = ["setsid", "--ctty", "--wait", sys.executable, "-m", "hero_tui.cli", *command]
        return terminal_of(argv, world, columns, rows)

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "HOME": str(self.run),
            "XDG_RUNTIME_DIR": str(self.run),
            "XDG_CONFIG_HOME": str(self.run / "config"),
        }
        return {
            **own,
            "TMUX_TMPDIR": str(self.run),
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "SHELL": "/bin/sh",
        }

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", *words], env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        return done.stdout


@pytest.fixture
def door() -> Iterator[Door]:
    with small_box() as box:
        connect_box(box.where).close()
        box.until(lambda: len(call_box(box.where, "box.status")["online"]) == 2, "both slots")
        write_record(box.slot.first_login, Record(frozenset(STEPS)))
        run = box.root.parent / "r"
        run.mkdir(mode=0o700)
        made = Door(box, run)
        try:
            yield made
        finally:
            made.tmux("kill-server")


def test_a_login_lands_in_the_cockpit_and_the_next_one_comes_back_to_it(door: Door) -> None:
    with door.login() as terminal:
        terminal.shows("integration")
        terminal.press("2")
        terminal.shows("hero_web")
        server = door.tmux("display-message", "-p", "-t", "hero", "#{pid} #{pane_pid}")
        terminal.press(DETACH)
        assert terminal.ends() == 0
    with door.login(columns=80, rows=24) as terminal:
        terminal.shows("hero_web")
        assert door.tmux("display-message", "-p", "-t", "hero", "#{pid} #{pane_pid}") == server
        terminal.press(DETACH)
        assert terminal.ends() == 0
    assert (door.run / f"tmux-{os.geteuid()}" / "default").is_socket()


def test_a_second_terminal_has_a_view_of_its_own_that_ends_with_it(door: Door) -> None:
    with door.login() as first:
        first.shows("integration")
        _second_terminal(door, first)
        first.press(DETACH)
        assert first.ends() == 0


def _second_terminal(door: Door, first: Terminal) -> None:
    with door.login() as second:
        second.shows("integration")
        door.box.until(lambda: len(door.tmux("list-clients").splitlines()) == 2, "two clients")
        assert len(door.tmux("list-sessions").splitlines()) == 2
        second.press("\x02c")
        door.box.until(lambda: len(door.tmux("list-windows", "-t", "=hero").splitlines()) == 2, "a second window")
        second.press("echo only$((1))here\r")
        second.shows("only1here")
        first.take()
        assert "only1here" not in first.text
        second.press(DETACH)
        assert second.ends() == 0
        door.box.until(lambda: len(door.tmux("list-sessions").splitlines()) == 1, "one session")
        assert len(door.tmux("list-windows", "-t", "=hero").splitlines()) == 2


def test_a_cockpit_that_ends_leaves_a_shell_in_its_window(door: Door) -> None:
    with door.login() as terminal:
        terminal.shows("integration")
        terminal.press(":q\r")
        terminal.shows("`hero_tui` opens the cockpit again")
        terminal.press("echo still $((40 + 2))\r")
        terminal.shows("still 42")
        terminal.press("exit\r")
        assert terminal.ends() == 0
    assert not door.tmux("list-sessions")


def test_without_tmux_there_is_the_cockpit_and_then_the_plain_shell(door: Door) -> None:
    tools = door.run / "tools"
    tools.mkdir()
    for name in ("setsid", "git"):
        (tools / name).symlink_to(shutil.which(name) or "")
    with door.login(PATH=str(tools)) as terminal:
        terminal.shows("integration")
        terminal.press(":q\r")
        assert terminal.ends() == 10


def test_a_terminal_that_this_machine_does_not_know_is_taken_for_a_common_one(door: Door) -> None:
    with door.login(TERM="xterm-of-next-year") as terminal:
        terminal.shows("integration")
        terminal.press(DETACH)
        assert terminal.ends() == 0


def test_inside_tmux_and_without_a_terminal_it_says_so(door: Door) -> None:
    with door.login() as terminal:
        terminal.shows("integration")
        terminal.press("\x02c")
        terminal.shows("1:sh")
        terminal.press(f"{sys.executable} -m hero_tui.cli --box {door.box.root} --slot alice login\r")
        terminal.shows("in tmux already")
        terminal.press(DETACH)
    argv = [sys.executable, "-m", "hero_tui.cli", "--box", str(door.box.root), "--slot", "alice", "login"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
