"""From a kill -9 of a service to its cell on a real pty showing it, against the same news at a bare subscriber.

Run: python -m benchmarks.repaint [--rounds N] [--box DIR]. Without a box it makes the demo's, for a while.
The cockpit runs on a pty of 120 × 40; what it writes is read by a terminal emulator.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

import pyte

from backends.client.blocking import call_box, connect_box
from backends.client.locate import Where, locate
from backends.model.errors import HeroError
from backends.rpc.sync_client import SyncClient
from backends.supervisors.supervisord_service import QUICK_EXIT
from hero_tui.demo import prepare

ROWS, COLUMNS = 40, 120
SERVICE = "hero_books"
USER = "alice"
PATIENCE = 20.0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Event to repaint.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--box", default="")
    arguments = parser.parse_args()
    if arguments.box:
        _measure(locate(arguments.box), arguments.rounds)
        return
    with tempfile.TemporaryDirectory(prefix="hb", dir="/tmp") as folder:
        where = prepare(Path(folder) / "box", reset=False)
        try:
            _measure(where, arguments.rounds)
        finally:
            call_box(where, "box.down", {"services": True})


def _measure(where: Where, rounds: int) -> None:
    screen = _Cockpit(where)
    try:
        screen.until(lambda text: USER in text and SERVICE in text)
        painted, told = [], []
        with connect_box(where) as client:
            client.call("events.subscribe", {})
            for _ in range(rounds):
                _wait_healthy(where)
                screen.settle()
                one, other = _round(where, screen, client)
                painted.append(one)
                told.append(other)
        median, direct = statistics.median(painted), statistics.median(told)
        print(
            f"kill -9 to the cell: median {median:.0f} ms, worst {max(painted):.0f} ms (bar: 150); "
            f"to a bare subscriber: median {direct:.1f} ms; ratio {median / direct:.1f}"
        )
    finally:
        screen.close()


def _round(where: Where, screen: _Cockpit, client: SyncClient) -> tuple[float, float]:
    """Milliseconds to the repaint, and to the event at a subscriber that does nothing else."""
    _drain(client)
    before = screen.cell()
    pid = _status(where)["pid"]
    began = time.perf_counter()
    os.kill(pid, signal.SIGKILL)
    for event in client.notifications(PATIENCE):
        data = event.params.get("data", {})
        if data.get("service") == SERVICE and event.params["slot"] == USER and data.get("health") != "healthy":
            break
    told = time.perf_counter() - began
    painted = screen.changed(before) - began
    return painted * 1000, told * 1000


def _drain(client: SyncClient) -> None:
    """Pass over what was told before."""
    try:
        for _ in client.notifications(0.05):
            pass
    except HeroError as error:
        if error.code != "timeout":
            raise


def _status(where: Where) -> dict[str, Any]:
    status = call_box(where, "peek.slot", {"user": USER})
    return next(one for one in status["services"] if one["service"] == SERVICE)


def _wait_healthy(where: Where) -> None:
    deadline = time.monotonic() + PATIENCE
    while _status(where)["health"] != "healthy":
        if time.monotonic() > deadline:
            raise SystemExit(f"{SERVICE} does not get healthy again")
        time.sleep(0.05)
    time.sleep(QUICK_EXIT + 0.1)  # one that ends sooner counts as a crash loop


class _Cockpit:
    """The cockpit on a pty, and what a terminal shows of it."""

    def __init__(self, where: Where) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._read_at = 0.0
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            program = str(Path(sys.executable).parent / "hero_tui")
            environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
            os.execve(program, [program, "--box", str(where.box.root), "--slot", USER], environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def cell(self) -> str:
        """The rows of the user, cut to the service's column, as shown now."""
        lines = self._screen.display
        column = next(line.index(SERVICE) for line in lines if SERVICE in line)
        row = next(number for number, line in enumerate(lines) if line.lstrip().startswith(USER))
        return "\n".join(line[column - 2 : column + 12] for line in lines[row : row + 2])

    def changed(self, before: str) -> float:
        """When the bytes were read after which the cell's first glyph was another."""
        deadline = time.monotonic() + PATIENCE
        while self.cell().strip()[:1] == before.strip()[:1]:
            self._pump(0.05)
            if time.monotonic() > deadline:
                raise SystemExit("the cell did not change")
        return self._read_at

    def until(self, there: Any) -> None:
        deadline = time.monotonic() + PATIENCE
        while not there("\n".join(self._screen.display)):
            self._pump(0.1)
            if time.monotonic() > deadline:
                raise SystemExit("the fleet did not come up:\n" + "\n".join(self._screen.display))

    def settle(self) -> None:
        """Read until nothing has come for a while."""
        while self._pump(0.4):
            pass

    def close(self) -> None:
        os.kill(self._pid, signal.SIGTERM)
        os.waitpid(self._pid, 0)
        os.close(self._fd)

    def _pump(self, wait: float) -> bool:
        if not select.select([self._fd], [], [], wait)[0]:
            return False
        data = os.read(self._fd, 65536)
        self._read_at = time.perf_counter()
        self._stream.feed(data)
        return True


if __name__ == "__main__":
    main()
