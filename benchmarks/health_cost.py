"""What a health check costs the slot's daemon: CPU of one check against a bare connect, send and receive.

Both are measured in this run, on the same service: hot (one after another) and as a daemon lives (twelve services
on one grid, asleep in between). To reach: 240 checks each 10 s (20 slots of 12 services) in 0.4 % of a core.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from backends.model.service import Health
from backends.slot.health import HealthMonitor, check_once

SERVICES = 12
FLEET_CHECKS_PER_SECOND = 20 * SERVICES / 10
SERVER = """
import selectors, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(128); print("up", flush=True)
while True:
    c, _ = s.accept(); c.recv(4096)
    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok"); c.close()
"""


def bare(path: str) -> None:
    """The least that can be done: one blocking request, its answer read once."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
        peer.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        peer.recv(4096)


def measure_bare(path: str, checks: int, pause: float) -> float:
    """CPU seconds of one bare check; `pause` seconds of sleep after each twelve of them."""
    begun = time.process_time()
    for number in range(checks):
        bare(path)
        if pause and number % SERVICES == SERVICES - 1:
            time.sleep(pause)
    return (time.process_time() - begun) / checks


async def measure_hot(folder: Path, checks: int) -> float:
    """CPU seconds of one `check_once` among many."""
    health = Health(http="/health")
    begun = time.process_time()
    for _ in range(checks):
        assert (await check_once(health, socket_dir=folder, env={}, cwd=folder)).ok
    return (time.process_time() - begun) / checks


async def measure_monitor(folder: Path, seconds: float, interval: float) -> float:
    """CPU seconds of one check of a HealthMonitor, its wake-ups and sleeps included."""
    changes: list[str] = []
    monitor = HealthMonitor(lambda service, ok, detail: changes.append(f"{service}: {ok} {detail}"))
    health = Health(http="/health", interval=interval)
    for number in range(SERVICES):
        monitor.add(f"service{number}", health, socket_dir=folder, env={}, cwd=folder, ok=True)
    begun = time.process_time()
    await asyncio.sleep(seconds)
    spent = time.process_time() - begun
    await monitor.close()
    assert not changes, changes
    return spent / (SERVICES * int(seconds / interval))


def main() -> None:
    """Start a service, measure in turns, print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="h", dir="/tmp") as folder:
        path = f"{folder}/web.sock"
        server = subprocess.Popen([sys.executable, "-c", SERVER, path], stdout=subprocess.PIPE)
        try:
            assert server.stdout is not None
            server.stdout.readline()
            figures: dict[str, list[float]] = {
                name: [] for name in ("bare", "check_once", "bare, asleep", "monitor")
            }
            for _ in range(rounds):
                figures["bare"].append(measure_bare(path, 2000, 0))
                figures["check_once"].append(asyncio.run(measure_hot(Path(folder), 2000)))
                figures["bare, asleep"].append(measure_bare(path, SERVICES * 10, 0.2))
                figures["monitor"].append(asyncio.run(measure_monitor(Path(folder), 2.1, 0.2)))
        finally:
            server.kill()
            server.wait()
    medians = {name: sorted(values)[len(values) // 2] for name, values in figures.items()}
    for name, value in medians.items():
        print(f"{name:14} {value * 1e6:7.1f} µs of CPU a check")
    print(f"ratio hot      {medians['check_once'] / medians['bare']:7.2f}")
    print(f"ratio asleep   {medians['monitor'] / medians['bare, asleep']:7.2f}")
    share = medians["monitor"] * FLEET_CHECKS_PER_SECOND
    print(f"20 slots x 12 services, every 10 s: {share:.2%} of a core (to reach: 0.40%)")


if __name__ == "__main__":
    main()
