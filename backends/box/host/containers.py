"""Containers one by one, as their engines tell: what runs, of which stack, what it takes; asked when wanted."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from backends.box.host.engine_api import (
    FOLDER,
    PODMAN_PROJECT,
    PROJECT,
    QUICK_SECONDS,
    Data,
    Refused,
    engine_sockets,
    engines_there,
    get,
    introduced,
    items,
    talking,
)
from backends.model.containers import Container, ContainerReport, ContainerState, EngineContainers
from backends.model.host import SIZE_LIMIT
from backends.model.text import safe_line

if TYPE_CHECKING:
    from backends.forge.lean_httpx import httpx

FRESH_SECONDS = 2.0
"""Whoever asks sooner gets the answer of before: several cockpits may look."""
MOST = 1000
MEASURED_MOST = 100
"""Running containers whose processor and memory are asked for, each by a call of its own."""
_AT_ONCE = 8
_STATS_SECONDS = 3.0
"""For all of them together; who has not told by then is listed without."""
_SERVICE = "com.docker.compose.service"
_ID = re.compile(r"[0-9a-f]{12,64}")
_STATES: Mapping[str, ContainerState] = {state: state for state in get_args(ContainerState)}

Usage = tuple[int, float]
"""Nanoseconds of processor time until a moment of the loop's clock."""


class Containers:
    """What the engines of this machine run. `sizes` has what was measured of each container, by its id."""

    def __init__(
        self,
        sizes: Callable[[], Mapping[str, int]],
        sockets: Callable[[], Iterable[tuple[str, Path]]] = engine_sockets,
    ):
        self._sizes = sizes
        self._sockets = sockets
        self._asking = asyncio.Lock()
        self._told: ContainerReport | None = None
        self._told_at = float("-inf")
        self._used: dict[str, Usage] = {}

    async def report(self) -> ContainerReport:
        """Every engine with its containers; one that cannot be asked has its `problem`. Never raises."""
        async with self._asking:
            if self._told is None or time.monotonic() - self._told_at > FRESH_SECONDS:
                used, self._used = self._used, {}
                found = engines_there(self._sockets())
                engines = await asyncio.gather(*(self._engine(name, path, used) for name, path in found))
                self._told = ContainerReport(time=datetime.now(UTC), engines=tuple(engines))
                self._told_at = time.monotonic()
            return self._told

    async def _engine(self, name: str, path: Path, used: Mapping[str, Usage]) -> EngineContainers:
        engine = EngineContainers(name=name, socket=safe_line(str(path), 500))
        try:
            async with talking(path) as client:
                known, version, api = await introduced(client, name)
                told = await get(client, f"{api}/containers/json?all=1", QUICK_SECONDS)
                if not isinstance(told, list):
                    raise Refused("It answered what no Docker API answers.")
                listed = [one for one in items(told) if _ID.fullmatch(str(one.get("Id")))]
                stats = await _stats(client, api, listed)
        except Refused as refused:
            return engine.model_copy(update={"problem": str(refused)})
        containers = [self._container(one, stats.get(str(one["Id"])), used) for one in listed[:MOST]]
        more = max(0, len(listed) - MOST)
        fields = {"name": known, "version": version, "containers": tuple(containers), "more": more}
        return engine.model_copy(update=fields)

    def _container(self, told: Data, stats: Data | None, used: Mapping[str, Usage]) -> Container:
        id = str(told["Id"])
        container = _described(told).model_copy(update={"size": self._sizes().get(id)})
        if stats is None:
            return container
        total, now = _whole(_part(_part(stats, "cpu_stats"), "cpu_usage").get("total_usage")), time.monotonic()
        cpu = None
        if total is not None:
            self._used[id] = total, now
            before = used.get(id)
            cpu = _percent(before, (total, now)) if before else None
        return container.model_copy(update={"cpu": cpu, **_memory(_part(stats, "memory_stats"))})


async def _stats(client: httpx.AsyncClient, api: str, listed: Iterable[Data]) -> Mapping[str, Data]:
    """What those that run take now, as far as it is told in time."""
    running = [str(one["Id"]) for one in listed if one.get("State") == "running"][:MEASURED_MOST]
    from backends.forge.lean_httpx import httpx

    found: dict[str, Data] = {}
    free = asyncio.Semaphore(_AT_ONCE)

    async def ask(id: str) -> None:
        # One that has just gone answers with an error, which is no news: the list has told of it.
        with contextlib.suppress(ValueError, TimeoutError, OSError, httpx.HTTPError):
            async with free:
                told = await get(client, f"{api}/containers/{id}/stats?stream=false&one-shot=true", _STATS_SECONDS)
            if isinstance(told, dict):
                found[id] = told

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STATS_SECONDS):
            await asyncio.gather(*(ask(id) for id in running))
    return found


def _described(told: Data) -> Container:
    labels = _part(told, "Labels")
    names = told.get("Names")
    name = str(names[0]).removeprefix("/") if isinstance(names, list) and names else str(told["Id"])[:12]
    return Container(
        id=str(told["Id"])[:12],
        name=safe_line(name, 100),
        image=safe_line(str(told.get("Image") or ""), 200),
        state=_STATES.get(str(told.get("State")).lower(), "unknown"),
        status=safe_line(str(told.get("Status") or ""), 100),
        stack=safe_line(str(labels.get(PROJECT) or labels.get(PODMAN_PROJECT) or ""), 100),
        service=safe_line(str(labels.get(_SERVICE) or ""), 100),
        folder=safe_line(str(labels.get(FOLDER) or ""), 500),
        ports=_ports(items(told.get("Ports"))),
        created_at=_moment(told.get("Created")),
    )


def _ports(told: Iterable[Data]) -> str:
    """`8080→80/tcp`, each once: those that are open to the outside."""
    shown = {
        f"{public}→{_whole(one.get('PrivatePort')) or 0}/{one.get('Type') or 'tcp'}": None
        for one in told
        if (public := _whole(one.get("PublicPort")))
    }
    return safe_line(", ".join(shown), 200)


def _memory(told: Data) -> dict[str, int | None]:
    """As `docker stats` counts: what only lies in the page cache can be had back at any time."""
    detail = _part(told, "stats")
    cached = _whole(detail.get("inactive_file")) or _whole(detail.get("total_inactive_file")) or 0
    usage = _whole(told.get("usage"))
    return {
        "memory": None if usage is None else max(0, usage - cached),
        "memory_limit": _whole(told.get("limit")),
    }


def _percent(before: Usage, now: Usage) -> float | None:
    """Of one core; None where it was begun anew in between."""
    used, seconds = now[0] - before[0], now[1] - before[1]
    return round(used / seconds / 1e7, 1) if used >= 0 and seconds > 0 else None


def _part(told: Data, key: str) -> Data:
    value = told.get(key)
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int | None:
    """A number of things, where it is one that can be."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= SIZE_LIMIT else None


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(_whole(value) or 0, UTC) if _whole(value) else None
    except (ValueError, OverflowError, OSError):
        return None
