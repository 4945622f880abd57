"""A resident cockpit on real terminals: it starts and behaves as any other, and ends with its terminal."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.cockpit.fake_box import user
from benchmarks.cockpit.scene import ROOT, Box, fake_box
from tests.hero_tui.terminal_of import Terminal, terminal_of

pytestmark = pytest.mark.slow

DEADLINE = 60.0


def environment(box: Box, **more: str) -> dict[str, str]:
    names = ("PATH", "HOME", "LANG")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    private = {name: str(box.folder) for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR")}
    around = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(ROOT), "HERO_RESIDENT": "1"}
    return {**kept, **around, **private, **more}


@contextmanager
def cockpit(box: Box, **more: str) -> Iterator[Terminal]:
    argv = [sys.executable, "-m", "hero_tui.cockpit", "--box", str(box.folder), "--slot", user(0)]
    with terminal_of(argv, environment(box, **more)) as made:
        made.shows("user0000 · svc00")
        yield made


def is_lent(terminal: Terminal) -> bool:
    """Whether another process draws: one that draws by itself has all of Textual in its memory."""
    pages = int(Path(f"/proc/{terminal.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") < 30_000_000


def server_of(box: Box) -> int:
    locks = list((box.folder / "hero").glob("*.lock"))
    return int(locks[0].read_text() or 0) if locks else 0


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def drawing(box: Box) -> list[int]:
    """Processes that have somebody's terminal."""
    there = children(server_of(box))
    return [pid for pid in there if str(Path(f"/proc/{pid}/fd/0").readlink()).startswith("/dev/pts/")]


def quit_by_key(terminal: Terminal) -> int:
    terminal.press("\x03")
    terminal.press("\x03")
    return terminal.ends()


def until_one_is_ready(box: Box) -> None:
    """A first start leaves one behind while it runs."""
    with cockpit(box) as terminal:
        until(lambda: bool(server_of(box)) and bool(children(server_of(box))), "one that is ready")
        assert quit_by_key(terminal) == 0
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        with cockpit(box) as terminal:
            lent = is_lent(terminal)
            assert quit_by_key(terminal) == 0
        if lent:
            return
        time.sleep(0.5)
    raise AssertionError("no start was quick")


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    with fake_box((4, 4)) as made:
        made.folder.chmod(0o700)
        try:
            yield made
        finally:
            if pid := server_of(made):
                os.kill(pid, signal.SIGTERM)


def test_it_is_left_by_the_first_start_and_serves_the_next(box: Box) -> None:
    until_one_is_ready(box)
    until(lambda: bool(children(server_of(box))), "the next one")
    with cockpit(box) as terminal:
        assert is_lent(terminal)
        terminal.press("j")
        terminal.shows("user0001 · svc00")
        size = struct.pack("HHHH", 24, 90, 0, 0)
        fcntl.ioctl(terminal._master, termios.TIOCSWINSZ, size)
        os.kill(terminal.process.pid, signal.SIGWINCH)
        terminal.until(
            lambda screen: ": command" in screen.splitlines()[23], "the last line of the smaller screen"
        )
        assert quit_by_key(terminal) == 0
    # Another terminal makes another cockpit: it is not ready, but what it needs is loaded.
    with cockpit(box, NO_COLOR="1") as terminal:
        assert is_lent(terminal)
        assert quit_by_key(terminal) == 0
    with cockpit(box, TEXTUAL_FPS="30") as terminal:
        assert not is_lent(terminal)


def test_each_ends_with_the_other(box: Box) -> None:
    until_one_is_ready(box)
    with cockpit(box) as terminal:
        assert is_lent(terminal)
        (pid,) = drawing(box)
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.ends() == 128 + signal.SIGTERM
        until(lambda: not Path(f"/proc/{pid}").exists(), "the end of what drew there")
    with cockpit(box) as terminal:
        assert is_lent(terminal)
        (pid,) = drawing(box)
        os.kill(pid, signal.SIGKILL)
        assert terminal.ends() == 1


def test_a_program_in_front_of_the_person_runs_where_the_terminal_belongs() -> None:
    script = (
        "import os, socket, sys, termios, threading\n"
        "from pathlib import Path\n"
        "from hero_tui.resident import lent, wire\n"
        "ours, theirs = socket.socketpair()\n"
        "wire.send(theirs, 'run', '/', 'sh', '-c', 'tty; pwd; read word; echo heard $word; exit 7')\n"
        "def answer():\n"
        "    told = wire.receive(theirs)[0]\n"
        "    wire.send(theirs, 'exit', told[1])\n"
        "threading.Thread(target=answer).start()\n"
        "sys.exit(lent.Lent(ours, os.getpid(), termios.tcgetattr(0)).wait())\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        around = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm", "HOME": folder}
        with terminal_of([sys.executable, "-c", script], around) as terminal:
            terminal.shows("/dev/")
            terminal.press("words\n")
            terminal.shows("heard words")
            assert terminal.ends() == 7
