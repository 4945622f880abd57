"""A program on a real pty, its screen emulated: when what a person waits for is seen, and what it costs."""

from __future__ import annotations

import fcntl
import os
import pty
import queue
import select
import signal
import statistics
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

import pyte

COLUMNS, ROWS = 200, 50
PATIENCE = 60.0
_LAST_TOLD = 200
_TOGETHER = 0.004
"""Seconds between two reads of what belongs together."""
_MOST_CHUNKS = 200
_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_CLOCK = 2
"""With the complement of a process's number: the clock of its CPU time, see clock_getcpuclockid(3)."""


class Chunk(NamedTuple):
    """Bytes, when they were read, and what CPU the program had used by then, in seconds."""

    at: float
    cpu: float
    data: bytes


class Cost(NamedTuple):
    """Milliseconds of a key to its repaint: on the wall, and of the program's CPU, which others hardly stretch."""

    wall: float
    cpu: float


class Program:
    """One program at its terminal. Every method that waits raises SystemExit when it does so in vain."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str] | None = None):
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self.received = 0
        self.read_at = self.cpu_at = 0.0
        self.emulates = True
        self.meter: Path | None = None
        """Where a program tells what its keys cost, see `metered`; else that is looked at from here."""
        self.began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            clean = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR")}
            os.execvpe(argv[0], list(argv), {**clean, "TERM": "xterm-256color", **(environment or {})})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._read: queue.SimpleQueue[Chunk] = queue.SimpleQueue()
        self.takes = threading.Event()
        self.takes.set()
        sys.setswitchinterval(0.0005)
        self._ended = False
        self._reader = threading.Thread(target=self._keep_reading, daemon=True)
        self._reader.start()

    @property
    def lines(self) -> list[str]:
        """What is on the screen."""
        return list(self._screen.display)

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self._screen.display)

    def pump(self, seconds: float) -> bool:
        """Take in what comes within `seconds`, and what follows it at once; False for nothing.

        While `takes` is cleared, the terminal takes nothing.
        """
        chunks = self._collect(seconds)
        for chunk in chunks:
            self._show(chunk.data)
        return bool(chunks)

    def _collect(self, seconds: float) -> list[Chunk]:
        """What has been read, waiting for the first of it."""
        chunks: list[Chunk] = []
        with suppress(queue.Empty):
            while len(chunks) < _MOST_CHUNKS:
                chunks.append(self._read.get(timeout=_TOGETHER if chunks else max(0.0, seconds)))
                self.read_at, self.cpu_at = chunks[-1].at, chunks[-1].cpu
                self.received += len(chunks[-1].data)
        return chunks

    def _keep_reading(self) -> None:
        """In a thread: neither the program nor the clock may wait for the emulator, which is slow."""
        while not self._ended:
            self.takes.wait()
            try:
                if not select.select([self._fd], [], [], 0.05)[0]:
                    continue
                data = os.read(self._fd, 1 << 16)
            except (OSError, ValueError):
                return
            if not data:
                return
            self._read.put(Chunk(time.perf_counter(), self.cpu(), data))

    def _show(self, data: bytes) -> None:
        if self.emulates:
            self._stream.feed(data)

    def until(self, there: Callable[[Self], bool], patience: float = PATIENCE) -> float:
        """When the bytes were read after which `there` was true."""
        deadline, at = time.perf_counter() + patience, self.read_at
        while not there(self):
            chunks = self._collect(0.25)
            for place, (at, cpu, data) in enumerate(chunks):
                self._show(data)
                if there(self):
                    for rest in chunks[place + 1 :]:
                        self._show(rest.data)
                    self.cpu_at = cpu
                    return at
            if time.perf_counter() > deadline:
                raise SystemExit("It did not come; the screen:\n" + self.text)
        return at

    def settle(self, quiet: float = 0.3, patience: float = 10.0) -> None:
        """Read until nothing has come for so long."""
        deadline = time.perf_counter() + patience
        while self.pump(quiet) and time.perf_counter() < deadline:
            pass

    def watch(self, seconds: float) -> None:
        """Read on for so long."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self.pump(left)

    def send(self, keys: str) -> float:
        """Type; when that was."""
        at = time.perf_counter()
        os.write(self._fd, keys.encode())
        return at

    def key(self, keys: str, shows: Callable[[Self], object]) -> Cost:
        """From a key to the bytes after which `shows` answers something else."""
        before, used = shows(self), self.cpu()
        at = self.send(keys)
        shown = self.until(lambda program: shows(program) != before)
        cpu = self.cpu_at - used if self.meter is None else _told(self.meter, at, shown)
        return Cost((shown - at) * 1000, cpu * 1000)

    def cpu(self) -> float:
        """Seconds of CPU that the process has used, to the microsecond; 0 once it has ended."""
        try:
            return time.clock_gettime((~self.pid << 3) | _CPU_CLOCK)
        except OSError:
            return 0.0

    def cpu_seconds(self) -> float:
        """What the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def close(self) -> None:
        """End it and the terminal."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._ended = True
        self.takes.set()
        self._reader.join()  # or it would go on with the terminal of the next program, which gets this number
        os.close(self._fd)
        os.waitpid(self.pid, 0)


def _told(meter: Path, pressed: float, shown: float) -> float:
    """Seconds of CPU from a key that was read to the last piece that was sent before it was `shown`."""
    lines = [line.split() for line in meter.read_text().splitlines()[-_LAST_TOLD:]]
    told = [(what, float(wall), float(cpu)) for what, wall, cpu in lines if pressed <= float(wall) <= shown]
    read = next(cpu for what, _, cpu in told if what == "key")
    return [cpu for what, _, cpu in told if what == "sent"][-1] - read


@contextmanager
def program(argv: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[Program]:
    """The program while the block runs."""
    made = Program(argv, environment)
    try:
        yield made
    finally:
        made.close()


def memory(pid: int) -> float:
    """A process's proportional share of memory, MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def p50(sample: Sequence[float]) -> float:
    """The median."""
    return statistics.median(sample)


def p95(sample: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(sample, n=20)[18] if len(sample) > 1 else sample[0]


def load_told() -> str:
    """How busy the machine is besides: figures of a busy one are to be read with care."""
    return f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
