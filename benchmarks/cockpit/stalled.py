"""A terminal that takes nothing for three seconds while cells change and keys come: how long the loop halts.

Run: python -m benchmarks.cockpit.stalled. Against the same cockpit without our driver. Afterwards the screen is
compared with that of a cockpit which has just been opened: nothing may be lost.
"""

from __future__ import annotations

import sys
import time

from benchmarks.cockpit.scene import Box, argv, environment, fake_box, fleet_is_shown
from benchmarks.cockpit.terminal import COLUMNS, Program, load_told, program

SIZE = (16, 12)
STALL_SECONDS = 3.0
KEYS_A_SECOND = 20
_GRID = slice(1, SIZE[0] + 2)
_WIDE = slice(0, COLUMNS * 2 // 3)


def main() -> None:
    """Print both lags."""
    ours, lost = _lag([])
    stock, _ = _lag(["--stock"])
    ratio = f"{ours / stock:.3f} x"
    print(f"longest halt of the loop: {ours:.0f} ms (bar 100); without our driver {stock:.0f} ms; {ratio}")
    print("nothing was lost" if not lost else f"LOST: {lost}")
    print(load_told())


def _lag(options: list[str]) -> tuple[float, list[str]]:
    with fake_box(SIZE) as box:
        file = box.folder / "lag"
        words = argv(box)[argv(box).index("--box") :]
        with program([sys.executable, "-m", "benchmarks.cockpit.lagging", str(file), *options, *words],
                     environment(box.folder)) as seen:  # fmt: skip
            seen.until(fleet_is_shown)
            seen.watch(2.0)
            box.tell("cadence 20 50")
            seen.watch(1.0)
            file.write_text("0")
            seen.takes.clear()
            for number in range(int(STALL_SECONDS * KEYS_A_SECOND)):
                seen.send("k" if number % 2 else "j")
                time.sleep(1 / KEYS_A_SECOND)
            seen.takes.set()
            box.tell("quiet")
            seen.settle(0.5, 20.0)
            seen.watch(2.0)
            return float(file.read_text()), _differences(box, seen)


def _differences(box: Box, seen: Program) -> list[str]:
    """Lines of the grid that a new cockpit shows otherwise."""
    with program(argv(box), environment(box.folder)) as fresh:
        fresh.until(fleet_is_shown)
        fresh.watch(2.0)
        pairs = zip(seen.lines[_GRID], fresh.lines[_GRID], strict=True)
        return [
            f"{one[_WIDE].rstrip()} | {other[_WIDE].rstrip()}"
            for one, other in pairs
            if one[_WIDE] != other[_WIDE]
        ]


if __name__ == "__main__":
    main()
