"""Makes the demo's box in a folder: forge, histories, team repo, slots, releases, manifests."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from backends.forge.folder import FolderForge
from backends.model.boxfile import render_boxfile
from backends.model.manifest import Binding
from backends.model.manifest_edit import set_binding
from backends.model.paths import BoxPaths
from hero_tui.demo_box.catalogue import PEOPLE, SERVICES, TRUNK, DemoService
from hero_tui.demo_box.histories import Made, write_files, write_service
from hero_tui.demo_box.releases import publish_releases
from hero_tui.demo_box.team import TEAM_REPO, seeded_manifest, team_files

MARKER = ".hero-demo"
"""Says that the folder is a demo's box, which `--reset` may remove; "unfinished" in it until it is whole."""

AT_ONCE = 3

Say = Callable[[str], None]
T = TypeVar("T")


async def make_box(root: Path, say: Say) -> None:
    """A whole demo box in `root`, which must be empty or not there. Raises HeroError."""
    box = BoxPaths(root)
    root.mkdir(parents=True, exist_ok=True)
    (root / MARKER).write_text("unfinished\n")
    forge = FolderForge(box.forge)
    made = await _step(say, f"{len(SERVICES)} repositories with their histories", _write_histories(forge))
    await _step(say, "the team repo and four slots", _write_team(box, forge))
    published = await _step(say, "releases, built and published by our own builder", _publish_all(box, made))
    for user in PEOPLE:
        _write_manifest(box, user, made)
    box.config.write_text(render_boxfile("demo", datetime.now(UTC), TEAM_REPO))
    say(f"{published} releases of {len(SERVICES)} services")


def mark_finished(root: Path) -> None:
    """The box in `root` is made, and its scene is set."""
    (root / MARKER).write_text("finished\n")


def is_demo(root: Path) -> bool:
    """Whether `root` is a folder that the demo made."""
    return (root / MARKER).is_file()


def is_finished(root: Path) -> bool:
    """Whether the demo's box in `root` is whole."""
    return is_demo(root) and (root / MARKER).read_text().strip() == "finished"


def remove_box(root: Path) -> None:
    """Remove the demo's box in `root`; its daemons must be down."""
    run = BoxPaths(root).run
    for link in [run, *(BoxPaths(root).slot(user).sockets for user in PEOPLE)]:
        if link.is_symlink():
            shutil.rmtree(link.resolve(), ignore_errors=True)
    shutil.rmtree(root)


async def _step(say: Say, what: str, work: Awaitable[T]) -> T:
    began = time.monotonic()
    result = await work
    say(f"{what}  {time.monotonic() - began:.1f} s")
    return result


async def _write_histories(forge: FolderForge) -> dict[str, list[Made]]:
    now = int(time.time())

    async def one(service: DemoService) -> list[Made]:
        return await write_service(await forge.create_repository(service.repo), service, now)

    async with asyncio.TaskGroup() as group:
        tasks = {service.name: group.create_task(one(service)) for service in SERVICES}
    return {name: task.result() for name, task in tasks.items()}


async def _write_team(box: BoxPaths, forge: FolderForge) -> None:
    files = team_files()
    repository = await forge.create_repository(TEAM_REPO)
    await write_files(repository, files, "The team, its services and its slots", int(time.time()) - 3600)
    for path, text in files.items():
        target = box.team / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    for user in PEOPLE:
        box.slot(user).manifest.parent.mkdir(parents=True)


async def _publish_all(box: BoxPaths, made: dict[str, list[Made]]) -> int:
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(service: DemoService) -> int:
        async with turns:
            return await publish_releases(box, service, made[service.name])

    return sum(await asyncio.gather(*(one(service) for service in SERVICES)))


def _write_manifest(box: BoxPaths, user: str, made: dict[str, list[Made]]) -> None:
    """What the role's template gives, and then what this person works on."""
    text = seeded_manifest(user)
    for binding in _own_bindings(user, made):
        text = set_binding(text, binding)
    box.slot(user).manifest.write_text(text)


def _own_bindings(user: str, made: dict[str, list[Made]]) -> list[Binding]:
    def bound(service: str, branch: str, source: str, **more: object) -> Binding:
        return Binding.model_validate({"service": service, "branch": branch, "source": source, **more})

    older = next(one.commit for one in made["hero_db"] if one.what.release and one.branch == TRUNK)
    return {
        "alice": [
            bound("hero_slides", "development_alice", "build"),
            bound("hero_db", TRUNK, "hash", hash=older[:8]),
        ],
        "mik": [
            bound("hero_router", "development_mik", "release"),
            bound("hero_slides", "development_mik", "release"),
        ],
        "thabet": [
            bound("hero_voice", "development_thabet", "release"),
            bound("hero_books", TRUNK, "build"),
            bound("hero_search", TRUNK, "release", enabled=False),
        ],
    }.get(user, [])
