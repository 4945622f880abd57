"""The cockpit on a real terminal, over a real rootless box: what is killed, restarted and switched is seen."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.client.blocking import call_box
from tests.acceptance.small_box import SmallBox, small_box
from tests.hero_tui.terminal_of import Terminal, terminal_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def box() -> Iterator[SmallBox]:
    with small_box() as made:
        made.done("slot.start")
        yield made


@pytest.fixture
def terminal(box: SmallBox, tmp_path: Path) -> Iterator[Terminal]:
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR")},
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "XDG_CONFIG_HOME": str(tmp_path),
        "XDG_CACHE_HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    argv = [sys.executable, "-m", "hero_tui.cockpit", "--box", str(box.root), "--slot", "alice"]
    with terminal_of(argv, environment) as made:
        made.shows("hero_web")
        made.until(lambda screen: "connecting…" not in screen, "the connection")
        yield made


def pid_of(box: SmallBox, service: str) -> int:
    return int(box.cell(service)["pid"])


def detail(terminal: Terminal, label: str) -> str:
    """The line of the detail pane with this label."""
    found = re.search(rf"│ {label} +(.*?) *│", terminal.text)
    return found.group(1) if found else ""


def test_the_window_is_called_after_the_box(terminal: Terminal) -> None:
    terminal.until(lambda _: terminal.title == "hero small", "the window's title")


def test_a_killed_service_shows_and_comes_back(box: SmallBox, terminal: Terminal) -> None:
    service = "hero_web"
    terminal.until(lambda screen: "● healthy" in screen, "a healthy service")
    before = pid_of(box, service)
    terminal.until(lambda _: detail(terminal, "process").startswith(f"pid {before}"), "its process")
    os.kill(before, signal.SIGKILL)
    terminal.until(
        lambda _: detail(terminal, "process").startswith("pid ") and f"pid {before} " not in terminal.text,
        "another process",
    )
    terminal.until(lambda screen: "● healthy" in screen, "health again")
    terminal.until(lambda _: "1 restart" in detail(terminal, "process"), "its restart")


def test_a_switch_by_keys_runs_the_teammates_release_and_back(box: SmallBox, terminal: Terminal) -> None:
    terminal.press("s")
    terminal.shows("releases · newest of each branch")
    terminal.press("mik")
    terminal.until(lambda screen: re.search(r"▌development_mik", screen) is not None, "Mik's release")
    terminal.press("\r")
    terminal.shows("restarts hero_web")
    terminal.press("\r")
    terminal.shows("done: development_mik-")
    terminal.until(lambda _: detail(terminal, "branch").startswith("development_mik"), "the new branch")
    assert "mik" in str(box.ask("hero_web"))
    terminal.press("\x1b")
    terminal.until(lambda screen: "done: development_mik-" not in screen, "the end of the result")
    terminal.press(":switch hero_web development\r")
    terminal.shows("restarts hero_web")
    terminal.press("\r")
    terminal.until(lambda _: detail(terminal, "branch").startswith("development  of"), "the trunk again")


def test_keys_that_come_in_one_piece_are_done_in_their_order(terminal: Terminal) -> None:
    terminal.until(lambda screen: "● healthy" in screen, "a healthy service")
    terminal.press("\x1b[C\x1b[Cr")
    terminal.shows("restart hero_api")
    terminal.shows("restart hero_api  done")


def test_somebody_elses_slot_is_only_looked_at(terminal: Terminal) -> None:
    terminal.press("uinteg\r")
    terminal.shows("peeking at integration — read-only")
    terminal.shows("▌ hero_web")  # its daemon may only now be telling what it has
    terminal.press("l")
    terminal.shows("Nothing has been logged yet.")


def test_the_boxs_daemon_may_be_killed(box: SmallBox, terminal: Terminal) -> None:
    pid = int(call_box(box.where, "box.status")["pid"])
    os.kill(pid, signal.SIGKILL)
    terminal.shows("reconnecting…")
    terminal.until(lambda screen: "reconnecting…" not in screen, "the box again")
    assert "hero_web" in terminal.text
    before = pid_of(box, "hero_db")
    terminal.press("r")
    terminal.shows("restart hero_web")
    terminal.shows("done")
    assert pid_of(box, "hero_db") == before


def test_logs_follow_what_is_written(box: SmallBox, terminal: Terminal) -> None:
    terminal.press("l")
    terminal.shows("following")
    terminal.shows("beat")
    with box.slot.service_log("hero_web").open("a") as log:
        log.write("a line that only this test writes\n")
    terminal.shows("a line that only this test writes")


def test_it_quits_and_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.press(":q\r")
    assert terminal.ends() == 0


def test_a_picture_needs_no_terminal(box: SmallBox, tmp_path: Path) -> None:
    picture = tmp_path / "fleet.svg"
    argv = [sys.executable, "-m", "hero_tui.cockpit", "--box", str(box.root), "--screenshot", str(picture)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=60, check=True)
    assert done.stdout == b""
    assert "integration" in picture.read_text()


def test_without_a_terminal_it_says_what_to_do(box: SmallBox) -> None:
    argv = [sys.executable, "-m", "hero_tui.cockpit", "--box", str(box.root)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert b"hero_dev status --all" in done.stderr
