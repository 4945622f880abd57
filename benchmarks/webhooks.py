"""1,000 signed webhooks in 10 s from 8 senders: how long each waits for its answer, and whether any is lost.

Run: python -m benchmarks.webhooks [--count N] [--seconds S] [--senders N]. The real edge on a UNIX socket in a
process of its own, its database on the disk of --folder (default: a temporary one). The baseline of the same run
is a bare route of the same server that answers 202 at once; both get the same requests in interleaved rounds.
`--seconds 0` sends as fast as answers come.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import quantiles

import httpx

from backends.box.edge.edge import Asks, Edge
from backends.box.edge.inbox import Look
from backends.box.edge.numbers import Numbers
from backends.box.edge.secrets import load_key
from backends.box.edge.serve import HttpEdge
from backends.database import Database
from backends.forge.folder import FolderForge
from backends.rpc.sockets import listening
from tests.backends.box.edge.deliveries import REPO, headers, push

ROOT = Path(__file__).resolve().parent.parent
PATH = "http://localhost/hooks/forge"
BRANCHES = 10


def main() -> None:
    """Start the servers, send, print."""
    parser = argparse.ArgumentParser(description="Answer times of webhooks.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--serve", default="")
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(_serve(Path(arguments.serve)))
        return
    with tempfile.TemporaryDirectory(prefix="hb", dir=arguments.folder or "/tmp") as folder:
        argv = [sys.executable, __file__, "--serve", folder]
        server = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": str(ROOT)})
        try:
            asyncio.run(_measure(Path(folder), server, arguments))
        finally:
            server.terminate()
            server.wait()


async def _serve(folder: Path) -> None:
    """The edge and the bare route in one process, so that they share the machine's luck."""

    async def look(look: Look) -> None:
        with (folder / "looks").open("a") as out:
            out.write(f"{look.branch} {look.deliveries}\n")

    database = Database(folder / "events.sqlite")
    asks = Asks(lambda repo: repo == REPO, look, Numbers, lambda: True, lambda: ())
    edge = Edge("bench", database, FolderForge(folder / "forge"), folder / "secrets" / "key", asks)
    await edge.open()
    await HttpEdge(folder / "bare.sock", _bare_app).start()
    await edge.listen(folder / "http.sock", "")
    await asyncio.Event().wait()


def _bare_app() -> object:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse("", 202)

    return Starlette(routes=[Route("/hooks/forge", answer, methods=["POST"])])


async def _measure(folder: Path, server: subprocess.Popen[bytes], arguments: argparse.Namespace) -> None:
    while not (listening(folder / "http.sock") and listening(folder / "bare.sock")):
        if server.poll() is not None:
            raise SystemExit("the server did not start")
        await asyncio.sleep(0.01)
    edge = _Figures("signed, durable", folder / "http.sock")
    bare = _Figures("bare route", folder / "bare.sock")
    for number in range(arguments.rounds):
        bodies = [_body(number * arguments.count + each) for each in range(arguments.count)]
        for figures in (bare, edge):
            await _send_all(figures, bodies, _secret(folder), arguments)
    sent = arguments.rounds * arguments.count
    lost = sent - await _handled(folder, edge.accepted)
    for figures in (bare, edge):
        print(figures.line())
    print(f"{'ratio':18} p50 {edge.at(50) / bare.at(50):6.2f} x    p99 {edge.at(99) / bare.at(99):6.2f} x")
    print(f"{sent} sent, {edge.accepted} answered 202, {lost} lost (bars: p99 200 ms, 0 lost)")


class _Figures:
    """Answer times of one server, in seconds."""

    def __init__(self, name: str, socket: Path):
        self.name = name
        self.socket = socket
        self.times: list[float] = []
        self.accepted = 0

    def at(self, percent: int) -> float:
        return quantiles(self.times, n=100)[percent - 1]

    def line(self) -> str:
        longest = max(self.times) * 1000
        return (
            f"{self.name:18} p50 {self.at(50) * 1000:6.1f} ms   p99 {self.at(99) * 1000:6.1f} ms   "
            f"longest {longest:6.1f} ms"
        )


async def _send_all(figures: _Figures, bodies: list[bytes], secret: str, arguments: argparse.Namespace) -> None:
    """Each sender its share, evenly over the time; those that come late do not wait for one another."""
    began = time.perf_counter()
    pause = arguments.seconds / len(bodies)
    transport = httpx.AsyncHTTPTransport(uds=str(figures.socket))
    async with httpx.AsyncClient(transport=transport, timeout=60) as client:

        async def sender(number: int) -> None:
            for index in range(number, len(bodies), arguments.senders):
                await asyncio.sleep(max(0.0, began + index * pause - time.perf_counter()))
                sent = headers(secret, bodies[index])
                started = time.perf_counter()
                answer = await client.post(PATH, content=bodies[index], headers=sent)
                figures.times.append(time.perf_counter() - started)
                figures.accepted += answer.status_code == 202

        await asyncio.gather(*(sender(number) for number in range(arguments.senders)))


async def _handled(folder: Path, accepted: int) -> int:
    """Deliveries that came out of the inbox, once it is empty or nothing comes any more."""
    handled, patience = 0, time.monotonic() + 30
    while handled < accepted and time.monotonic() < patience:
        await asyncio.sleep(0.05)
        looks = folder / "looks"
        lines = looks.read_text().splitlines() if looks.exists() else []
        handled = sum(int(line.rpartition(" ")[2]) for line in lines)
    return handled


def _secret(folder: Path) -> str:
    return hmac.new(load_key(folder / "secrets" / "key"), f"{REPO}\n1".encode(), hashlib.sha256).hexdigest()


def _body(number: int) -> bytes:
    """A push of the size that a real one has."""
    content = push(f"topic{number % BRANCHES}", after=f"{number + 1:040x}")
    return content[:-1] + b', "padding": "' + b"x" * 8000 + b'"}'


if __name__ == "__main__":
    main()
