"""`hero_dev rebuild` of a small edit against the same build command and a spawn by hand.

Run: python -m benchmarks.rebuild [--rounds N] [--functions N]. Needs a C compiler. Makes a small box with a C
service, of which an edit compiles one file: ten seconds of it, next to nothing with --functions 0.
Rounds are interleaved; by hand means: edit, `make`, stop the old process, spawn the new one, wait for its socket
to answer.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from backends.forge.folder import FolderForge
from benchmarks.switch import _stop, _wait
from hero_tui.demo_box.histories import write_files
from tests.acceptance.small_box import SmallBox, small_box

SERVICE = "hero_c"
TRUNK = "development"
SOURCES = Path(__file__).parent.parent / "tests" / "acceptance" / "compiled" / "c"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--functions", type=int, default=1500, help="how much there is to compile")
    asked = parser.parse_args()
    with small_box() as box:
        asyncio.run(_add_service(box, asked.functions))
        box.start_slotd()
        box.done("slot.bind", {"service": SERVICE, "branch": TRUNK, "from": "build"})
        _measure(box, asked.rounds)


def _measure(box: SmallBox, rounds: int) -> None:
    ours, bare = [], []
    by_hand = box.root.parent / "by-hand"
    subprocess.run(["git", "clone", "-q", str(box.slot.worktree(SERVICE, TRUNK)), str(by_hand)], check=True)
    process = _by_hand(by_hand, None)
    for number in range(rounds):
        _edit(by_hand, number)
        began = time.perf_counter()
        process = _by_hand(by_hand, process)
        bare.append(time.perf_counter() - began)
        _edit(box.slot.worktree(SERVICE, TRUNK), number)
        began = time.perf_counter()
        _rebuild(box)
        ours.append(time.perf_counter() - began)
        if box.ask(SERVICE)["page"] != number + 100:
            raise SystemExit("the rebuilt service does not answer what was edited")
    _stop(process)
    over = [mine - base for mine, base in zip(ours, bare, strict=True)]
    ratio = [mine / base for mine, base in zip(ours, bare, strict=True)]
    print(
        f"rebuild            by hand {statistics.median(bare):.2f} s   hero_dev {statistics.median(ours):.2f} s   "
        f"over it {statistics.median(over) * 1000:.0f} ms (bar: 500)   "
        f"ratio {statistics.median(ratio):.3f} (bar: 1.05; worst {max(ratio):.3f})"
    )


async def _add_service(box: SmallBox, functions: int) -> None:
    files = {
        path.relative_to(SOURCES).as_posix(): path.read_text(encoding="utf-8")
        for path in SOURCES.rglob("*")
        if path.is_file() and "out" not in path.relative_to(SOURCES).parts
    }
    files["src/main.c"] += "".join(_function(number) for number in range(functions))
    repo = f"lhumina_code/{SERVICE}"
    bare = await FolderForge(box.where.box.forge).create_repository(repo)
    await write_files(bare, files, "Begin", int(time.time()) - 3600)
    catalogue = box.where.box.team / "services.toml"
    entry = f'[[service]]\nname = "{SERVICE}"\nrepo = "{repo}"\nshort = "c"\n'
    catalogue.write_text(catalogue.read_text() + entry)


def _function(number: int) -> str:
    """Something that an optimizer thinks about."""
    return (
        f"\nint work_{number}(int n) {{\n    int sum = {number};\n"
        "    for (int i = 0; i < n; i++) sum = sum * 31 + (i % 7 == 3 ? i * i : i ^ sum);\n    return sum;\n}\n"
    )


def _edit(folder: Path, number: int) -> None:
    source = folder / "src" / "main.c"
    lines = source.read_text().splitlines(keepends=True)
    place = next(index for index, line in enumerate(lines) if "BODY = " in line)
    lines[place] = f'static const char *BODY = "{{\\"language\\": \\"c\\", \\"page\\": {number + 100}}}";\n'
    source.write_text("".join(lines))


def _by_hand(folder: Path, process: subprocess.Popen[bytes] | None) -> subprocess.Popen[bytes]:
    subprocess.run(["make", "out/hero_c"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    installed, path = folder.parent / "by-hand-binary", folder.parent / "by-hand.sock"
    _stop(process)
    shutil.copyfile(folder / "out" / "hero_c", installed)
    installed.chmod(0o755)
    path.unlink(missing_ok=True)
    started = subprocess.Popen([installed, "--socket", path], stdout=subprocess.DEVNULL, start_new_session=True)
    _wait(path)
    return started


def _rebuild(box: SmallBox) -> None:
    program = Path(sys.executable).parent / "hero_dev"
    argv = [str(program), "--box", str(box.root), "--slot", box.user, "-q", "rebuild", SERVICE]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
