"""A release of 100 MB from HTTP to a running service, against curl, sha256sum, tar and a spawn by hand.

Run: python -m benchmarks.download [--rounds N] [--megabytes N]. Serves a forge on loopback, builds and publishes
a service there, then installs it again and again with the box's cache emptied. Rounds are interleaved. Memory is
what the slot's daemon (its peak while it installs, from /proc) has above what it had at rest.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

from backends.forge.forgejo import Forgejo
from backends.forge.git import git
from backends.model.release import archive_name
from benchmarks.switch import _stop, _wait
from hero_tui.demo_box.catalogue import Commit, DemoService, app_source, description
from tests.acceptance.small_box import SmallBox
from tests.forgejo_server.server import ForgejoServer, running_server

SERVICE = "hero_big"
REPO = f"lhumina_code/{SERVICE}"
TRUNK = "development"
SOURCES = Path(__file__).parent.parent / "hero_tui" / "demo_box" / "sources" / "common"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=100)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="hb", dir="/tmp") as folder,
        running_server(Path(folder) / "server") as server,
    ):
        box = SmallBox(Path(folder) / "box", {})
        asyncio.run(_make(box, server, Path(folder) / "work", asked.megabytes))
        try:
            tag = box.done("slot.bind", {"service": SERVICE, "branch": TRUNK, "from": "build", "publish": True})[
                "tag"
            ]
            box.done("slot.switch", {"service": SERVICE, "branch": TRUNK, "from": "release"})
            _measure(box, server, tag, Path(folder) / "bare", asked.rounds)
        finally:
            box.call("slot.down", {"services": True})
            box.daemons[-1].wait()


async def _make(box: SmallBox, server: ForgejoServer, work: Path, megabytes: int) -> None:
    """A repository on the forge whose build makes something large, and a box of that forge with one slot."""
    token = server.world.account("alice")
    paths = box.where.box
    paths.forge_token.parent.mkdir(parents=True, mode=0o700)
    paths.forge_token.touch(mode=0o600)
    paths.forge_token.write_text(token)
    forge = Forgejo(server.url, token, token_file=paths.forge_token)
    server.world.organisations.add("lhumina_code")
    await forge.create_repository(REPO, private=False)
    _write_service(work, megabytes)
    for arguments in (
        ("init", "-q", f"--initial-branch={TRUNK}"),
        ("add", "."),
        ("-c", "user.name=A", "-c", "user.email=a@hero.example", "commit", "-qm", "Begin"),
    ):
        await git(*arguments, cwd=work)
    address = await forge.clone_url(REPO)
    await git("push", "-q", "--", address, TRUNK, cwd=work, env=forge.git_environment())
    await forge.aclose()
    paths.team.mkdir()
    service = f'[[service]]\nname = "{SERVICE}"\nrepo = "{REPO}"\nshort = "big"\n'
    (paths.team / "services.toml").write_text(f"schema = 1\n{service}")
    box.slot.manifest.parent.mkdir(parents=True)
    box.slot.manifest.write_text("schema = 1\n")
    created = datetime.now().astimezone().isoformat()
    paths.config.write_text(
        f'schema = 1\nname = "big"\ncreated = {created}\n[forge]\nkind = "forgejo"\nurl = "{server.url}"\n'
    )
    box.start_slotd()


def _write_service(work: Path, megabytes: int) -> None:
    one = DemoService(
        SERVICE, "big", False, "Large.", '"INFO", "beat"', (Commit("alice", "Begin", '{"page": 1}'),)
    )
    work.mkdir()
    for name in ("server.py", "build.py"):
        shutil.copyfile(SOURCES / name, work / name)
    (work / "app.py").write_text(app_source(one, one.trunk[0]))
    (work / ".gitignore").write_text("dist/\n")
    text = description(one).replace('"python3 build.py"', f'"python3 build.py && {_blob(megabytes)}"')
    (work / "hero_service.toml").write_text(
        text.replace(f'["dist/{SERVICE}"]', f'["dist/{SERVICE}", "dist/blob"]').replace("2m", "10m")
    )


def _blob(megabytes: int) -> str:
    """A command that writes what no compression makes smaller, the same each time."""
    seeded = f"import random; r = random.Random(1); [f.write(r.randbytes(1 << 20)) for _ in range({megabytes})]"
    return f"python3 -c \\\"f = open('dist/blob', 'wb'); {seeded}\\\""


def _measure(box: SmallBox, server: ForgejoServer, tag: str, bare: Path, rounds: int) -> None:
    name = archive_name(SERVICE, "linux-any")
    address = f"{server.url}/{REPO}/releases/download/{tag}/{name}"
    digest = box.cell(SERVICE)["sha256"]
    bare.mkdir()
    pid = box.daemons[-1].pid
    rest = _memory(pid, "VmRSS")
    ours, by_hand, peaks = [], [], []
    process = None
    for number in range(rounds + 1):
        process, base = _by_hand(bare, address, digest, name, process)
        shutil.rmtree(box.where.box.cache, ignore_errors=True)
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        seconds = _install(box)
        if number == 0:
            continue  # the first fills caches of the machine
        peaks.append(_memory(pid, "VmHWM") - rest)
        ours.append(seconds)
        by_hand.append(base)
    _stop(process)
    ratios = [mine / base for mine, base in zip(ours, by_hand, strict=True)]
    print(
        f"download to running   by hand {statistics.median(by_hand):.2f} s   "
        f"ours {statistics.median(ours):.2f} s   "
        f"ratio {statistics.median(ratios):.2f} (bar: 1.25; worst {max(ratios):.2f})"
    )
    print(f"memory above rest     {max(peaks):.0f} MiB at most (bar: 30); at rest {rest:.0f} MiB")


def _install(box: SmallBox) -> float:
    began = time.perf_counter()
    box.done("slot.install", {"service": SERVICE, "reset": True})
    return time.perf_counter() - began


def _by_hand(
    bare: Path, address: str, digest: str, name: str, process: subprocess.Popen[bytes] | None
) -> tuple[subprocess.Popen[bytes], float]:
    fresh, path = bare / str(time.monotonic_ns()), bare / "web.sock"
    began = time.perf_counter()
    fresh.mkdir()
    subprocess.run(["curl", "-sSfo", name, address], cwd=fresh, check=True)
    subprocess.run(["sha256sum", "-c", "--quiet"], cwd=fresh, input=f"{digest}  {name}\n".encode(), check=True)
    subprocess.run(["tar", "xzf", name], cwd=fresh, check=True)
    _stop(process)
    path.unlink(missing_ok=True)
    with (bare / "log").open("ab") as log:
        started = subprocess.Popen(
            [fresh / "bin" / SERVICE, "--socket", path], stdout=log, stderr=log, start_new_session=True
        )
    _wait(path)
    return started, time.perf_counter() - began


def _memory(pid: int, field: str) -> float:
    """MiB of a process, by a field of /proc/PID/status."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
