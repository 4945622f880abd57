"""Docker or Podman on this machine, looked at over its UNIX socket and never asked to do anything."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from backends.model.host import ComposeStack, EngineReport, EngineUse
from backends.model.text import safe_line

if TYPE_CHECKING:
    from backends.forge.lean_httpx import httpx

_QUICK_SECONDS = 5.0
_DF_SECONDS = 120.0
"""An engine with many images adds up for minutes."""
_LIMIT = 32 << 20
"""Bytes of one answer."""
_MOST_STACKS = 100
_OLDEST_API, _NEWEST_API = (1, 24), (1, 44)
"""Versions of the API whose words are known here; an engine answers in those of the path that it is asked by."""
_PROJECT, _FOLDER = "com.docker.compose.project", "com.docker.compose.project.working_dir"
_PODMAN_PROJECT = "io.podman.compose.project"

Data = dict[str, Any]
UseKind = Literal["images", "containers", "volumes", "build cache"]


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


async def look_at_engines(sockets: Iterable[tuple[str, Path]]) -> tuple[EngineReport, ...]:
    """A report of each engine that is there; one that cannot be asked has its `problem`. Never raises."""
    there: dict[str, tuple[str, Path]] = {}
    for name, path in sockets:
        if _is_socket(path):
            there.setdefault(os.path.realpath(path), (name, path))
    return tuple(await asyncio.gather(*(look_at(name, path) for name, path in there.values())))


async def look_at(name: str, path: Path) -> EngineReport:
    """The engine at `path`."""
    from backends.forge.lean_httpx import httpx

    report = EngineReport(name=name, socket=safe_line(str(path), 500))
    transport = httpx.AsyncHTTPTransport(uds=str(path))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://engine", trust_env=False) as client:
            return await _asked(client, report)
    except PermissionError:
        return report.model_copy(update={"problem": _DENIED})
    except (httpx.HTTPError, OSError, TimeoutError) as error:
        denied = "ermission denied" in str(error)
        why = _DENIED if denied else f"It does not answer: {safe_line(str(error) or type(error).__name__, 200)}."
        return report.model_copy(update={"problem": why})
    except (ValueError, TypeError, AttributeError, KeyError):
        return report.model_copy(update={"problem": "It answered what no Docker API answers."})


_DENIED = "The box's daemon may not use its socket; in the group of the socket it may."


async def _asked(client: httpx.AsyncClient, report: EngineReport) -> EngineReport:
    told = await _get(client, "/version", _QUICK_SECONDS)
    components = " ".join(str(one.get("Name", "")) for one in _list(told.get("Components")))
    name = "podman" if "podman" in components.lower() else report.name
    path = f"/v{_api(told)}"
    containers = _list(await _get(client, f"{path}/containers/json?all=1", _QUICK_SECONDS))
    stacks, loose = _stacks(containers)
    report = report.model_copy(
        update={"name": name, "version": safe_line(str(told["Version"]), 60), "stacks": stacks, "loose": loose}
    )
    try:
        return report.model_copy(update={"uses": _uses(await _get(client, f"{path}/system/df", _DF_SECONDS))})
    except TimeoutError:
        return report.model_copy(update={"problem": "It did not say in time what its images take."})


async def _get(client: httpx.AsyncClient, path: str, seconds: float) -> Any:
    """What the engine answers to a GET, the only method that is used. Raises ValueError for what is no JSON."""
    async with asyncio.timeout(seconds), client.stream("GET", path, timeout=seconds) as response:
        if response.status_code != 200:
            raise ValueError(f"status {response.status_code}")
        content = bytearray()
        async for block in response.aiter_bytes():
            content += block
            if len(content) > _LIMIT:
                raise ValueError("too long")
    return await asyncio.to_thread(json.loads, bytes(content))


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


def _stacks(containers: Sequence[Data]) -> tuple[tuple[ComposeStack, ...], int]:
    """The stacks by name, and how many containers are of none."""
    found: dict[str, list[Data]] = {}
    for one in containers:
        labels = one.get("Labels") or {}
        found.setdefault(str(labels.get(_PROJECT) or labels.get(_PODMAN_PROJECT) or ""), []).append(one)
    loose = len(found.pop("", ()))
    stacks = [
        ComposeStack(
            name=safe_line(name, 100),
            containers=len(some),
            running=sum(one.get("State") == "running" for one in some),
            folder=safe_line(str((some[0].get("Labels") or {}).get(_FOLDER, "")), 500),
        )
        for name, some in sorted(found.items())
    ]
    return tuple(stacks[:_MOST_STACKS]), loose


def _uses(told: Data) -> tuple[EngineUse, ...]:
    return (
        _images(_list(told.get("Images")), _count(told, "LayersSize")),
        _use("containers", _list(told.get("Containers")), lambda one: _count(one, "SizeRw"), _runs),
        _use(
            "volumes", _list(told.get("Volumes")), _volume_size, lambda one: _count(_usage(one), "RefCount") != 0
        ),
        _use("build cache", _list(told.get("BuildCache")), _cache_size, lambda one: bool(one.get("InUse"))),
    )


def _images(images: Sequence[Data], layers: int) -> EngineUse:
    """Images share layers: together they take the layers' room, and one alone gives free what is its own."""
    unused = [one for one in images if not _used(one)]
    own = sum(max(0, _count(one, "Size") - max(0, _count(one, "SharedSize"))) for one in unused)
    size = max(0, layers)
    active = len(images) - len(unused)
    return EngineUse(kind="images", count=len(images), active=active, size=size, reclaimable=min(size, own))


def _use(
    kind: UseKind, some: Sequence[Data], size: Callable[[Data], int], active: Callable[[Data], bool]
) -> EngineUse:
    sizes = [(max(0, size(one)), active(one)) for one in some]
    return EngineUse(
        kind=kind,
        count=len(sizes),
        active=sum(used for _, used in sizes),
        size=sum(count for count, _ in sizes),
        reclaimable=sum(count for count, used in sizes if not used),
    )


def _volume_size(volume: Data) -> int:
    return _count(_usage(volume), "Size")


def _cache_size(record: Data) -> int:
    """What others share is counted with them."""
    return 0 if record.get("Shared") else _count(record, "Size")


def _used(image: Data) -> bool:
    return _count(image, "Containers") > 0


def _runs(container: Data) -> bool:
    return container.get("State") in ("running", "paused", "restarting")


def _usage(volume: Data) -> Data:
    return volume.get("UsageData") or {}


def _count(one: Data, key: str) -> int:
    """A number; engines say -1 for what they do not know."""
    return int(one.get(key) or 0)


def _list(value: object) -> list[Data]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False
