"""Bytes to the terminal for one changed cell and for a hundred, against a whole frame of the same screen.

Run: python -m benchmarks.cockpit.cells [--rounds N]. `breaks` changes them so that half of them are broken then:
the list of faults and the status line are sent with them.
"""

from __future__ import annotations

import argparse
import statistics

from benchmarks.cockpit.scene import Box, cockpit, fake_box
from benchmarks.cockpit.terminal import Program

BARS = {1: 200, 100: 6000}
SIZE = (16, 12)


def main() -> None:
    """Print medians and the worst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    with fake_box(SIZE) as box, cockpit(box) as seen:
        whole = _whole(seen)
        for word in ("cells", "breaks"):
            for count, bar in BARS.items():
                sent = [_cost(box, seen, f"{word} {count}") for _ in range(rounds)]
                middle = statistics.median(sent)
                print(
                    f"{word} {count:4}: median {middle:6.0f} bytes, worst {max(sent)} (bar {bar}); "
                    f"{middle / whole:.4f} of a whole frame of {whole}"
                )


def _whole(seen: Program) -> int:
    """A whole frame: another screen and back."""
    seen.send("6")
    seen.until(lambda one: "Task 0" in one.text)
    seen.settle(1.0)
    before = seen.received
    seen.send("1")
    seen.until(lambda one: "Task 0" not in one.text)
    seen.settle(1.0)
    return seen.received - before


def _cost(box: Box, seen: Program, command: str) -> int:
    """Bytes until nothing comes any more, without what the screen sends of itself each second."""
    seen.settle(0.12, 3.0)
    before = seen.received
    box.tell(command)
    seen.watch(0.35)
    return seen.received - before


if __name__ == "__main__":
    main()
