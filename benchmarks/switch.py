"""A switch in the daemon against the bare minimum of the same machine, and the whole command against that.

Run: python -m benchmarks.switch [--rounds N]. Makes a demo box in a temporary folder. Rounds are interleaved; a
ratio is the median over rounds of (ours / bare in that round).

* cached archive: verify and unpack from local disk, swap, stop, spawn, wait for the socket to answer.
* installed version: swap, stop, spawn, wait.
The supervisor's share is the time between asking for the stop and having the new process.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from backends.client.blocking import call_box, run_operation
from backends.client.locate import Where
from hero_tui.demo import prepare

SERVICE = "hero_slides"
BRANCHES = ("development_mik", "development")
SWITCH = "slot.switch"

SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
"""Python 3.11.2, which Debian 12 has, knows no filters yet."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="hb", dir="/tmp") as folder:
        where = Where(prepare(Path(folder) / "box", reset=False).box, "alice")
        try:
            _measure(where, Path(folder) / "bare", rounds)
        finally:
            call_box(where, "box.down", {"services": True})


def _measure(where: Where, bare: Path, rounds: int) -> None:
    archives = _archives(where)
    cold, cold_bare, share, warm, warm_bare, whole, whole_extra = ([] for _ in range(7))
    process = None
    for number in range(rounds + 1):
        branch = BRANCHES[number % 2]
        _forget_installed(where)
        process, cold_base = _bare_switch(bare, archives[branch], process, unpack=True)
        ours, supervised = _switch(where, branch)
        process, warm_base = _bare_switch(bare, archives[branch], process, unpack=False)
        back, _ = _switch(where, BRANCHES[(number + 1) % 2])
        again, _ = _switch(where, branch)
        began = time.perf_counter()
        _command(where, BRANCHES[(number + 1) % 2])
        command = time.perf_counter() - began
        _switch(where, branch)
        if number == 0:
            continue  # the first fills caches of the machine
        cold.append(ours / cold_base)
        cold_bare.append(cold_base)
        share.append(supervised)
        warm.append(statistics.mean((back, again)) / warm_base)
        warm_bare.append(warm_base)
        whole.append(command)
        whole_extra.append(command - warm_base)
    _stop(process)
    _print("cached archive", cold, cold_bare, share)
    _print("installed version", warm, warm_bare, None)
    print(
        f"whole command hero_dev switch: {statistics.median(whole) * 1000:.0f} ms, "
        f"{statistics.median(whole_extra) * 1000:.0f} ms above the bare minimum (bar: 250)"
    )


def _print(name: str, ratios: list[float], bare: list[float], share: list[float] | None) -> None:
    line = f"{name:<18} bare {statistics.median(bare) * 1000:5.0f} ms   ratio {statistics.median(ratios):.2f}"
    extra = f"   supervisor's share {statistics.median(share) * 1000:.0f} ms" if share else ""
    print(f"{line} (bar: 1.5; worst {max(ratios):.2f}){extra}")


def _switch(where: Where, branch: str) -> tuple[float, float]:
    """Seconds in the daemon, and of them from `restart` to `health check`: the supervisor's."""
    seen: list[tuple[float, str]] = []
    ended = run_operation(
        where,
        SWITCH,
        {"service": SERVICE, "branch": branch, "from": "release"},
        lambda one: seen.append((time.perf_counter(), one["phase"])),
    )
    if ended["state"] != "succeeded" or ended["result"].get("nothing_to_do"):
        raise SystemExit(f"the switch did not run: {ended}")
    phases = {phase: when for when, phase in reversed(seen)}
    # A phase that was over before we listened is not told.
    return _seconds(ended), phases.get("health check", 0.0) - phases.get(
        "restart", phases.get("health check", 0.0)
    )


def _seconds(ended: dict[str, Any]) -> float:
    begin, end = (datetime.fromisoformat(ended[key]) for key in ("started_at", "finished_at"))
    return (end - begin).total_seconds()


def _command(where: Where, branch: str) -> None:
    program = Path(sys.executable).parent / "hero_dev"
    argv = [str(program), "--box", str(where.box.root), "--slot", "alice", "-q", "switch", SERVICE, branch]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def _archives(where: Where) -> dict[str, Path]:
    """The archive of each branch, switched to once so that it is in the cache."""
    found = {}
    for branch in BRANCHES:
        ended = run_operation(
            where, SWITCH, {"service": SERVICE, "branch": branch, "from": "release"}, lambda _: None
        )
        tag = ended["result"]["tag"]
        (release,) = (where.box.forge / "lhumina_code").glob(f"{SERVICE}.releases/*{tag[-8:]}*/assets/*.tar.gz")
        found[branch] = release
    return found


def _forget_installed(where: Where) -> None:
    """Let the next switch unpack: its versions are moved aside (removing slows ext4 for what follows)."""
    opt = where.slot().opt / SERVICE
    aside = Path(tempfile.mkdtemp(prefix="aside", dir=where.box.root))
    running = (where.slot().bin / SERVICE).resolve().name
    for version in opt.iterdir():
        if not version.name.startswith(".") and version.name != running:
            shutil.move(version, aside / version.name)


def _bare_switch(
    bare: Path, archive: Path, process: subprocess.Popen[bytes] | None, *, unpack: bool
) -> tuple[subprocess.Popen[bytes], float]:
    """What no switch can do without; the second kind finds the version unpacked already."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    folder = bare / digest[:8]
    if unpack and folder.exists():
        folder.rename(bare / f"old-{time.monotonic_ns()}")
    bare.mkdir(exist_ok=True)
    began = time.perf_counter()
    if unpack:
        with archive.open("rb") as file:
            hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:gz") as tar:
                tar.extractall(folder.with_suffix(".tmp"), **SAFELY)
        folder.with_suffix(".tmp").rename(folder)
    link = bare / "current.tmp"
    link.symlink_to(folder.name)
    link.replace(bare / "current")
    _stop(process)
    path = bare / "web.sock"
    path.unlink(missing_ok=True)
    with (bare / "log").open("ab") as log:
        started = subprocess.Popen(
            [bare / "current" / "bin" / SERVICE, "--socket", path], stdout=log, stderr=log, start_new_session=True
        )
    _wait(path)
    return started, time.perf_counter() - began


def _wait(path: Path) -> None:
    while True:
        with socket.socket(socket.AF_UNIX) as asking:
            try:
                asking.connect(os.fspath(path))
                asking.sendall(b"GET /health HTTP/1.1\r\n\r\n")
                if asking.recv(64).split()[1] == b"200":
                    return
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.001)


def _stop(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
