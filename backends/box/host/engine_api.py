"""How an engine is spoken with: Docker's API over a UNIX socket, GET alone, whatever it answers."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.model.text import safe_line

if TYPE_CHECKING:
    from backends.forge.lean_httpx import httpx

QUICK_SECONDS = 5.0
LIMIT = 32 << 20
"""Bytes of one answer."""
_OLDEST_API, _NEWEST_API = (1, 24), (1, 44)
"""Versions of the API whose words are known here; an engine answers in those of the path that it is asked by."""
PROJECT, FOLDER = "com.docker.compose.project", "com.docker.compose.project.working_dir"
PODMAN_PROJECT = "io.podman.compose.project"
_DENIED = "The box's daemon may not use its socket; in the group of the socket it may."

Data = dict[str, Any]


def engine_sockets() -> list[tuple[str, Path]]:
    """Where an engine may listen here, with what it would be called."""
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    named = os.environ.get("DOCKER_HOST", "")
    found = [("docker", Path(named.removeprefix("unix://")))] if named.startswith("unix:///") else []
    return [
        *found,
        ("docker", Path("/run/docker.sock")),
        ("docker", Path("/var/run/docker.sock")),
        ("docker", Path(runtime) / "docker.sock"),
        ("podman", Path("/run/podman/podman.sock")),
        ("podman", Path(runtime) / "podman" / "podman.sock"),
    ]


def engines_there(sockets: Iterable[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Those of the sockets that are there, each once by whatever name."""
    there: dict[str, tuple[str, Path]] = {}
    for name, path in sockets:
        if _is_socket(path):
            there.setdefault(os.path.realpath(path), (name, path))
    return list(there.values())


class Refused(Exception):
    """The engine could not be asked; the text is the sentence that says why."""


@asynccontextmanager
async def talking(path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the engine at `path`. Whatever goes wrong with it inside is raised as `Refused`."""
    from backends.forge.lean_httpx import httpx

    transport = httpx.AsyncHTTPTransport(uds=str(path))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", trust_env=False) as client:
            yield client
    except PermissionError as error:
        raise Refused(_DENIED) from error
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        denied = "ermission denied" in str(error)
        why = _DENIED if denied else f"It does not answer: {safe_line(str(error) or type(error).__name__, 200)}."
        raise Refused(why) from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise Refused("It answered what no Docker API answers.") from error


async def introduced(client: httpx.AsyncClient, name: str) -> tuple[str, str, str]:
    """What the engine is called, its version, and the path that it is asked by."""
    told = await get(client, "/version", QUICK_SECONDS)
    components = " ".join(str(one.get("Name", "")) for one in items(told.get("Components")))
    is_podman = "podman" in components.lower()
    return "podman" if is_podman else name, safe_line(str(told["Version"]), 60), f"/v{_api(told)}"


async def get(client: httpx.AsyncClient, path: str, seconds: float) -> Any:
    """What the engine answers to a GET, the only method that is used. Raises ValueError for what is no JSON."""
    async with asyncio.timeout(seconds), client.stream("GET", path, timeout=seconds) as response:
        if response.status_code != 200:
            raise ValueError(f"status {response.status_code}")
        content = bytearray()
        async for block in response.aiter_bytes():
            content += block
            if len(content) > LIMIT:
                raise ValueError("too long")
    try:
        return await asyncio.to_thread(json.loads, bytes(content))
    except RecursionError as error:
        raise ValueError("too deep") from error


def _api(told: Data) -> str:
    """The version of the API to ask by: the newest known one that the engine speaks."""
    newest = _version(told.get("ApiVersion"), _NEWEST_API)
    least = _version(told.get("MinAPIVersion"), _OLDEST_API)
    major, minor = max(min(newest, _NEWEST_API), least)
    return f"{major}.{minor}"


def _version(text: object, default: tuple[int, int]) -> tuple[int, int]:
    major, _, minor = str(text or "").partition(".")
    small = len(major) < 4 and len(minor) < 4
    return (int(major), int(minor)) if small and major.isdecimal() and minor.isdecimal() else default


def items(value: object) -> list[Data]:
    """The objects of a list; nothing where it is none."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
