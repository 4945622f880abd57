"""Requests through the router against the same requests to the service's socket: how many a second, how long each.

Run: python -m benchmarks.router [--count N] [--clients N] [--rounds N]. A real Caddy with our Caddyfile, the
service in a process of its own; both ways in turns, on connections that stay open. All share the cores.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles

from tests.router.caddy import PROGRAM, running

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

SERVICE = """
import asyncio, sys
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 1024\\r\\n\\r\\n" + b"x" * 1024
class Answering(asyncio.Protocol):
    def connection_made(self, transport): self.transport = transport
    def data_received(self, data): self.transport.write(ANSWER * data.count(b"\\r\\n\\r\\n"))
async def main():
    server = await asyncio.get_running_loop().create_unix_server(Answering, sys.argv[1], backlog=512)
    print("up", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def main() -> None:
    """Start router and service, measure in turns, print."""
    parser = argparse.ArgumentParser(description="What the way through the router costs.")
    parser.add_argument("--count", type=int, default=2000, help="requests of a round, each way")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if not PROGRAM:
        sys.exit("There is no caddy on this machine (Debian package: caddy).")
    with tempfile.TemporaryDirectory(prefix="h", dir="/tmp") as name, running(Path(name)) as router:
        path = router.web("alice") / "slides.sock"
        service = subprocess.Popen([sys.executable, "-c", SERVICE, str(path)], stdout=subprocess.PIPE)
        try:
            assert service.stdout is not None
            service.stdout.readline()
            ways: dict[str, tuple[str, Connect]] = {
                "socket": ("/", lambda: asyncio.open_unix_connection(path)),
                "router": ("/alice/slides/", router.connect),
            }
            asyncio.run(_measure(ways, arguments))
        finally:
            service.kill()
            service.wait()


async def _measure(ways: dict[str, tuple[str, Connect]], arguments: argparse.Namespace) -> None:
    rates: dict[str, list[float]] = {name: [] for name in ways}
    alone: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, (target, connect) in ways.items():
            rates[name].append(await _rate(connect, target, arguments.count, arguments.clients))
            alone[name] += await _client(connect, target, arguments.count // 10)
    for name in ways:
        tail = quantiles(alone[name], n=100)[98]
        print(
            f"{name}  {median(rates[name]):7.0f} requests/s with {arguments.clients} clients; one client alone: "
            f"median {median(alone[name]) * 1e3:.2f} ms, p99 {tail * 1e3:.2f} ms"
        )
    rate = median(rates["router"]) / median(rates["socket"])
    latency = median(alone["router"]) / median(alone["socket"])
    added = (median(alone["router"]) - median(alone["socket"])) * 1e3
    print(f"ratio   {rate:.2f} of the requests/s, {latency:.1f} x the time of one request ({added:.2f} ms more)")


async def _rate(connect: Connect, target: str, count: int, clients: int) -> float:
    """Requests a second of all clients together."""
    begun = time.perf_counter()
    await asyncio.gather(*(_client(connect, target, count // clients) for _ in range(clients)))
    return count // clients * clients / (time.perf_counter() - begun)


async def _client(connect: Connect, target: str, count: int) -> list[float]:
    """Seconds of each of `count` requests, one after the other on one connection."""
    reader, writer = await connect()
    asked = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        writer.write(asked)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(1024)
        taken.append(time.perf_counter() - begun)
    writer.close()
    return taken


if __name__ == "__main__":
    main()
