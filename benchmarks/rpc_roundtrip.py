"""What a call costs above the bare socket, and what a command that makes one costs above bare Python.

Run: python -m benchmarks.rpc_roundtrip [ROUNDS]. Every figure stands beside its baseline from the same run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from pydantic import BaseModel

from backends.model.method import Method
from backends.rpc.connection import connect
from backends.rpc.server import Call, Dispatcher, Server
from backends.rpc.spawn import answers
from backends.rpc.sync_client import SyncClient
from backends.rpc.wire import Request, encode

ROOT = Path(__file__).resolve().parent.parent
CALLS = 300
STARTS_PER_ROUND = 5
TEXT = "hero_router " * 20
ECHO = "slot.echo"


class Text(BaseModel):
    """What goes there and comes back."""

    text: str


class Bare(asyncio.Protocol):
    """The least that an asyncio server can do with a line: send it back."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def serve(folder: Path) -> None:
    """Both servers in one process, so that they share the machine's luck."""

    async def echo(call: Call, params: Text) -> Text:
        return params

    dispatcher = Dispatcher("benchmark", "1")
    dispatcher.register(Method(ECHO, "slot", Text, Text, "Send it back."), echo)
    bare = await asyncio.get_running_loop().create_unix_server(Bare, str(folder / "bare.sock"))
    await Server(folder / "rpc.sock", dispatcher).start()
    await bare.serve_forever()


def bare_calls(path: Path) -> float:
    """Seconds of one round trip over the bare socket."""
    line = encode(Request(1, ECHO, {"text": TEXT}))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        started = time.perf_counter()
        for _ in range(CALLS):
            client.sendall(line)
            received = 0
            while received < len(line):
                received += len(client.recv(65536))
        return (time.perf_counter() - started) / CALLS


def blocking_calls(path: Path) -> float:
    """Seconds of one call of the blocking client."""
    with SyncClient(path) as client:
        started = time.perf_counter()
        for _ in range(CALLS):
            client.call(ECHO, {"text": TEXT})
        return (time.perf_counter() - started) / CALLS


async def bare_async_calls(path: Path) -> float:
    """Seconds of one round trip of asyncio's own streams."""
    line = encode(Request(1, ECHO, {"text": TEXT}))
    reader, writer = await asyncio.open_unix_connection(str(path))
    started = time.perf_counter()
    for _ in range(CALLS):
        writer.write(line)
        await reader.readline()
    spent = time.perf_counter() - started
    writer.close()
    return spent / CALLS


async def async_calls(path: Path) -> float:
    """Seconds of one call of the cockpit's client, one after the other."""
    connection = await connect(path)
    started = time.perf_counter()
    for _ in range(CALLS):
        await connection.call(ECHO, {"text": TEXT})
    spent = time.perf_counter() - started
    await connection.close()
    return spent / CALLS


async def crowded_calls(path: Path) -> float:
    """Seconds a call of the cockpit's client when all are made at once."""
    connection = await connect(path)
    started = time.perf_counter()
    await asyncio.gather(*(connection.call(ECHO, {"text": TEXT}) for _ in range(CALLS)))
    spent = time.perf_counter() - started
    await connection.close()
    return spent / CALLS


def whole_process(program: str, *arguments: str) -> float:
    """Seconds of one Python process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, env=environment)
    return time.perf_counter() - started


def measure(folder: Path, rounds: int) -> dict[str, float]:
    """The median of each figure over interleaved rounds, in seconds."""
    rpc, bare = folder / "rpc.sock", folder / "bare.sock"
    ping = (
        "import sys\nfrom backends.rpc.sync_client import SyncClient\n"
        "with SyncClient(sys.argv[1]) as client: client.call('rpc.ping')"
    )
    figures: dict[str, Callable[[], float]] = {
        "bare": lambda: bare_calls(bare),
        "blocking": lambda: blocking_calls(rpc),
        "bare async": lambda: asyncio.run(bare_async_calls(bare)),
        "async": lambda: asyncio.run(async_calls(rpc)),
        "crowded": lambda: asyncio.run(crowded_calls(rpc)),
        "python": lambda: median(whole_process("pass") for _ in range(STARTS_PER_ROUND)),
        "ping": lambda: median(whole_process(ping, str(rpc)) for _ in range(STARTS_PER_ROUND)),
    }
    samples: dict[str, list[float]] = {name: [] for name in figures}
    for _ in range(rounds):
        for name, figure in figures.items():
            samples[name].append(figure())
    return {name: median(found) for name, found in samples.items()}


def show(found: dict[str, float]) -> None:
    """Print each figure beside its baseline."""
    rows = (
        ("blocking client, one call", "blocking", "bare", "bare echo, blocking socket"),
        ("async client, one after the other", "async", "bare async", "bare echo, asyncio streams"),
        ("async client, all at once", "crowded", "bare async", "bare echo, asyncio streams"),
        ("process that makes one call", "ping", "python", "python3 -c pass"),
    )
    for title, name, baseline, against in rows:
        ratio = found[name] / found[baseline]
        print(
            f"{title:34} {found[name] * 1e6:9.0f} µs  {ratio:5.2f} x  {found[baseline] * 1e6:7.0f} µs ({against})"
        )


def main(rounds: int) -> None:
    """Start the servers, measure, print."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(folder)], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    try:
        while not answers(folder / "rpc.sock"):
            if server.poll() is not None:
                raise SystemExit("the server did not start")
            time.sleep(0.01)
        show(measure(folder, rounds))
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        asyncio.run(serve(Path(sys.argv[2])))
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 15)
