"""Published archives: the pages that `release.list` answers, and the news of each one published since."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from backends.forge.base import Forge, Release
from backends.model.errors import HeroError, unknown_name
from backends.model.forge import ArchiveInfo, CommitInfo, ReleaseInfo
from backends.model.forge_calls import CompareParams, CompareResult, ReleaseListParams, ReleaseListResult
from backends.model.release import parse_archive_name, split_tag
from backends.model.state import CatalogueEntry
from backends.model.text import safe_line

log = logging.getLogger(__name__)

SUMS = "SHA256SUMS"

NEWS = 50
"""Releases of one repository that are told at most when several came at once."""


async def list_releases(
    forge: Forge, catalogue: Iterable[CatalogueEntry], params: ReleaseListParams
) -> ReleaseListResult:
    """One page, newest first. Raises HeroError `not_found` for an unknown service, and what the forge raises."""
    repo = _repo_of(params.service, catalogue)
    page = await forge.releases(repo, branch=params.branch, page=params.page, limit=params.limit)
    return ReleaseListResult(
        releases=tuple(release_info(release) for release in page.items), next_page=page.next_page
    )


async def compare(forge: Forge, catalogue: Iterable[CatalogueEntry], params: CompareParams) -> CompareResult:
    """The commits that `head` has and `base` has not, newest first. Raises HeroError as `list_releases`."""
    repo = _repo_of(params.service, catalogue)
    page = await forge.compare(repo, params.base, params.head, page=params.page, limit=params.limit)
    commits = tuple(
        CommitInfo(commit=one.commit, author=one.author, time=one.committed_at, subject=one.subject)
        for one in page.items
    )
    return CompareResult(commits=commits, next_page=page.next_page)


def release_info(release: Release) -> ReleaseInfo:
    """A forge's release as clients see it; `size` is the bytes of all its archives."""
    archives = [(asset, named) for asset in release.assets if (named := parse_archive_name(asset.name))]
    parts = split_tag(release.tag)
    return ReleaseInfo(
        tag=release.tag,
        branch=parts[0] if parts else "",
        commit=release.commit,
        author=release.author,
        published_at=release.published_at,
        platforms=tuple(sorted({platform for _, (_, platform) in archives})),
        size=sum(asset.size for asset, _ in archives),
        subject=release.title,
        url=safe_line(release.url, 1000),
        downloads=sum(asset.downloads for asset, _ in archives),
        complete=is_complete(release),
        archives=tuple(
            ArchiveInfo(
                name=asset.name,
                platform=platform,
                size=asset.size,
                downloads=asset.downloads,
                url=safe_line(asset.url, 1000),
            )
            for asset, (_, platform) in archives
        ),
    )


def is_complete(release: Release) -> bool:
    """Whether the release has the digests of its archives, which come last: without them nothing installs it."""
    return any(asset.name == SUMS for asset in release.assets)


def _repo_of(service: str, catalogue: Iterable[CatalogueEntry]) -> str:
    repos = {entry.name: entry.repo for entry in catalogue}
    if service not in repos:
        raise unknown_name("service", service, repos)
    return repos[service]


class ReleaseNews:
    """Which releases are new in a repository since the last look."""

    def __init__(self, forge: Forge):
        self._forge = forge
        self._newest: dict[str, datetime] = {}

    async def begin(self, repos: Iterable[str]) -> None:
        """Take what is published now as old, in those of `repos` that were never looked at."""
        for repo in sorted(set(repos) - set(self._newest)):
            await self.new_in(repo)

    async def new_in(self, repo: str) -> list[ReleaseInfo]:
        """Releases published since the last look, oldest first; none at the first look, none if it fails."""
        try:
            page = await self._forge.releases(repo, limit=NEWS)
        except HeroError as error:
            log.info("no look at the releases of %s: %s", repo, error.message)
            return []
        known = self._newest.get(repo)
        times = [release.published_at for release in page.items if release.published_at]
        self._newest[repo] = max([*times, *([known] if known else [])], default=_EPOCH)
        if known is None:
            return []
        return [
            release_info(release)
            for release in reversed(page.items)
            if release.published_at and release.published_at > known
        ]


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
