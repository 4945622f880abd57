"""What a reconcile costs with 200 users: with nothing to do, and with one new user among them.

Run as root where machines can be booted: HERO_TEST_LAB=build python -m benchmarks.reconcile [--users N].
The baselines of the same run are a `git ls-remote` of the team repo, which any look at it needs, and bare groupadd
and useradd.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.acceptance.real_box import make_keys
from tests.acceptance.test_team_sync import FORGE, INSTALL, ROOT, TEAM, UNIT, Synced
from tests.lab import requirements
from tests.lab.labs import open_lab
from tests.lab.machine import Machine

_TIMED = 'a=$(date +%s%N); "$@" >/dev/null; b=$(date +%s%N); echo $(( (b - a) / 1000 ))'


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="A reconcile of many users.")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--times", type=int, default=10)
    arguments = parser.parse_args()
    if reason := requirements.why_not():
        sys.exit(reason)
    with open_lab() as lab, tempfile.TemporaryDirectory() as keys:
        machine = lab.machine("bench", binds=[(ROOT, "/srv/hero")])
        machine.run(["sh", "-euc", INSTALL], timeout=300)
        make_keys(Path(keys), "user")
        _measure(Synced(machine, Path(keys)), arguments.users, arguments.times)


def _measure(box: Synced, users: int, times: int) -> None:
    machine = box.machine
    names = [f"user{number:03}" for number in range(users)]
    box.push({"team.toml": TEAM})
    _add(box, names)
    machine.write("/etc/systemd/system/hero_team_sync.service", UNIT)
    began = time.monotonic()
    machine.run(["systemctl", "start", "hero_team_sync"], timeout=60)
    machine.wait(lambda: box.dev("status")["last"], "the first run", timeout=1800)
    print(f"first run, {users} users: {time.monotonic() - began:.1f} s")
    nothing = [box.dev("apply")["seconds"] for _ in range(times)]
    asked = [_seconds(machine, "git", "ls-remote", FORGE, "HEAD") for _ in range(times)]
    _print(f"nothing to do, {users} users", statistics.median(nothing), "git ls-remote", statistics.median(asked))
    print(f"  worst {max(nothing) * 1000:.0f} ms; to reach: 1 s")
    bare = _seconds(machine, "groupadd", "bare") + _seconds(machine, "useradd", "-g", "bare", "-M", "bare")
    _add(box, ["zora"])
    run = box.dev("apply")
    assert {one["user"] for one in run["actions"]} == {"zora"}
    _print(f"one new user among {users}", run["seconds"], "groupadd and useradd", bare)
    print(f"  {run['seconds'] - bare:.2f} s besides them; to reach: 5 s")


def _add(box: Synced, names: list[str]) -> None:
    """Files for `names`, pushed at once."""
    text = (box.keys / "user.pub").read_text().strip()
    file = f'schema = 1\nfull_name = "User"\nrole = "developer"\nssh_keys = ["{text}"]\n'
    box.machine.write("/srv/user.toml", file)
    copies = "for name; do cp /srv/user.toml /srv/team/users/$name.toml; done"
    box.machine.run(["sh", "-euc", copies, "sh", *names])
    box.push({})


def _seconds(machine: Machine, *argv: str) -> float:
    return int(machine.run(["sh", "-c", _TIMED, "sh", *argv]).stdout) / 1_000_000


def _print(what: str, seconds: float, baseline: str, bare: float) -> None:
    print(f"{what}: {seconds * 1000:.0f} ms, {seconds / bare:.1f} × {baseline} ({bare * 1000:.0f} ms)")


if __name__ == "__main__":
    main()
