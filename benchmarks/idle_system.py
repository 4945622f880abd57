"""What 50 slots of a system box cost while nothing happens: the CPU of all daemons together.

Run as root where machines can be booted, with HERO_TEST_LAB=build HERO_TEST_GITEA=build:
python -m benchmarks.idle_system [--slots N] [--seconds S]. The baseline of the same run is a bare asyncio process
that sleeps in the same machine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.acceptance.real_box import RealBox, make_keys, real_box, team_files, user
from tests.acceptance.team_forge import team_forge
from tests.lab import requirements
from tests.lab.labs import open_lab

SETTLE_SECONDS = 60.0
"""What follows a start (first looks, flushing) is not idling."""
KINDS = {
    "hero_slotd": "hero_tui[.]slotd",
    "hero_boxd": "hero_tui[.]boxd",
    "hero_team_sync": "hero_tui[.]team_syncd",
    "hero_aibroker": "hero_tui[.]aibrokerd",
    "Caddy": "^/usr/bin/caddy run",
    "asyncio sleeper": "asyncio[.]sleep",
}
SLEEPER = "import asyncio; asyncio.run(asyncio.sleep(3600))"
# Ticks of a hundredth of a second, of all processes whose command line matches, and how many those are.
TICKS = (
    "n=0; s=0; for p in $(pgrep -f \"$1\"); do t=$(awk '{print $14 + $15}' /proc/$p/stat 2>/dev/null) || continue;"
    ' [ -n "$t" ] && n=$((n + 1)) && s=$((s + t)); done; echo $n $s'
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Idle cost of a large system box.")
    parser.add_argument("--slots", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120.0)
    arguments = parser.parse_args()
    if reason := requirements.why_not():
        sys.exit(reason)
    with open_lab() as lab, tempfile.TemporaryDirectory() as folder:
        keys = make_keys(Path(folder), "alice", "bob", "carol")
        forge = team_forge(lab, {})
        files = team_files(keys, forge.url)
        files |= {f"users/user{n:02}.toml": user(f"User {n}") for n in range(arguments.slots - 4)}
        for path, text in files.items():
            forge.commit(path, text, f"Begin {path}")
        box = real_box(lab, forge, Path(folder))
        began = time.monotonic()
        box.bootstrap()
        names = [
            "integration",
            *(path[6:-5] for path in files if path.startswith("users/") and "integ" not in path),
        ]
        for name in names:
            box.wait(lambda name=name: box.healthy(name), f"{name}'s services", 600)  # type: ignore[misc]
        print(f"{len(names)} slots of 3 services, bootstrapped and healthy in {time.monotonic() - began:.0f} s")
        _measure(box, arguments.seconds)


def _measure(box: RealBox, seconds: float) -> None:
    box.machine.run(["systemd-run", "--quiet", "--unit=sleeper", "python3", "-c", SLEEPER])
    time.sleep(SETTLE_SECONDS)
    before = {kind: _ticks(box, pattern) for kind, pattern in KINDS.items()}
    time.sleep(seconds)
    total = 0.0
    for kind, pattern in KINDS.items():
        count, ticks = _ticks(box, pattern)
        used = (ticks - before[kind][1]) / seconds
        total += used if kind != "asyncio sleeper" else 0.0
        print(f"{kind:<18} {count:>3} processes   {used:6.3f} % of a core")
    print(f"{'all daemons':<18}               {total:6.3f} % of a core")


def _ticks(box: RealBox, pattern: str) -> tuple[int, int]:
    count, ticks = box.machine.run(["bash", "-c", TICKS, "bash", pattern]).stdout.split()
    return int(count), int(ticks)


if __name__ == "__main__":
    main()
