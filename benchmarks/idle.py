"""What 20 slots of 12 services cost while nothing happens: CPU of all daemons together, memory of a slot's daemon.

Run: python -m benchmarks.idle [--slots N] [--services N] [--seconds S]. Makes the box in a temporary folder.
The baseline of the same run is a bare asyncio process that sleeps.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psutil

from backends.client.blocking import call_box, run_operation
from backends.client.locate import Where
from backends.forge.folder import FolderForge
from backends.model.boxfile import render_boxfile
from backends.model.paths import BoxPaths
from hero_tui.demo_box.catalogue import TRUNK, Commit, DemoService
from hero_tui.demo_box.histories import write_files, write_service
from hero_tui.demo_box.releases import publish_releases
from hero_tui.verbs.box import bring_up

TEAM_REPO = "lhumina_code/hero_team"
SLEEPER = "import asyncio; asyncio.run(asyncio.sleep(3600))"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Idle cost of a large rootless box.")
    parser.add_argument("--slots", type=int, default=20)
    parser.add_argument("--services", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hb", dir="/tmp") as folder:
        where = Where(BoxPaths(Path(folder) / "box"))
        users = [f"user{number:02}" for number in range(arguments.slots - 1)] + ["integration"]
        names = [f"svc_{number:02}" for number in range(arguments.services)]
        asyncio.run(_make(where.box, users, names))
        bring_up(where, print).close()
        try:
            _start(where, users)
            _measure(where, arguments.seconds)
        finally:
            call_box(where, "box.down", {"services": True})


def _start(where: Where, users: list[str]) -> None:
    def one(user: str) -> None:
        ended = run_operation(Where(where.box, user), "slot.start", {}, lambda _: None)
        if ended["state"] != "succeeded":
            raise SystemExit(f"{user}: {ended['error']}")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, users))


def _measure(where: Where, seconds: float) -> None:
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEPER])
    try:
        time.sleep(15.0)  # what follows a start (flushing, first looks) is not idling
        kinds = {kind: _processes(where, kind) for kind in ("slotd", "boxd", "supervisord_main")}
        kinds["asyncio sleeper"] = [psutil.Process(sleeper.pid)]
        before = {kind: _cpu(processes) for kind, processes in kinds.items()}
        time.sleep(seconds)
        total = 0.0
        for kind, processes in kinds.items():
            used = (_cpu(processes) - before[kind]) / seconds * 100
            total += used if kind != "asyncio sleeper" else 0.0
            sizes = sorted(one.memory_full_info().pss / 2**20 for one in processes)
            cost = f"{used:6.3f} % of a core   {sizes[-1]:5.1f} MiB PSS each"
            print(f"{kind:<18} {len(processes):>3} processes   {cost}")
        print(f"all daemons together: {total:.2f} % of one core (bar: 1)")
    finally:
        sleeper.kill()
        sleeper.wait()


def _processes(where: Where, kind: str) -> list[psutil.Process]:
    root = str(where.box.root)
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = one.cmdline()
            if any(kind in word for word in words) and any(root in word for word in words):
                found.append(one)
    return found


def _cpu(processes: list[psutil.Process]) -> float:
    """Seconds of CPU that `processes` have used, to the nanosecond (schedstat; ticks would round it away)."""
    total = 0
    for one in processes:
        for task in Path(f"/proc/{one.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


async def _make(box: BoxPaths, users: list[str], names: list[str]) -> None:
    forge = FolderForge(box.forge)
    commit = Commit("alice", "Begin", '{"ok": True}', release=True, breaks="\nEVERY = 3600.0\n")
    for name in names:
        service = DemoService(name, name.replace("_", "-"), True, "A service.", '"INFO", f"{beat()}"', (commit,))
        made = await write_service(await forge.create_repository(service.repo), service, int(time.time()))
        await publish_releases(box, service, made)
    files = _team(users, names)
    await write_files(await forge.create_repository(TEAM_REPO), files, "The team", int(time.time()))
    bindings = "".join(f'\n[[bind]]\nservice = "{name}"\nbranch = "{TRUNK}"\nfrom = "release"\n' for name in names)
    for user in users:
        manifest = box.slot(user).manifest
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(f"schema = 1\n{bindings}")
    box.config.write_text(render_boxfile("idle", datetime.now(UTC), TEAM_REPO))


def _team(users: list[str], names: list[str]) -> dict[str, str]:
    services = "".join(
        f'[[service]]\nname = "{name}"\nrepo = "lhumina_code/{name}"\nshort = "{name.replace("_", "-")}"\n'
        for name in names
    )
    files = {
        "team.toml": 'schema = 1\nname = "Idle"\nbox = "idle"\n[forge]\nkind = "folder"\n',
        "services.toml": f"schema = 1\n{services}",
        "manifest_templates/developer.toml": "schema = 1\n",
    }
    files |= {f"users/{user}.toml": f'schema = 1\nfull_name = "{user}"\nrole = "developer"\n' for user in users}
    return files


if __name__ == "__main__":
    main()
