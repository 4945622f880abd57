"""A container engine at the network's edge: Docker's own API on a UNIX socket, as a test furnishes it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Data = dict[str, Any]

VERSION: Data = {
    "Platform": {"Name": "Docker Engine - Community"},
    "Components": [{"Name": "Engine", "Version": "27.1.1", "Details": {"ApiVersion": "1.46"}}],
    "Version": "27.1.1",
    "ApiVersion": "1.46",
    "MinAPIVersion": "1.24",
    "GitCommit": "cc13f95",
    "Os": "linux",
    "Arch": "amd64",
}
_STATS = re.compile(r"/v1\.\d+/containers/([0-9a-f]+)/stats\?stream=false&one-shot=true")


def container_id(number: int) -> str:
    """An id as Docker makes them: 64 hexadecimal digits."""
    return f"{number:08x}" * 8


def listed(number: int, name: str, image: str, *, stack: str = "", state: str = "running", **more: Any) -> Data:
    """One object of `GET /containers/json`."""
    labels = {"org.opencontainers.image.title": image}
    if stack:
        labels |= {
            "com.docker.compose.project": stack,
            "com.docker.compose.project.working_dir": f"/opt/{stack}",
            "com.docker.compose.service": name.removeprefix(f"{stack}-").removesuffix("-1"),
        }
    known: Data = {
        "Id": container_id(number),
        "Names": [f"/{name}"],
        "Image": image,
        "ImageID": f"sha256:{number:064x}",
        "Command": "/docker-entrypoint.sh",
        "Created": 1_763_000_000 + number,
        "Ports": [],
        "Labels": labels,
        "State": state,
        "Status": "Up 3 hours (healthy)" if state == "running" else "Exited (137) 2 days ago",
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {"Networks": {}},
        "Mounts": [],
    }
    return known | more


def stats_of(memory: int, cpu_ns: int, cached: int = 0) -> Data:
    """The answer of `GET /containers/{id}/stats?stream=false&one-shot=true` with cgroups of version 2."""
    usage = {"total_usage": cpu_ns, "usage_in_kernelmode": cpu_ns // 4, "usage_in_usermode": cpu_ns - cpu_ns // 4}
    return {
        "read": "2026-11-20T10:00:00.000000000Z",
        "preread": "0001-01-01T00:00:00Z",
        "pids_stats": {"current": 7, "limit": 4915},
        "num_procs": 0,
        "cpu_stats": {"cpu_usage": usage, "system_cpu_usage": 91_000_000_000, "online_cpus": 8},
        "precpu_stats": {"cpu_usage": {"total_usage": 0}, "throttling_data": {}},
        "memory_stats": {
            "usage": memory + cached,
            "stats": {"anon": memory, "file": cached, "inactive_file": cached},
            "limit": 33_000_000_000,
        },
        "name": "/x",
        "networks": {},
    }


@dataclass
class FakeEngine:
    """What it answers. `answer`, where it is set, has the first word: bytes go out as they are, None: never."""

    containers: Any = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)
    df: Data = field(default_factory=dict)
    version: Any = field(default_factory=lambda: dict(VERSION))
    answer: Callable[[str], bytes | None] | None = None
    asked: list[str] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    def answer_to(self, target: str) -> bytes:
        """As Docker routes it."""
        path = re.sub(r"^/v1\.\d+", "", target)
        if path == "/version":
            return http(self.version)
        if path == "/containers/json?all=1":
            return http(self.containers)
        if path == "/system/df":
            return http(self.df)
        if (found := _STATS.fullmatch(target)) and found[1] in self.stats:
            return http(self.stats[found[1]])
        return http({"message": "No such container"}, 404)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests over one connection, one after the other."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.asked.append(head.splitlines()[0])
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                target = head.split()[1]
                await asyncio.sleep(0)
                body = self.answer(target) if self.answer else self.answer_to(target)
                self.at_once -= 1
                if body is None:
                    await reader.read()  # until whoever asked has given up
                    return
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self, path: Path) -> AsyncIterator[Path]:
        """On a socket at `path`."""
        server = await asyncio.start_unix_server(self.serve, path)
        try:
            yield path
        finally:
            server.close()


def http(value: object, status: int = 200) -> bytes:
    """A whole answer."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    head = b"HTTP/1.1 %d X\r\nApi-Version: 1.46\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body
