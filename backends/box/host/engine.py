"""Docker or Podman on this machine, looked at over its UNIX socket and never asked to do anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from backends.box.host.engine_api import (
    FOLDER,
    PODMAN_PROJECT,
    PROJECT,
    QUICK_SECONDS,
    Data,
    Refused,
    engines_there,
    get,
    introduced,
    items,
    talking,
)
from backends.model.host import ComposeStack, EngineReport, EngineUse
from backends.model.text import safe_line

if TYPE_CHECKING:
    from backends.forge.lean_httpx import httpx

_DF_SECONDS = 120.0
"""An engine with many images adds up for minutes."""
_MOST_STACKS = 100

Sizes = dict[str, int]
"""By the id of a container the bytes that it has written over its image."""
UseKind = Literal["images", "containers", "volumes", "build cache"]


async def look_at_engines(
    sockets: Iterable[tuple[str, Path]], sizes: Sizes | None = None
) -> tuple[EngineReport, ...]:
    """A report of each engine that is there; one that cannot be asked has its `problem`. Never raises.

    The containers' sizes are put into `sizes`.
    """
    found = engines_there(sockets)
    return tuple(await asyncio.gather(*(look_at(name, path, sizes) for name, path in found)))


async def look_at(name: str, path: Path, sizes: Sizes | None = None) -> EngineReport:
    """The engine at `path`."""
    report = EngineReport(name=name, socket=safe_line(str(path), 500))
    try:
        async with talking(path) as client:
            return await _asked(client, report, {} if sizes is None else sizes)
    except Refused as refused:
        return report.model_copy(update={"problem": str(refused)})


async def _asked(client: httpx.AsyncClient, report: EngineReport, sizes: Sizes) -> EngineReport:
    name, version, path = await introduced(client, report.name)
    containers = items(await get(client, f"{path}/containers/json?all=1", QUICK_SECONDS))
    stacks, loose = _stacks(containers)
    report = report.model_copy(update={"name": name, "version": version, "stacks": stacks, "loose": loose})
    try:
        told = await get(client, f"{path}/system/df", _DF_SECONDS)
    except TimeoutError:
        return report.model_copy(update={"problem": "It did not say in time what its images take."})
    uses = _uses(told)
    sizes.update({str(one.get("Id")): max(0, _count(one, "SizeRw")) for one in items(told.get("Containers"))})
    return report.model_copy(update={"uses": uses})


def _stacks(containers: Sequence[Data]) -> tuple[tuple[ComposeStack, ...], int]:
    """The stacks by name, and how many containers are of none."""
    found: dict[str, list[Data]] = {}
    for one in containers:
        labels = one.get("Labels") or {}
        found.setdefault(str(labels.get(PROJECT) or labels.get(PODMAN_PROJECT) or ""), []).append(one)
    loose = len(found.pop("", ()))
    stacks = [
        ComposeStack(
            name=safe_line(name, 100),
            containers=len(some),
            running=sum(one.get("State") == "running" for one in some),
            folder=safe_line(str((some[0].get("Labels") or {}).get(FOLDER, "")), 500),
        )
        for name, some in sorted(found.items())
    ]
    return tuple(stacks[:_MOST_STACKS]), loose


def _uses(told: Data) -> tuple[EngineUse, ...]:
    return (
        _images(items(told.get("Images")), _count(told, "LayersSize")),
        _use("containers", items(told.get("Containers")), lambda one: _count(one, "SizeRw"), _runs),
        _use(
            "volumes", items(told.get("Volumes")), _volume_size, lambda one: _count(_usage(one), "RefCount") != 0
        ),
        _use("build cache", items(told.get("BuildCache")), _cache_size, lambda one: bool(one.get("InUse"))),
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
