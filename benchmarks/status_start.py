"""How long `hero_dev status` takes as a whole process, against `python3 -c pass` and `git status`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from backends.client.locate import locate

BIN = Path(sys.executable).parent
TARGET = 6.0
"""Times `python3 -c pass` that `hero_dev status` may take."""


def main() -> None:
    """Measure, interleaved, and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--box", required=True, help="a running box")
    parser.add_argument("--slot", required=True)
    parser.add_argument("--worktree", type=Path, help="for git status (default: the slot's first worktree)")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    worktree = options.worktree or _first_worktree(options.box, options.slot)
    status = [str(BIN / "hero_dev"), "--box", options.box, "--slot", options.slot, "status"]
    commands = {
        "python3 -c pass": [sys.executable, "-c", "pass"],
        "git status": ["git", "-C", str(worktree), "status"],
        "hero_dev status": status,
        "hero_dev status --json": [*status, "--json"],
    }
    taken = _measure(commands, options.rounds)
    bare, git = taken["python3 -c pass"], taken["git status"]
    print(f"{'command':24}{'median ms':>10}{'× python':>10}{'× git':>8}")
    for name, seconds in taken.items():
        print(f"{name:24}{seconds * 1000:>10.1f}{seconds / bare:>10.2f}{seconds / git:>8.2f}")
    print(
        f"hero_dev status against python3 -c pass: {taken['hero_dev status'] / bare:.2f}, to reach: ≤ {TARGET:g}"
    )


def _first_worktree(box: str, slot: str) -> Path:
    found = sorted(locate(box, slot).slot().src.glob("*/*/.git"))
    if not found:
        sys.exit("This slot has no worktree; name one with --worktree.")
    return found[0].parent


def _measure(commands: dict[str, list[str]], rounds: int) -> dict[str, float]:
    """The median seconds of each command, each run once in every round."""
    # Compiled modules are kept, as they are wherever the programs are installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, argv in commands.items():
            begun = time.perf_counter()
            subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=environment)
            if number:
                taken[name].append(time.perf_counter() - begun)
    return {name: median(times) for name, times in taken.items()}


if __name__ == "__main__":
    main()
