"""What our supervisor adds to a bare kill, wait and spawn, and what it costs while nothing happens.

Both are measured in turn in the same run, so that the ratio means the same on any machine.
Run: `python -m benchmarks.supervisor_floor [--rounds N] [--services N] [--idle SECONDS]`
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

import psutil

from backends.supervisors.base import ProcessSpec
from backends.supervisors.supervisord import Supervisord
from backends.supervisors.supervisord_service import QUICK_EXIT

COMMAND = ("sleep", "100000")


def spawn(log: Path) -> subprocess.Popen[bytes]:
    """The bare minimum: exec with the output in a file."""
    with log.open("ab") as out:
        return subprocess.Popen(
            COMMAND, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, process_group=0
        )


def bare_restart(child: subprocess.Popen[bytes], log: Path) -> subprocess.Popen[bytes]:
    """Kill, wait, spawn."""
    os.killpg(child.pid, signal.SIGTERM)
    child.wait()
    return spawn(log)


async def killed_to_running(supervisor: Supervisord, name: str) -> float:
    """Seconds from a kill -9 to the news that the process runs again."""
    async with aclosing(supervisor.watch()) as states:  # type: ignore[type-var]
        killed = 0.0
        pid = None
        async for state in states:
            if state.name != name or state.state != "running":
                continue
            if killed and state.pid != pid:
                return time.perf_counter() - killed
            pid = state.pid
            assert pid is not None
            killed = time.perf_counter()
            os.kill(pid, signal.SIGKILL)
    raise RuntimeError("the watch ended")


def report(what: str, seconds: list[float]) -> None:
    """One line: median and the 95th percentile in milliseconds."""
    high = statistics.quantiles(seconds, n=20)[-1]
    print(f"{what:34} median {statistics.median(seconds) * 1000:7.2f} ms   p95 {high * 1000:7.2f} ms")


async def measure(folder: Path, runtime_dir: Path, rounds: int, services: int, idle: float) -> None:
    """Run everything and print it."""
    supervisor = Supervisord(folder / "supervisor", runtime_dir=runtime_dir)
    began = time.perf_counter()
    await supervisor.up()
    print(f"{'up (cold)':34}        {(time.perf_counter() - began) * 1000:7.2f} ms")
    names = [f"service_{number}" for number in range(services)]
    for name in names:
        await supervisor.apply(ProcessSpec(name, COMMAND, folder, {}, folder / f"{name}.log", "always"))
        await supervisor.start(name)
    ours: list[float] = []
    bare: list[float] = []
    child = spawn(folder / "bare.log")
    for _ in range(rounds):
        began = time.perf_counter()
        await supervisor.restart(names[0])
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        child = bare_restart(child, folder / "bare.log")
        bare.append(time.perf_counter() - began)
    child.kill()
    child.wait()
    report("stop + start, supervised", ours)
    report("stop + start, bare", bare)
    ratio = statistics.median(ours) / statistics.median(bare)
    share = statistics.median(ours) - statistics.median(bare)
    print(f"{'ratio':34} {ratio:.2f}   (the supervisor's share: {share * 1000:.2f} ms)")
    await asyncio.sleep(QUICK_EXIT)  # one that dies younger counts as one that does not come up
    report("kill -9 -> running", [await killed_to_running(supervisor, name) for name in names[1:]])
    await measure_idle(folder / "supervisor", idle, services)
    began = time.perf_counter()
    await supervisor.down()
    print(f"{'down':34}        {(time.perf_counter() - began) * 1000:7.2f} ms")


async def measure_idle(home: Path, seconds: float, services: int) -> None:
    """CPU time over `seconds` without any event, and memory, of the supervising process."""
    process = psutil.Process(int((home / "supervisord.pid").read_text()))
    before = sum(process.cpu_times()[:2])
    switches = process.num_ctx_switches().voluntary
    await asyncio.sleep(seconds)
    used = sum(process.cpu_times()[:2]) - before
    woken = process.num_ctx_switches().voluntary - switches
    print(f"{f'idle, {services} services':34} {used / seconds:.5f} s/s, {woken} wake-ups in {seconds:g} s")
    memory = process.memory_full_info()
    print(f"{'memory':34} PSS {memory.pss / 2**20:.1f} MiB, private {memory.uss / 2**20:.1f} MiB")


def main() -> None:
    """Read the arguments, measure in folders that are gone afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--services", type=int, default=12)
    parser.add_argument("--idle", type=float, default=5.0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hero-bench-"))
    try:
        asyncio.run(measure(folder, folder / "run", options.rounds, options.services, options.idle))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
