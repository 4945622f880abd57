"""The cockpit at a terminal, on a box of make-believe: how benchmarks open it, and where its cursor is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cockpit.fake_box import service, user
from benchmarks.cockpit.terminal import Program, program

ROOT = Path(__file__).resolve().parents[2]
TRIVIAL = (sys.executable, "-m", "benchmarks.cockpit.trivial")
_METERED = (sys.executable, "-m", "benchmarks.cockpit.metered")
SMALL = (10, 12)
LARGE = (1000, 50)
_CURSOR = "▌"


class Box:
    """A box of make-believe in a process of its own."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]):
        self.folder = folder
        self._process = process

    def tell(self, command: str) -> None:
        """A line of its command language, see `fake_box`."""
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()


@contextmanager
def fake_box(size: tuple[int, int]) -> Iterator[Box]:
    """The box while the block runs: so many slots, each with so many services."""
    with tempfile.TemporaryDirectory(prefix="hb", dir="/tmp") as folder:
        slots, services = size
        argv = [sys.executable, "-m", "benchmarks.cockpit.fake_box", folder]
        argv += ["--slots", str(slots), "--services", str(services)]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert process.stdout
            process.stdout.readline()
            yield Box(Path(folder), process)
        finally:
            process.kill()
            process.wait()


def environment(config: Path) -> dict[str, str]:
    """Nothing of the person who measures; without a resident server unless one is started."""
    return {
        "XDG_CONFIG_HOME": str(config),
        "XDG_RUNTIME_DIR": str(config),
        "XDG_CACHE_HOME": str(config),
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPATH": str(ROOT),
        "COLORTERM": "truecolor",
        "HERO_RESIDENT": "0",
    }


def argv(box: Box, *options: str, meter: Path | None = None) -> list[str]:
    """The command of the cockpit, or of one that tells into a file what its keys cost."""
    words = ["--box", str(box.folder), "--slot", user(0), *options]
    if meter is not None:
        return [*_METERED, str(meter), "hero_tui.cockpit", *words]
    installed = Path(sys.executable).parent / "hero_tui"
    start = [str(installed)] if os.access(installed, os.X_OK) else [sys.executable, "-m", "hero_tui.cockpit"]
    return [*start, *words]


@contextmanager
def cockpit(box: Box, *options: str, meter: Path | None = None) -> Iterator[Program]:
    """The cockpit with the fleet on its screen."""
    with program(argv(box, *options, meter=meter), environment(box.folder)) as made:
        made.meter = meter
        made.until(fleet_is_shown)
        made.settle()
        yield made


def fleet_is_shown(seen: Program) -> bool:
    """A user, a service, and what runs there."""
    text = seen.text
    return user(0) in text and service(0) in text and "development" in text


@contextmanager
def trivial(meter: Path | None = None) -> Iterator[Program]:
    """The trivial app."""
    argv = TRIVIAL if meter is None else [*_METERED, str(meter), "benchmarks.cockpit.trivial"]
    with program(argv, {"PYTHONPATH": str(ROOT)}) as made:
        made.meter = meter
        made.until(lambda seen: "key 0" in seen.text)
        made.settle()
        yield made


def counted(seen: Program) -> str:
    """What the trivial app's key changes."""
    return seen.lines[0][:12]


def cursor(seen: Program) -> tuple[int, int]:
    """Where the cockpit's cursor is."""
    for row, line in enumerate(seen.lines):
        if (column := line.find(_CURSOR)) >= 0:
            return row, column
    return -1, -1
