"""CPU of the cockpit while nothing happens, and while fifty cells change ten times a second.

Run: python -m benchmarks.cockpit.idle [--seconds N]. The baseline is the trivial app that does nothing.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.cockpit.scene import SMALL, cockpit, fake_box, trivial
from benchmarks.cockpit.terminal import Program, load_told


def main() -> None:
    """Print shares of one core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    with fake_box(SMALL) as box, cockpit(box) as seen, trivial() as base:
        quiet, least = _share(seen, seconds), _share(base, seconds)
        box.tell("cadence 10 50")
        seen.watch(1.0)
        busy = _share(seen, seconds)
    print(f"trivial app, idle        {least:6.2%}")
    print(f"cockpit, idle            {quiet:6.2%}  (bar 0.5 %)")
    print(f"cockpit, 10 Hz x 50      {busy:6.2%}  (bar 10 %)")
    print(load_told())


def _share(seen: Program, seconds: float) -> float:
    seen.settle(0.5, 3.0)
    seen.emulates = False
    began, used = time.perf_counter(), seen.cpu_seconds()
    seen.watch(seconds)
    share = (seen.cpu_seconds() - used) / (time.perf_counter() - began)
    seen.emulates = True
    return share


if __name__ == "__main__":
    main()
