"""Whether each service's trunk is fit for everybody: it builds, its archives are there, it runs healthy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from backends.box.fleet import Fleet
from backends.box.releases import is_complete
from backends.forge.base import Forge, Release
from backends.model.errors import HeroError, unknown_name
from backends.model.forge import Gate, GateState
from backends.model.forge_calls import GatesParams, GatesResult
from backends.model.release import parse_archive_name, platform_runs_here, release_tag
from backends.model.state import Build, CatalogueEntry, ServiceStatus

AT_ONCE = 4
"""Services of which the forge is asked at the same time."""
FRESH_SECONDS = 60.0
"""How long what the forge said counts, unless something is told to have changed."""
INTEGRATION = "integration"
CONTEXT = "hero/build"


class Builds(Protocol):
    """The queue, as far as a gate asks it."""

    async def of_commit(self, slot: str, service: str, branch: str, commit: str) -> Sequence[Build]: ...


class TeamView(Protocol):
    """The team, as far as a gate asks it."""

    @property
    def catalogue(self) -> tuple[CatalogueEntry, ...]: ...

    @property
    def trunk(self) -> str: ...


@dataclass(frozen=True)
class Seen:
    """What the forge said of a trunk: its head, the release of that very commit, what it shows of its build."""

    head: str = ""
    release: Release | None = None
    status: str = ""
    trouble: str = ""
    at: datetime | None = None


class Gates:
    """Answers `gate.list`. The forge is asked once a minute at most, and after each change it is told of."""

    def __init__(self, forge: Forge, team: TeamView, fleet: Fleet, builds: Builds, now: Callable[[], datetime]):
        self._forge = forge
        self._team = team
        self._fleet = fleet
        self._builds = builds
        self._now = now
        self._seen: dict[str, Seen] = {}
        self._room = asyncio.Semaphore(AT_ONCE)

    def forge_changed(self, repo: str) -> None:
        """What the forge said of `repo` counts no longer."""
        self._seen.pop(repo, None)

    async def answer(self, params: GatesParams) -> GatesResult:
        """The gates of all services, or of one. Raises HeroError `not_found` for a service that nobody knows."""
        entries = self._team.catalogue
        if params.service is not None:
            entries = tuple(entry for entry in entries if entry.name == params.service)
            if not entries:
                raise unknown_name("service", params.service, {entry.name for entry in self._team.catalogue})
        if params.fresh:
            self._seen.clear()
        return GatesResult(gates=tuple(await asyncio.gather(*map(self._gate, entries))))

    async def _gate(self, entry: CatalogueEntry) -> Gate:
        branch = self._team.trunk
        seen = await self._look(entry.repo, branch)
        gate = Gate(service=entry.name, repo=entry.repo, branch=branch, checked_at=seen.at)
        if seen.trouble:
            return gate.model_copy(update={"reason": seen.trouble})
        builds = await self._builds.of_commit(INTEGRATION, entry.name, branch, seen.head)
        return judge(gate, entry, seen, builds[0] if builds else None, self._cell(entry.name))

    def _cell(self, service: str) -> ServiceStatus | None:
        slot = self._fleet.slot(INTEGRATION)
        return next((cell for cell in slot.services if cell.service == service), None) if slot else None

    async def _look(self, repo: str, branch: str) -> Seen:
        known = self._seen.get(repo)
        if known and known.at and (self._now() - known.at).total_seconds() < FRESH_SECONDS:
            return known
        async with self._room:
            try:
                found = await self._ask(repo, branch)
            except HeroError as error:
                found = Seen(trouble=error.message, at=self._now())
        self._seen[repo] = found
        return found

    async def _ask(self, repo: str, branch: str) -> Seen:
        head = (await self._forge.branch(repo, branch)).commit
        try:
            release = await self._forge.release(repo, release_tag(branch, head))
        except HeroError as error:
            if error.code != "not_found":
                raise
            release = None
        said = {one.context: one.state for one in await self._forge.statuses(repo, head)}
        return Seen(head, release, said.get(CONTEXT, ""), at=self._now())


def judge(gate: Gate, entry: CatalogueEntry, seen: Seen, build: Build | None, cell: ServiceStatus | None) -> Gate:
    """`gate` with its three answers and the first thing that is in the way."""
    complete = seen.release is not None and is_complete(seen.release)
    builds, why_build = _builds(seen, build, complete)
    missing = _missing(entry.platforms, seen.release if complete else None)
    archives, why_archives = _archives(seen, missing, builds)
    healthy, why_healthy = _healthy(seen, cell)
    return gate.model_copy(
        update={
            "commit": seen.head,
            "builds": builds,
            "build": build.id if build else "",
            "archives": archives,
            "tag": seen.release.tag if seen.release else "",
            "platforms": entry.platforms or _platforms(seen.release),
            "missing": missing,
            "healthy": healthy,
            "running": cell.hash if cell else "",
            "reason": why_build or why_archives or why_healthy,
        }
    )


def _builds(seen: Seen, build: Build | None, complete: bool) -> tuple[GateState, str]:
    if complete or (build and (build.tag or build.state in ("succeeded", "superseded"))):
        return "pass", ""
    state = build.state if build else ""
    if state in ("queued", "running") or (not state and seen.status == "pending"):
        doing = "is being built" if state == "running" else "waits to be built"
        return "wait", f"{seen.head[:8]} {doing}."
    if build and state in ("failed", "cancelled"):
        lines = build.error.splitlines() or [f"it was {state}"]
        return "fail", f"{seen.head[:8]} does not build: {lines[0]}"
    if seen.status == "success":
        return "pass", ""
    if seen.status in ("failure", "error"):
        return "fail", f"{seen.head[:8]} does not build, says the forge."
    return "unknown", f"{seen.head[:8]} was not built here."


def _missing(required: Iterable[str], release: Release | None) -> tuple[str, ...]:
    """The platforms without an archive; where none is required, the box's own stands for all."""
    there = _platforms(release)
    wanted = tuple(required)
    if wanted:
        return tuple(platform for platform in wanted if platform not in there)
    return () if any(platform_runs_here(platform) for platform in there) else ("this box's",)


def _platforms(release: Release | None) -> tuple[str, ...]:
    names = [parse_archive_name(asset.name) for asset in release.assets] if release else []
    return tuple(sorted({name[1] for name in names if name}))


def _archives(seen: Seen, missing: Sequence[str], builds: GateState) -> tuple[GateState, str]:
    if not missing:
        return "pass", ""
    if builds == "wait":
        return "wait", f"The archive of {seen.head[:8]} is being made."
    if seen.release is None:
        return "fail", f"{seen.head[:8]} is not published."
    if not is_complete(seen.release):
        return "fail", f"{seen.release.tag} is not complete: it has no SHA256SUMS."
    return "fail", f"{seen.release.tag} has no archive for {', '.join(missing)}."


def _healthy(seen: Seen, cell: ServiceStatus | None) -> tuple[GateState, str]:
    if cell is None:
        return "unknown", "The integration slot does not run it."
    if cell.health in ("crashed", "unhealthy"):
        return "fail", f"It is {cell.health} in the integration slot{f': {cell.reason}' if cell.reason else ''}."
    if cell.hash != seen.head:
        return "wait", f"The integration slot runs {cell.hash[:8] or 'nothing'}, not {seen.head[:8]}."
    if cell.health == "starting":
        return "wait", "It starts in the integration slot."
    if cell.health == "healthy":
        return "pass", ""
    return "fail", f"It is {cell.health} in the integration slot."
