"""The cockpit as a person has it: in tmux, on a real box, by keys."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.client.blocking import call_box, connect_box
from tests.acceptance.small_box import SmallBox, small_box

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent


class Terminal:
    """A tmux window of 120 × 36 with the cockpit in it."""

    def __init__(self, box: SmallBox) -> None:
        self._box = box
        self._server = f"hero-{uuid.uuid4().hex[:8]}"
        command = shlex.join([str(BIN / "hero_tui"), "--box", str(box.root), "--slot", "alice"])
        self._tmux("new-session", "-d", "-x", "120", "-y", "36", command)

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    def shows(self, *texts: str) -> str:
        """Wait until all `texts` are on the screen; the screen."""
        try:
            self._box.until(lambda: all(text in self.text() for text in texts), f"{texts} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None
        return self.text()

    def hides(self, text: str) -> None:
        """Wait until `text` is on the screen no more."""
        self._box.until(lambda: text not in self.text(), f"a screen without {text!r}")

    def ends(self) -> None:
        """Wait until the cockpit, and with it the window, has ended."""
        self._box.until(lambda: not self._lives(), "the cockpit's end")

    def _lives(self) -> bool:
        try:
            self.text()
        except subprocess.CalledProcessError:
            return False
        return True

    def row(self, user: str) -> list[str]:
        """The two lines of a user's row."""
        lines = self.text().splitlines()
        at = next((number for number, line in enumerate(lines) if line.strip().startswith(user)), None)
        return lines[at : at + 2] if at is not None else []

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._server, "kill-server"], check=False, capture_output=True)

    def _tmux(self, *args: str) -> str:
        home = {**os.environ, "XDG_CONFIG_HOME": str(self._box.root / "config"), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-L", self._server, *args],
            check=True,
            capture_output=True,
            text=True,
            env=home,
        )
        return done.stdout


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        connect_box(made.where).close()
        made.until(lambda: len(call_box(made.where, "box.status")["online"]) == 2, "both slots")
        made.done("slot.start")
        yield made


@pytest.fixture
def terminal(box: SmallBox) -> Iterator[Terminal]:
    opened = Terminal(box)
    try:
        opened.shows("integration", "alice", "hero_web", "development")
        yield opened
    finally:
        opened.close()


def test_a_switch_by_keys_runs_a_teammates_archive_and_back_returns(box: SmallBox, terminal: Terminal) -> None:
    terminal.press("s")
    terminal.shows("switch hero_web", "development_mik")
    terminal.press("-l", "mik")
    terminal.shows("mik", "releases")
    terminal.press("Enter")
    terminal.shows("restarts hero_web", "Run")
    terminal.press("Enter")
    box.until(lambda: box.cell("hero_web")["branch"] == "development_mik", "Mik's branch")
    assert box.ask("hero_web")["page"] == "mik"
    terminal.shows("done")
    box.until(lambda: "mik" in terminal.row("alice")[0], "Mik's branch in the cell")
    assert not list(box.slot.build_log.glob("hero_web-*"))
    terminal.press("s")
    terminal.shows("switch hero_web", "B back")
    terminal.press("B")
    terminal.shows("--back", "restarts hero_web", "Run")
    terminal.press("Enter")
    box.until(lambda: box.cell("hero_web")["branch"] == "development", "the branch from before")
    assert box.ask("hero_web")["page"] == 2


def test_a_killed_service_turns_its_cell_and_turns_it_back(box: SmallBox, terminal: Terminal) -> None:
    box.until(lambda: terminal.row("alice")[0].count("●") == 3, "three healthy cells")
    box.call("slot.status")
    os.kill(box.cell("hero_web")["pid"], signal.SIGSTOP)
    os.kill(box.cell("hero_web")["pid"], signal.SIGKILL)
    box.until(lambda: box.cell("hero_web")["restarts"] >= 1, "the restart")
    box.until(lambda: terminal.row("alice")[0].count("●") == 3, "three healthy cells again")
    terminal.shows("1 restart")
    box.done("slot.stop", {"services": ["hero_web"]})
    box.until(lambda: "○" in terminal.row("alice")[0], "the stopped cell")
    terminal.press("r")
    box.until(lambda: terminal.row("alice")[0].count("●") == 3, "the started cell")


def test_the_cockpit_outlives_the_boxs_daemon(box: SmallBox, terminal: Terminal) -> None:
    os.kill(call_box(box.where, "box.status")["pid"], signal.SIGKILL)
    terminal.press("j")
    box.done("slot.restart", {"services": ["hero_db"]})
    connect_box(box.where).close()
    box.until(lambda: "reconnecting" not in terminal.text() and terminal.row("alice"), "the fleet")
    box.done("slot.stop", {"services": ["hero_db"]})
    box.until(lambda: "○" in terminal.row("alice")[0], "news after the restart")
    box.done("slot.start", {"services": ["hero_db"]})


def test_a_peek_is_read_only_and_logs_follow(box: SmallBox, terminal: Terminal) -> None:
    terminal.press("k", "k", "2")
    terminal.shows("peeking at integration", "read-only")
    terminal.press("Escape")
    terminal.shows("alice", "hero_db")
    terminal.press("j", "l")
    terminal.shows("hero_web development@")
    box.ask("hero_web")
    terminal.shows("GET / 200")


def test_help_tells_the_keys_and_a_command_quits(terminal: Terminal) -> None:
    terminal.press("?")
    terminal.shows("Twice: quit")
    # Escape and the next key that come at once are one key, with Alt: for a terminal they are the same.
    terminal.press("Escape")
    terminal.hides("Twice: quit")
    terminal.press(":")
    terminal.press("-l", "q")
    terminal.press("Enter")
    terminal.ends()
