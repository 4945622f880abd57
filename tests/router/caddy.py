"""The router as it is deployed, for a test: our Caddyfile, on a loopback port, over a folder of sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CADDYFILE = Path(__file__).parents[2] / "deploy" / "router" / "Caddyfile"
PROGRAM = shutil.which("caddy") or ""
SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """`headers` as they came, names in small letters."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """All values of `name`."""
        return ", ".join(value for key, value in self.headers if key == name)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Router:
    """A running router. `slots` has a folder a slot, `edge` is where the box's HTTP socket is expected."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def slots(self) -> Path:
        return self.folder / "slots"

    @property
    def edge(self) -> Path:
        return self.folder / "http.sock"

    @property
    def access_log(self) -> Path:
        return self.folder / "router.log"

    @property
    def own_log(self) -> Path:
        return self.folder / "caddy.out"

    def web(self, user: str) -> Path:
        """The folder of a slot's sockets that the router may use."""
        folder = self.slots / user / ".web"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, target: str, *headers: str, method: str = "GET", body: bytes = b"") -> Answer:
        """One request with exactly this target, on a connection of its own."""
        reader, writer = await self.connect()
        lines = [f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        async with asyncio.timeout(SECONDS):
            answer = await _answer(reader)
        writer.close()
        return answer


async def _answer(reader: asyncio.StreamReader) -> Answer:
    status, headers = await read_head(reader)
    body = await reader.read()
    if ("transfer-encoding", "chunked") in headers:
        body = _joined(body)
    return Answer(status, headers, body)


async def read_head(reader: asyncio.StreamReader) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Status and headers of an answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in head[1:] if line]
    return int(head[0].split()[1]), tuple((name.lower(), value.strip()) for name, _, value in pairs)


def _joined(chunks: bytes) -> bytes:
    whole = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        whole, chunks = whole + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return whole


def environment(folder: Path, port: int) -> dict[str, str]:
    """What has the router of a test be itself in `folder`."""
    (folder / "slots").mkdir(exist_ok=True)
    (folder / "site.caddy").write_text("bind 127.0.0.1\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_DATA_HOME": str(folder / "data"),
        "HERO_ROUTER_LISTEN": f"http://:{port}",
        "HERO_ROUTER_SITE": str(folder / "site.caddy"),
        "HERO_ROUTER_SLOTS": str(folder / "slots"),
        "HERO_ROUTER_EDGE": str(folder / "http.sock"),
        "HERO_ROUTER_WEB": str(folder / "web.sock"),
        "HERO_ROUTER_RUN": str(folder),
        "HERO_ROUTER_LOG": str(folder / "router.log"),
    }


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Router]:
    """The router over `folder`, until the end of the block."""
    for _ in range(5):
        port = _free_port()
        router = Router(folder, port, _start(folder, port))
        if _is_up(router):
            break
    else:
        raise AssertionError(router.own_log.read_text())
    try:
        yield router
    finally:
        router.process.send_signal(signal.SIGKILL)
        router.process.wait()


def _start(folder: Path, port: int) -> subprocess.Popen[bytes]:
    argv = [PROGRAM, "run", "--config", str(CADDYFILE), "--adapter", "caddyfile"]
    with (folder / "caddy.out").open("wb") as log:
        return subprocess.Popen(argv, env=environment(folder, port), stdout=log, stderr=log, cwd=folder)


def _free_port() -> int:
    """A port that is free now; another test may take it, and then the next one is tried."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _is_up(router: Router) -> bool:
    """Whether it listens before it ends."""
    away = router.folder / "away.sock"
    while router.process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", router.port), 1):
            if away.exists() and router.process.poll() is None:
                return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            router.process.wait(0.02)
    return False
