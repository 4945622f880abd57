"""`hero_tui --log` as a person has it: in tmux, on files that go on, with a window for the pager."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BIN = Path(sys.executable).parent
DEADLINE = 60.0


class Tmux:
    """A server of its own with one window, in which a shell runs."""

    def __init__(self, folder: Path) -> None:
        self._server = f"hero-{uuid.uuid4().hex[:8]}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if name != "TMUX"},
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "LC_ALL": "C.UTF-8",
            "PAGER": "less",
            "SHELL": "/bin/sh",
            "PS1": "$ ",
        }
        self.run("new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), "sh")

    def run(self, *args: str) -> str:
        argv = ["tmux", "-f", "/dev/null", "-L", self._server, *args]
        return subprocess.run(argv, check=True, capture_output=True, text=True, env=self._environment).stdout

    def press(self, *keys: str) -> None:
        self.run("send-keys", *keys)

    def type(self, line: str) -> None:
        self.run("send-keys", "-l", line)
        self.press("Enter")

    def shows(self, *texts: str) -> str:
        """Wait until all `texts` are on the screen; the screen."""
        return self._until(lambda screen: all(text in screen for text in texts), repr(texts))

    def hides(self, text: str) -> str:
        """Wait until `text` is no longer on the screen."""
        return self._until(lambda screen: text not in screen, f"no {text!r}")

    def _until(self, condition: Callable[[str], bool], what: str) -> str:
        deadline = time.monotonic() + DEADLINE
        while not condition(screen := self.run("capture-pane", "-p")):
            assert time.monotonic() < deadline, f"{what} was not seen:\n{screen}"
            time.sleep(0.02)
        return screen

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self._server, "kill-server"], check=False, capture_output=True)


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    opened = Tmux(tmp_path)
    try:
        yield opened
    finally:
        opened.close()


def test_two_files_are_followed_searched_paged_and_left(tmux: Tmux, tmp_path: Path) -> None:
    one, two = tmp_path / "router.log", tmp_path / "db.log"
    for path, what, begin in ((one, "request", 0), (two, "shelf", 1)):
        path.write_text("".join(f"2026-11-20T10:00:{n:02d}Z INFO {what} {n}\n" for n in range(begin, 60, 2)))
    command = shlex.join([str(BIN / "hero_tui"), "--log", "router.log", "db.log"])
    tmux.type(f"{command}; echo it ended with $?")
    screen = tmux.shows("shelf 59", "60 lines · 2 sources")
    rows = [line for line in screen.splitlines() if "INFO" in line]
    assert rows == sorted(rows, key=lambda line: line.split("2026-", 1)[1])
    with one.open("a") as file:
        file.write("2026-11-20T10:01:00Z ERROR request 60\n")
    tmux.shows("request 60", "61 lines", "✖ 1 error")
    tmux.press("/", "request 1", "Enter")
    tmux.shows("/request 1 5 matches")
    tmux.hides("shelf")
    tmux.press("o")
    tmux.shows("router: 2026-11-20T10:00:10Z INFO request 10", "(END)")
    tmux.press("q")
    tmux.shows("/request 1 5 matches")
    one.unlink()
    tmux.shows("router.log is gone")
    tmux.press("q")
    tmux.shows("it ended with 0")
    tmux.type(f"{shlex.quote(str(BIN / 'hero_tui'))} --log router.log; echo it ended with $?")
    tmux.shows("router.log is not there.", "it ended with 1")
