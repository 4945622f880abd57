"""Key to repaint in Fleet, Logs and Agents: on a small box, on a large one, and with events coming in.

Run: python -m benchmarks.cockpit.keys [--keys N] [--rounds N]. A key moves the cursor (in the logs, a line up or
down); its time is over when the bytes are read after which the cursor stands elsewhere. The trivial app's keys are
measured between, so that what else the machine does meets all alike. On a busy machine the CPU time tells more:
what the program itself did between reading the key and sending its repaint, for whatever reason.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cockpit.scene import LARGE, SMALL, Box, cockpit, counted, cursor, fake_box, trivial
from benchmarks.cockpit.terminal import Cost, Program, load_told, p50, p95, program

PLACES = ("fleet", "agents", "logs")
LOADS = {"fleet": "rate 1000", "agents": "agents 50", "logs": "rate 1000"}


@dataclass
class Sample:
    """One program in one state, and what its keys cost."""

    name: str
    seen: Program
    shows: Callable[[Program], object]
    keys: tuple[str, ...]
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    costs: list[Cost] = field(default_factory=list)

    @property
    def wall(self) -> list[float]:
        """Milliseconds on the wall."""
        return [one.wall for one in self.costs]

    @property
    def cpu(self) -> list[float]:
        """Milliseconds of the program's CPU."""
        return [one.cpu for one in self.costs]

    def measure(self, count: int) -> None:
        """Some keys, at no fixed distance."""
        self.before()
        self.seen.watch(0.5)
        for number in range(count):
            self.seen.watch(random.uniform(0.06, 0.2))
            self.costs.append(self.seen.key(self.keys[number % len(self.keys)], self.shows))
        self.after()
        self.seen.watch(0.3)


def main() -> None:
    """Print a line a sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--place", choices=PLACES, default="")
    asked = parser.parse_args()
    with ExitStack() as stack:
        boxes = {"small": stack.enter_context(fake_box(SMALL)), "large": stack.enter_context(fake_box(LARGE))}
        meters = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hero-meters-")))
        base = Sample("trivial app", stack.enter_context(trivial(meters / "trivial")), counted, ("a",))
        htop = _htop(stack)
        for place in (asked.place,) if asked.place else PLACES:
            with ExitStack() as opened:
                samples = _samples(opened, boxes, place, meters)
                base.costs.clear()
                for _ in range(asked.rounds):
                    for sample in (base, *samples, *htop):
                        sample.measure(asked.keys)
                _print(place, base, [*samples, *htop])
    print(load_told())


def _samples(opened: ExitStack, boxes: dict[str, Box], place: str, meters: Path) -> list[Sample]:
    made = []
    for name, box in boxes.items():
        seen = opened.enter_context(cockpit(box, meter=meters / f"{place}-{name}"))
        shows, keys = _go(seen, place)
        made.append(Sample(f"{name}, quiet", seen, shows, keys))

        def begin(box: Box = box) -> None:
            box.tell(LOADS[place])

        def end(box: Box = box) -> None:
            box.tell("quiet")

        made.append(Sample(f"{name}, {LOADS[place]}/s", seen, shows, keys, begin, end))
    return made


def _go(seen: Program, place: str) -> tuple[Callable[[Program], object], tuple[str, ...]]:
    """To the place; what a key changes there, and the keys."""
    if place == "fleet":
        return cursor, ("j", "j", "k", "k")
    if place == "agents":
        seen.send("6")
        seen.until(lambda one: "Task 0" in one.text)
        seen.settle()
        return cursor, ("j", "j", "k", "k")
    seen.send("j")
    seen.settle()
    seen.send("3")
    seen.until(lambda one: "answered in" in one.text)
    seen.settle()
    seen.send("k")
    seen.settle()
    return (lambda one: [line for line in one.lines if "answered in" in line][3]), ("k", "k", "j", "j")


def _htop(stack: ExitStack) -> list[Sample]:
    if not shutil.which("htop"):
        print("htop is not installed; it is left out")
        return []
    seen = stack.enter_context(program(["htop", "-d", "100"]))  # or it would repaint by itself
    seen.until(lambda one: "PID" in one.text)
    return [Sample("htop", seen, lambda one: one.received, ("\x1bOB", "\x1bOA"))]


def _print(place: str, base: Sample, samples: list[Sample]) -> None:
    quiet = samples[0]
    for one in (base, *samples):
        print(
            f"{place:6} {one.name:20} wall p50 {p50(one.wall):5.1f} p95 {p95(one.wall):5.1f}"
            f"  CPU p50 {p50(one.cpu):5.1f} p95 {p95(one.cpu):5.1f} ms"
            f"  p95 / trivial {p95(one.wall) / p95(base.wall):4.2f} (CPU {p95(one.cpu) / p95(base.cpu):4.2f})"
            f"  / small, quiet {p95(one.wall) / p95(quiet.wall):4.2f} (CPU {p95(one.cpu) / p95(quiet.cpu):4.2f})"
        )


if __name__ == "__main__":
    main()
