"""A log of 1 GB and 10 million lines: its end on the screen, a rare string found, memory; 20,000 lines/s followed.

Run: python -m benchmarks.cockpit.logs [--lines N] [--rounds N]. The baseline of the search is `grep -F -c` on the
same file in the same round, that of memory and start the same cockpit with a log of fifty lines. The file lies in
the page cache: it is read once before.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from backends.model.paths import BoxPaths
from benchmarks.cockpit.fake_box import service, user
from benchmarks.cockpit.scene import SMALL, Box, argv, environment, fake_box, fleet_is_shown
from benchmarks.cockpit.terminal import PATIENCE, Program, load_told, memory, p50, p95

RARE = "checksum mismatch"
WIDTH = 100
"""Bytes of a line."""
RATE = 20_000
_BATCH_SECONDS = 0.01
_NUMBER = re.compile(r"\bn=(\d+)")


@dataclass
class Figures:
    """What one kind of log came to, a value a round: milliseconds, seconds, MB."""

    start: list[float] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)


class Raw(Program):
    """A program of which the bytes are looked at: to emulate a screen that changes all the time takes too long."""

    emulates = True

    def pump(self, seconds: float) -> bool:
        """See `Program`; `fresh` is what came."""
        if self.emulates:
            return super().pump(seconds)
        self.fresh = b"".join(chunk.data for chunk in self._collect(seconds))
        return bool(self.fresh)

    def bytes_until(self, wanted: bytes) -> float:
        """When bytes with `wanted` in them were read."""
        deadline = time.perf_counter() + PATIENCE
        kept = b""
        while wanted not in kept:
            self.pump(0.25)
            kept = kept[-len(wanted) :] + self.fresh
            if time.perf_counter() > deadline:
                raise SystemExit(f"{wanted!r} did not come")
        return self.read_at

    def newest(self) -> int:
        """The greatest number of a line in the next screenful of bytes."""
        kept = b""
        while len(kept) < 1 << 16 and self.pump(0.3):
            kept += self.fresh
        return max((int(found) for found in re.findall(rb"n=(\d{8})", kept)), default=0)


def write_log(path: Path, lines: int) -> None:
    """So many numbered lines of WIDTH bytes; the rare string once, at an eighth; an error now and then."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime())
    with path.open("w", buffering=1 << 20) as out:
        for number in range(lines):
            level = "ERROR" if number % 250_000 == 77 else "INFO"
            rare = RARE if number == lines // 8 else ""
            text = f"{stamp}{number // 1000 % 60:02d}.{number % 1000:03d}Z {level:5} n={number:08d} {rare}"
            out.write(
                f"{text} path=/api/v1/{number * 2654435761 % 2**32:x} status=200".ljust(WIDTH - 1)[: WIDTH - 1]
                + "\n"
            )


def numbers(seen: Program) -> list[int]:
    """The numbers of the lines on the screen."""
    return [int(found[1]) for line in seen.lines if (found := _NUMBER.search(line))]


@contextmanager
def opened(box: Box, *options: str) -> Iterator[Raw]:
    """The cockpit with the logs of the first service."""
    link = ("--screen", "logs", "--service", service(0), *options)
    seen = Raw(argv(box, *link), environment(box.folder))
    try:
        yield seen
    finally:
        seen.close()


def place_of_log(box: Box) -> Path:
    """Where the cockpit looks for the log of the first service."""
    path = BoxPaths(box.folder).slot(user(0)).service_log(service(0))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def look(box: Box, log: Path, lines: int, figures: Figures) -> None:
    """One round with one log: start, open again from the fleet, search, count, memory."""
    place = place_of_log(box)
    place.unlink(missing_ok=True)
    place.symlink_to(log)
    with opened(box) as seen:
        figures.start.append((seen.until(lambda one: lines - 1 in numbers(one)) - seen.began) * 1000)
        seen.settle()
        seen.send("q")
        seen.until(lambda one: "development" in one.text)
        seen.settle()
        at = seen.send("3")
        figures.opened.append((seen.until(lambda one: lines - 1 in numbers(one)) - at) * 1000)
        at = seen.send(f"/{RARE}\r")
        seen.until(lambda one: numbers(one) == [lines // 8])
        figures.found.append(seen.read_at - at)
        seen.until(lambda one: "1 match " in one.text and "looked at" not in one.text)
        figures.whole.append(seen.read_at - at)
        seen.send("\x1b")
        seen.until(lambda one: f"{lines:,} lines " in one.text)
        seen.settle(1.0)
        figures.memory.append(memory(seen.pid))


def grep(log: Path) -> float:
    """Seconds that `grep -F -c` takes for the rare string."""
    before = time.perf_counter()
    subprocess.run(
        ["grep", "-F", "-c", RARE, str(log)], check=True, capture_output=True
    )  # to /dev/null it would stop at the first
    return time.perf_counter() - before


def following(box: Box, keys: int) -> tuple[list[float], list[float], float]:
    """While a file is written to: milliseconds of keys, lines behind the writer, share of a core."""
    place = place_of_log(box)
    place.unlink(missing_ok=True)
    place.write_text("n=00000000 begin\n")
    writer = subprocess.Popen([sys.executable, "-m", "benchmarks.cockpit.logs", "--write", str(place)])
    try:
        with opened(box) as seen:
            seen.until(lambda one: len(numbers(one)) > 20)
            seen.emulates = False
            seen.watch(2.0)
            behind = []
            for _ in range(keys // 4):
                newest = seen.newest()
                behind.append(float(place.stat().st_size // WIDTH - newest))
            before, used = time.perf_counter(), seen.cpu_seconds()
            seen.watch(3.0)
            share = (seen.cpu_seconds() - used) / (time.perf_counter() - before)
            return _keys(seen, keys), behind, share
    finally:
        writer.kill()
        writer.wait()


def streaming(box: Box, keys: int) -> tuple[list[float], float]:
    """While so many lines a second come from a daemon: milliseconds of keys, share of a core."""
    with opened(box) as seen:
        seen.until(lambda one: "following" in one.text)
        seen.send("q")
        seen.until(fleet_is_shown)
        seen.settle()
        seen.send("j")
        seen.settle()
        seen.send("3")
        seen.until(lambda one: "answered in" in one.text)
        box.tell(f"lines {RATE}")
        seen.emulates = False
        seen.watch(2.0)
        before, used = time.perf_counter(), seen.cpu_seconds()
        seen.watch(3.0)
        share = (seen.cpu_seconds() - used) / (time.perf_counter() - before)
        times = _keys(seen, keys)
        box.tell("quiet")
        return times, share


def _keys(seen: Raw, count: int) -> list[float]:
    """Milliseconds from a key that shows the times of the lines to its word in the status line.

    The bytes are looked at as they come; each screenful has that line.
    """
    times = []
    for _ in range(count):
        seen.watch(random.uniform(0.06, 0.2))
        at = seen.send("t")
        times.append((seen.bytes_until(b" times ") - at) * 1000)
        seen.send("t")
        seen.watch(0.2)
    return times


def write_on(path: Path) -> None:
    """Append RATE lines a second until it is ended; time that is lost is made up for."""
    began, done = time.monotonic(), 0
    with path.open("ab", buffering=0) as out:
        while True:
            due = int((time.monotonic() - began) * RATE)
            text = "".join(
                f"n={number:08d} {'request answered in 3 ms'.ljust(WIDTH - 12)}\n" for number in range(done, due)
            )
            out.write(text.encode())
            done = due
            time.sleep(_BATCH_SECONDS)


def main() -> None:
    """Print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write_on(asked.write)
    with tempfile.TemporaryDirectory(prefix="hero-logs-") as folder, fake_box(SMALL) as box:
        small, big = Path(folder) / "small.log", Path(folder) / "big.log"
        write_log(small, 50)
        write_log(big, asked.lines)
        base, figures, greps = Figures(), Figures(), []
        for _ in range(asked.rounds):
            greps.append(grep(big))
            look(box, small, 50, base)
            look(box, big, asked.lines, figures)
            greps.append(grep(big))
        _print(big.stat().st_size, base, figures, greps)
        times, behind, share = following(box, asked.keys)
        print(f"following a file, {RATE:,} lines/s: key p50 {p50(times):.1f} p95 {p95(times):.1f} ms (bar 30)")
        print(f"  lines behind the writer: p50 {p50(behind):,.0f} p95 {p95(behind):,.0f} (1,000 are 50 ms)")
        print(f"  of a core: {share:.0%}")
        times, share = streaming(box, asked.keys)
        print(f"following a daemon, {RATE:,} lines/s: key p50 {p50(times):.1f} p95 {p95(times):.1f} ms (bar 30)")
        print(f"  of a core: {share:.0%}")
    print(load_told())


def _print(size: int, base: Figures, figures: Figures, greps: list[float]) -> None:
    print(f"{size / 1e9:.2f} GB; medians; in brackets the same with a small log")
    print(f"end on screen, from the key  {p50(figures.opened):7.0f} ms [{p50(base.opened):.0f}] (bar 200)")
    more = p50(figures.start) - p50(base.start)
    print(f"start to the end on screen   {p50(figures.start):7.0f} ms [{p50(base.start):.0f}], {more:+.0f} ms")
    found, line = p50(figures.whole), p50(greps)
    least = p50(base.whole)
    ratio = f"{found / line:.2f} x (bar 1.5)"
    print(f"rare string, all looked at   {found:7.2f} s [{least:.2f}], grep -F -c {line:.2f} s: {ratio}")
    print(f"  its line on the screen     {p50(figures.found):7.2f} s")
    whole, small = p50(figures.memory), p50(base.memory)
    print(f"memory, all counted          {whole:7.0f} MB [{small:.0f}], {whole - small:+.0f} (bar +100)")


if __name__ == "__main__":
    main()
