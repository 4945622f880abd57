"""From what a binding asks to the one archive that answers it, and to everything it could be switched to."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from backends.forge.base import Asset, Forge, Release
from backends.model.errors import HeroError, unknown_name
from backends.model.plan import Candidate
from backends.model.release import (
    parse_archive_name,
    parse_sha256sums,
    platform_runs_here,
    release_tag,
    split_tag,
    this_platform,
)
from backends.model.state import Source
from backends.model.text import safe_line

SUMS = "SHA256SUMS"
_SUMS_LIMIT = 1 << 20
_SUMS_KEPT = 256
_PAGES = 200


@dataclass(frozen=True)
class Archive:
    """One file of a release; `size` in bytes."""

    repo: str
    tag: str
    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class Target:
    """One exact version to run. `version` is 40 hex: the commit, or of a dirty build a digest of its payload."""

    service: str
    repo: str
    branch: str
    source: Source
    version: str
    sha256: str
    tag: str = ""
    archive: Archive | None = None


class Sources:
    """What the forge offers for this machine's platform."""

    def __init__(self, forge: Forge, platform: str | None = None):
        self._forge = forge
        self._platform = platform or this_platform()
        self._sums: OrderedDict[tuple[str, str], dict[str, str]] = OrderedDict()

    async def newest(self, service: str, repo: str, branch: str) -> Target:
        """The latest whole release of exactly `branch`.

        Raises HeroError `not_found`: no such branch (nearest names), no release of it, or none for this platform.
        """
        release = await self._newest_whole(repo, branch)
        if release is None:
            await self._forge.branch(repo, branch)
            raise HeroError(
                "not_found",
                f"{repo} has no release of the branch {safe_line(branch)!r}.",
                hint=f"Compile it here: `hero_dev switch {service} {safe_line(branch)} --from build`.",
            )
        return await self.target(service, release, branch, "release")

    async def tagged(self, service: str, repo: str, tag: str, source: Source = "release") -> Target:
        """The release called `tag`. Raises HeroError `not_found`."""
        parts = split_tag(tag)
        if parts is None:
            raise HeroError(
                "usage",
                f"{safe_line(tag)!r} is not a release's tag.",
                hint="A tag is `<branch>-<8 hex digits>`; `hero_dev releases` lists them.",
            )
        return await self.target(service, await self._forge.release(repo, tag), parts[0], source)

    async def pinned(self, service: str, repo: str, branch: str, commit: str) -> Target:
        """The release of the commit that starts with `commit`, of `branch` if it is there, else of any branch.

        Raises HeroError `not_found` with the nearest hashes.
        """
        release = await self._release_of(repo, branch, commit)
        if release and is_whole(release):
            return await self.target(service, release, split_branch(release), "hash")
        seen: list[str] = []
        page: int | None = 1
        while page and page <= _PAGES:
            listed = await self._forge.releases(repo, page=page, limit=100)
            for release in listed.items:
                if release.commit.startswith(commit) and is_whole(release):
                    return await self.target(service, release, split_branch(release), "hash")
                seen.append(release.commit[:8])
            page = listed.next_page
        if half := await self._release_of(repo, branch, commit):
            raise _not_whole(half, service)
        raise unknown_name(f"release of {repo} with the hash", commit, seen)

    async def target(self, service: str, release: Release, branch: str, source: Source) -> Target:
        """The archive of `release` for this machine. Raises HeroError when there is none, or no digest of it."""
        if not is_whole(release):
            raise _not_whole(release, service)
        asset = self._asset(release, service)
        sums = await self._sums_of(release)
        digest = sums.get(asset.name)
        if digest is None:
            raise HeroError(
                "verification",
                f"{SUMS} of {safe_line(release.tag)} has no line for {safe_line(asset.name)}.",
                hint="The release was not published by our builder; publish it again from its commit.",
            )
        archive = Archive(release.repo, release.tag, asset.name, digest, asset.size)
        return Target(service, release.repo, branch, source, release.commit, digest, release.tag, archive)

    async def branches(self, service: str, repo: str, page: int, limit: int) -> tuple[list[Candidate], int | None]:
        """Branches to build from, with their newest commit."""
        listed = await self._forge.branches(repo, page=page, limit=limit)
        found = [
            Candidate(
                kind="branch",
                branch=safe_line(branch.name, 250),
                source="build",
                commit=branch.commit,
                author=safe_line(branch.author, 100),
                time=branch.committed_at,
                subject=safe_line(branch.subject, 200),
            )
            for branch in listed.items
        ]
        return found, listed.next_page

    async def releases(self, service: str, repo: str, page: int, limit: int) -> tuple[list[Candidate], int | None]:
        """Releases that can be installed, newest first."""
        listed = await self._forge.releases(repo, page=page, limit=limit)
        found = [
            Candidate(
                kind="release",
                branch=safe_line(split_branch(release), 250),
                source="release",
                commit=release.commit,
                tag=safe_line(release.tag, 300),
                author=safe_line(release.author, 100),
                time=release.published_at,
                subject=safe_line(release.title, 200),
                size=sum(asset.size for asset in release.assets if asset.name != SUMS),
            )
            for release in listed.items
            if is_whole(release)
        ]
        return found, listed.next_page

    async def newest_published(self, repo: str, branch: str) -> tuple[str, str, datetime | None]:
        """Commit, tag and time of the latest whole release of `branch`; empty strings where there is none."""
        release = await self._newest_whole(repo, branch)
        return (release.commit, release.tag, release.published_at) if release else ("", "", None)

    async def _newest_whole(self, repo: str, branch: str) -> Release | None:
        """The newest release of `branch` with its sums: a tag pushed over a draft publishes what is half there."""
        release = await self._forge.latest_release(repo, branch)
        if release is None or is_whole(release):
            return release
        page: int | None = 1
        while page and page <= _PAGES:
            listed = await self._forge.releases(repo, branch=branch, page=page, limit=20)
            if whole := next((one for one in listed.items if is_whole(one)), None):
                return whole
            page = listed.next_page
        return None

    async def _release_of(self, repo: str, branch: str, commit: str) -> Release | None:
        if len(commit) < 8:
            return None
        try:
            release = await self._forge.release(repo, release_tag(branch, commit))
        except HeroError as error:
            if error.code == "not_found":
                return None
            raise
        return release if release.commit.startswith(commit) else None

    def _asset(self, release: Release, service: str) -> Asset:
        parsed = [(asset, parse_archive_name(asset.name)) for asset in release.assets]
        archives = [(asset, name[1]) for asset, name in parsed if name]
        fitting = [
            asset
            for asset, platform in archives
            if platform_runs_here(platform, self._platform.rpartition("-")[2])
        ]
        if fitting:
            return fitting[0]
        there = ", ".join(sorted(safe_line(platform) for _, platform in archives)) or "none"
        raise HeroError(
            "not_found",
            f"{safe_line(release.tag)} has no archive for {self._platform}; it has: {there}.",
            hint=f"Compile it here: `hero_dev switch {service} {safe_line(split_branch(release))} --from build`; "
            f"or on a machine of this platform, `hero_dev build submit {service} --publish`.",
        )

    async def _sums_of(self, release: Release) -> dict[str, str]:
        key = (release.repo, release.id)
        if key in self._sums:
            return self._sums[key]
        text = bytearray()
        async for chunk in self._forge.open_asset(release.repo, release.tag, SUMS):
            text += chunk
            if len(text) > _SUMS_LIMIT:
                raise HeroError("verification", f"{SUMS} of {safe_line(release.tag)} is larger than 1 MiB.")
        sums = dict(parse_sha256sums(text.decode("utf-8", "replace")))
        self._sums[key] = sums
        while len(self._sums) > _SUMS_KEPT:
            self._sums.popitem(last=False)
        return sums


def is_whole(release: Release) -> bool:
    """Whether a release has the digests of its archives; without them it was cut off, and nothing of it is run."""
    return any(asset.name == SUMS for asset in release.assets)


def _not_whole(release: Release, service: str) -> HeroError:
    return HeroError(
        "verification",
        f"{safe_line(release.tag)} is not whole: without its {SUMS} nothing tells whether its archives are right.",
        hint=f"Publish its commit again (`hero_dev build submit {service} --publish`), or take another release: "
        f"`hero_dev releases {service}` lists them.",
        data={"tag": release.tag},
    )


def split_branch(release: Release) -> str:
    """The branch that a release's tag names."""
    parts = split_tag(release.tag)
    return parts[0] if parts else release.tag


def mark_current(candidates: Iterable[Candidate], version: str, installed: set[str]) -> tuple[Candidate, ...]:
    """`candidates` with those marked that run now or are on disk already."""
    return tuple(
        one.model_copy(
            update={
                "current": bool(version) and one.commit == version,
                "installed": one.commit[:8] in installed,
            }
        )
        for one in candidates
    )
