"""A made-up machine: its looks, its disks, its containers, and a source that tells of it when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from math import sin
from typing import Any

from textual.pilot import Pilot

from backends.model.containers import Container, ContainerReport, EngineContainers
from backends.model.host import (
    CleanItem,
    CleanPlan,
    ComposeStack,
    DiskPart,
    DiskReport,
    DiskSpace,
    EngineReport,
    EngineUse,
    Growth,
    HostPoint,
    HostSample,
    HostWarning,
    KeptItem,
    Machine,
    Share,
    SlotDisk,
)
from screens.host_view import HostNews
from tests.hero_tui.fleets import NOW, Cockpit

GB = 1_000_000_000
MB = 1_000_000


def disk(mount: str = "/", share: float = 0.61, **fields: Any) -> DiskSpace:
    """A disk of 500 GB that is so full."""
    known = {
        "mount": mount,
        "device": f"/dev/vd{len(mount)}",
        "kind": "ext4",
        "total": 500 * GB,
        "used": int(500 * GB * share),
        "free": int(500 * GB * (1 - share)),
        "inodes": 1_000_000,
        "inodes_used": 210_000,
    }
    return DiskSpace.model_validate(known | fields)


def machine(**fields: Any) -> Machine:
    """Eight cores, 32 GB, a root disk and a btrfs for the homes."""
    known = {
        "cpus": 8,
        "cpu": 37.0,
        "load": (3.1, 2.8, 2.2),
        "memory_total": 32 * GB,
        "memory_used": 21 * GB,
        "swap_total": 8 * GB,
        "swap_used": GB,
        "disks": (disk(), disk("/home", 0.88, kind="btrfs", shared=True, inodes=0)),
    }
    return Machine.model_validate(known | fields)


def shares() -> tuple[Share, ...]:
    """Four slots at work: services, a build, an agent, and what is nobody's."""
    some = [
        Share(slot="mik", kind="build", name="hero_books", cpu=388.0, memory=3 * GB, processes=14),
        Share(slot="alice", kind="agent", name="3", cpu=12.5, memory=640 * MB, processes=5),
        Share(slot="", kind="daemon", name="hero_boxd", cpu=0.4, memory=41 * MB, processes=1),
        Share(slot="", kind="container", name="", cpu=3.0, memory=2 * GB, processes=22),
        Share(slot="", kind="other", name="", cpu=9.0, memory=4 * GB, processes=190),
    ]
    for number, user in enumerate(("alice", "integration", "mik", "thabet")):
        some.append(Share(slot=user, kind="daemon", name="hero_slotd", cpu=0.1, memory=36 * MB, processes=1))
        for place, service in enumerate(("hero_db", "hero_router", "hero_slides", "hero_books")[: 4 - number % 3]):
            memory = (900 // (place + 1) + 40 * number) * MB
            some.append(
                Share(slot=user, kind="service", name=service, cpu=float(place), memory=memory, processes=2)
            )
    return tuple(some)


def warning(level: str = "warn", **fields: Any) -> HostWarning:
    """The disk of the homes is filling up."""
    known = {
        "subject": "disk /home",
        "level": level,
        "value": 88.0,
        "limit": 85.0,
        "sentence": "/home is 88 % full, 55.9 GiB free.",
        "since": NOW - timedelta(hours=2),
    }
    return HostWarning.model_validate(known | fields)


def sample(**fields: Any) -> HostSample:
    """One look."""
    return HostSample.model_validate({"time": NOW, "machine": machine(), "shares": shares(), **fields})


def trend(count: int = 60) -> tuple[HostPoint, ...]:
    """How it came to that."""
    return tuple(
        HostPoint(
            at=NOW.timestamp() - 60 * (count - n),
            cpu=30 + 25 * sin(n / 6),
            memory=60 + n / 10,
            swap=10 + 3 * sin(n / 9),
            load=0.4 + 0.3 * sin(n / 6),
            disk=80 + n / 8,
        )
        for n in range(count)
    )


def _part(kind: str, name: str, size: float, **fields: Any) -> DiskPart:
    user, service = fields.pop("user", "mik"), name.partition(" ")[0]
    known = {
        "kind": kind,
        "name": name,
        "size": int(size * GB),
        "files": int(size * 4000),
        "path": f"/home/{user}/hero/{service}",
    }
    if fields.pop("going", False):
        known |= {"reclaimable": int(size * GB), "verb": f"hero_dev clean --kind {kind}s"}
    return DiskPart.model_validate(known | fields)


def report(**fields: Any) -> DiskReport:
    """What takes the room; mik's target grew, an old one can go."""
    unused = "no binding uses the worktree, and all is pushed"
    mik = [
        _part("target", "hero_db development_mik target/", 31, grew=9 * GB, why="hero_db is bound to this branch"),
        _part("target", "hero_books feature/old target/", 17.2, going=True, why=unused),
        _part("version", "hero_db 9f3c21ab", 0.4, going=True, why="neither running, nor pinned, nor the previous"),
        _part("version", "hero_db 1f3d5b79", 0.4, why="it is what runs, or would run"),
        _part("worktree", "hero_books development_mik", 2.1, grew=-120 * MB),
        _part(
            "log",
            "services",
            0.9,
            reclaimable=int(0.8 * GB),
            verb="hero_dev clean --kind logs",
            why="rotated away",
        ),
    ]
    alice = [
        _part("target", "hero_slides development_alice target/", 12, user="alice", going=True, why=unused),
        _part("data", "hero_db", 5.5, user="alice", grew=0),
        _part("clone", "lhumina_code/hero_router", 1.2, user="alice", complete=False),
    ]
    box = [_part("cache", "archives", 8.4, why="what nobody has installed goes by itself once there are 20 GiB")]
    when = NOW - timedelta(minutes=8)
    space = disk("/home", 0.88, kind="btrfs", shared=True)
    known: dict[str, Any] = {
        "slots": (
            SlotDisk(slot="", parts=tuple(box), measured_at=when, seconds=2),
            SlotDisk(slot="alice", parts=tuple(alice), measured_at=when, seconds=4, space=space),
            SlotDisk(slot="mik", parts=tuple(mik), measured_at=when, seconds=41, space=space),
            SlotDisk(slot="thabet", problem="Its daemon is away; what it holds is told once it is back."),
        ),
        "growth": (
            Growth(
                slot="mik",
                kind="target",
                name="hero_db development_mik target/",
                bytes=9 * GB,
                since=NOW - timedelta(days=1),
                sentence="target/ of hero_db development_mik (mik) grew 9.0 GB today.",
            ),
        ),
        "engines": engines(),
    }
    return DiskReport.model_validate(known | fields)


def engines() -> tuple[EngineReport, ...]:
    """A Docker with two stacks, and a Podman that may not be asked."""
    uses = (
        EngineUse(kind="images", count=41, active=12, size=28 * GB, reclaimable=11 * GB),
        EngineUse(kind="containers", count=9, active=7, size=600 * MB, reclaimable=80 * MB),
        EngineUse(kind="volumes", count=6, active=5, size=14 * GB, reclaimable=2 * GB),
        EngineUse(kind="build cache", count=220, active=0, size=9 * GB, reclaimable=9 * GB),
    )
    stacks = (
        ComposeStack(name="mailcow", containers=5, running=5, folder="/opt/mailcow"),
        ComposeStack(name="old-wiki", containers=3, running=1, folder="/srv/wiki"),
    )
    denied = "The box's daemon may not use its socket; in the group of the socket it may."
    return (
        EngineReport(
            name="docker", socket="/run/docker.sock", version="27.1.1", uses=uses, stacks=stacks, loose=1
        ),
        EngineReport(name="podman", socket="/run/podman/podman.sock", problem=denied),
    )


def container(name: str, **fields: Any) -> Container:
    """One that runs, of no stack, but for `fields`."""
    known = {
        "id": f"{sum(map(ord, name)):012x}",
        "name": name,
        "image": f"{name.partition('-')[0]}:2",
        "state": "running",
        "status": "Up 3 hours",
        "created_at": NOW - timedelta(days=3),
    }
    return Container.model_validate(known | fields)


def containers(**fields: Any) -> ContainerReport:
    """What runs in Docker: two stacks and one of nobody's; the Podman may not be asked."""
    mail = {"stack": "mailcow", "folder": "/opt/mailcow"}
    wiki = {"stack": "old-wiki", "folder": "/srv/wiki", "state": "exited", "status": "Exited (0) 5 weeks ago"}
    some = (
        container("mailcow-clamd-1", **mail, memory=1300 * MB, cpu=61.5, size=90 * MB, image="mailcow/clamd:1.66"),
        container(
            "mailcow-dovecot-1", **mail, memory=210 * MB, cpu=0.4, size=12 * MB, ports="143→143/tcp, 993→993/tcp"
        ),
        container("mailcow-rspamd-1", **mail, memory=480 * MB, cpu=3.0, status="Up 3 hours (unhealthy)"),
        container("mailcow-watchdog-1", **mail, state="restarting", status="Restarting (1) 12 seconds ago"),
        container("old-wiki-db-1", **wiki, size=1400 * MB, image="postgres:12"),
        container("old-wiki-web-1", **wiki, image="registry.example/wiki/front-end:5.1"),
        container("registry", memory=33 * MB, cpu=0.0, size=2 * MB, ports="5000→5000/tcp", memory_limit=512 * MB),
    )
    docker, podman = engines()
    known: dict[str, Any] = {
        "time": NOW,
        "engines": (
            EngineContainers(name="docker", socket=docker.socket, version="27.1.1", containers=some),
            EngineContainers(name="podman", socket=podman.socket, problem=podman.problem),
        ),
    }
    return ContainerReport.model_validate(known | fields)


def plan(*, nothing: bool = False) -> CleanPlan:
    """What a clean of alice's slot would remove."""
    kept = (KeptItem(kind="versions", name="hero_db 1f3d5b79", why="it is what runs, or would run"),)
    if nothing:
        return CleanPlan(slot="alice", kept=kept)
    item = CleanItem(
        id="targets/hero_slides/development_alice/target",
        kind="targets",
        name="hero_slides development_alice target/",
        path="/home/alice/hero/src/hero_slides/development_alice/target",
        size=12 * GB,
        why="no binding uses the worktree, and all is pushed",
    )
    return CleanPlan(slot="alice", items=(item,), kept=kept)


class FakeHost:
    """The machine behind the screen. What a test puts into `news` is told; `following` counts who looks."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[HostNews] = asyncio.Queue()
        self.following = 0

    async def follow(self) -> AsyncGenerator[HostNews, None]:
        """See `HostSource`."""
        self.following += 1
        try:
            while True:
                yield await self.news.get()
        finally:
            self.following -= 1

    def tell(self, look: HostSample | None = None, **fields: Any) -> None:
        """A look, or with `lost` why there is none."""
        if fields:
            self.news.put_nowait(HostNews(look, **fields))
        else:
            self.news.put_nowait(HostNews(look or sample(), trend(), trend(200)))


@asynccontextmanager
async def on_host(
    monkeypatch: Any, size: tuple[int, int] = (120, 40), *, told: bool = True, disks: Any = None, **options: Any
) -> AsyncGenerator[tuple[Cockpit, Pilot[int], FakeHost], None]:
    """The cockpit on its Host screen; `disks` is what the box answers of them (default: `report`)."""
    source = FakeHost()
    monkeypatch.setattr("hero_tui.host_source.BoxHost", lambda _: source)
    cockpit = Cockpit(**options)
    async with cockpit.running(size) as pilot:
        cockpit.line.answers["host.disk"] = report() if disks is None else disks
        cockpit.line.answers["host.containers"] = containers()
        await cockpit.press(pilot, "8")
        await cockpit.until(pilot, lambda: source.following == 1)
        if told:
            source.tell()
            await looked(cockpit, pilot, source)
        yield cockpit, pilot, source


async def looked(cockpit: Cockpit, pilot: Pilot[int], source: FakeHost) -> None:
    """What was told has been painted."""
    await cockpit.until(pilot, source.news.empty)
    await cockpit.settle(pilot)
