"""How a release comes to be on a Forgejo: a draft, looked over before and after it is published, or deleted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from backends.failpoints import failpoint
from backends.forge.base import Release
from backends.forge.folder_records import check_tag, no_draft
from backends.forge.forgejo_api import ForgejoApi
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_records import RawAsset, RawRelease, read
from backends.forge.forgejo_releases import Begun, Releases
from backends.model.errors import HeroError
from backends.model.names import check_commit, check_repo
from backends.model.text import safe_line

_TRIES = 5
_PAUSE = 0.5
"""Seconds between two looks at what the forge makes of something."""


class Drafts:
    """Drafts of `releases`. Methods raise HeroError as `Forge` says."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases

    @property
    def _api(self) -> ForgejoApi:
        return self._releases.api

    async def create(self, repo: str, *, tag: str, commit: str, title: str, body: str) -> Release:
        check_repo(repo)
        check_tag(tag)
        check_commit(commit)
        for left in reversed(range(_TRIES)):
            if found := await self._releases.find(repo, tag):
                return await self._take_up(repo, found, tag, commit)
            await self._check_ground(repo, tag, commit)
            try:
                raw = await self._post(repo, tag, commit, title, body)
            except HeroError as error:
                # 409, 500: somebody else is making the same one. 422: it may not know of a first push yet.
                if not left or status_of(error) not in (None, 409, 422, 500):
                    raise
                if status_of(error) == 422 and not (await self._releases.repositories.get(repo)).empty:
                    raise
                await self._api.http.sleep(_PAUSE)
                continue
            failpoint("forgejo.draft.made")
            return await self._take_up(repo, raw, tag, commit)
        raise AssertionError("the last try returns or raises")

    async def _post(self, repo: str, tag: str, commit: str, title: str, body: str) -> RawRelease:
        path = f"/repos/{repo}/releases"
        # A tag that a deleted release left has no default for what is not said, so all of it is said.
        fields = {"tag_name": tag, "target_commitish": commit, "name": title or tag, "body": body, "draft": True}
        answer = await self._api.json("POST", path, body={**fields, "prerelease": False})
        return read(RawRelease, answer, self._api.site, f"POST {path}")

    async def _take_up(self, repo: str, raw: RawRelease, tag: str, commit: str) -> Release:
        """The release `raw` if it is a draft of just that; HeroError conflict otherwise."""
        release = await self._releases.complete(repo, raw)
        if raw.tag_name != tag:
            raise conflict(release, f"stands in the way of {safe_line(tag, 200)}: the forge reads A as a")
        if not raw.draft:
            raise conflict(release, "is published already")
        if release.commit != commit:
            raise conflict(release, f"is a draft already, of {release.commit[:8]} instead of {commit[:8]}")
        key = (repo, release.id)
        if self._releases.begun.get(key) is None:
            self._releases.begun.put(key, Begun(commit))
        return release

    async def _check_ground(self, repo: str, tag: str, commit: str) -> None:
        """Refuse a commit that the forge lacks, and a git tag that stands on another one."""
        repositories = self._releases.repositories
        if not await repositories.has_commit(repo, commit):
            await repositories.get(repo)
            raise HeroError(
                "not_found",
                f"{repo} has no commit {commit[:8]}, so {tag} cannot be published.",
                hint="Push the branch first: a release is of what everybody can look up.",
                data={"commit": commit},
            )
        await self._check_tag(repo, tag, commit)

    async def _check_tag(self, repo: str, tag: str, commit: str) -> None:
        there = await self._releases.repositories.tag_commit(repo, tag)
        if there in (None, commit):
            return
        raise HeroError(
            "conflict",
            f"{repo} has a git tag {safe_line(tag, 200)} on {str(there)[:8]}; the release is of {commit[:8]}.",
            hint="Somebody pushed that tag by hand. `git push origin :refs/tags/<tag>` deletes it.",
            data={"tag": tag, "commit": there},
        )

    async def publish(self, repo: str, identifier: str) -> Release:
        for left in reversed(range(_TRIES)):
            raw = await self._known(repo, identifier)
            release = await self._releases.complete(repo, raw)
            await self._check_ours(repo, raw, release)
            if not raw.draft:
                self._releases.begun.drop((repo, identifier))
                return release
            await self._check_tag(repo, raw.tag_name, release.commit)
            await self._drop_doubles(repo, raw)
            if not left:
                break
            failpoint("forgejo.publish.before")
            try:
                await self._patch(repo, identifier, release.commit)
            except HeroError as error:
                # Any failure here may be another publisher of the same draft: the next look tells.
                if left == 1 or (error.code != "unreachable" and status_of(error) != 409):
                    raise
                await self._api.http.sleep(_PAUSE)
            failpoint("forgejo.publish.after")
        raise HeroError(
            "unreachable",
            f"{self._api.site.name} takes {repo}'s draft {identifier} for published, and still shows a draft.",
            hint="Look at it on the forge, then publish again.",
        )

    async def _patch(self, repo: str, identifier: str, commit: str) -> None:
        body = {"draft": False, "target_commitish": commit}
        await self._api.json("PATCH", f"/repos/{repo}/releases/{identifier}", body=body, repeat="always")

    async def _check_ours(self, repo: str, raw: RawRelease, release: Release) -> None:
        """Whether the release is what we began: of our commit, with the files that we uploaded, each once."""
        ours = self._releases.begun.get((repo, release.id))
        if not raw.draft:
            tagged = await self._releases.repositories.tag_commit(repo, raw.tag_name)
            expected = ours.commit if ours else release.commit
            if tagged is not None and tagged != expected:
                raise conflict(release, f"stands on {tagged[:8]}: somebody pushed that tag by hand")
        for name, uuid in ours.uploaded.items() if ours else ():
            there = raw.named(name)
            if not there or there[0].uuid != uuid:
                raise conflict(release, f"has another {name} than the one that was uploaded from here")
            if not raw.draft and len(there) > 1:
                raise conflict(release, f"has {len(there)} files called {name}")

    async def _drop_doubles(self, repo: str, raw: RawRelease) -> None:
        """Of several files with one name the oldest stays; who uploaded another one has learned so, or will."""
        for asset in raw.assets:
            if asset.id != raw.named(asset.name)[0].id:
                await self.delete_asset(repo, str(raw.id), asset)

    async def delete_asset(self, repo: str, identifier: str, asset: RawAsset) -> None:
        """Remove one file; one that is gone already is fine."""
        with _gone_is_fine():
            await self._api.json("DELETE", f"/repos/{repo}/releases/{identifier}/assets/{asset.id}")

    async def delete(self, repo: str, identifier: str) -> None:
        raw = await self._releases.by_id(repo, identifier)
        if raw is None:
            await self._releases.repositories.get(repo)
            return
        if not raw.draft:
            raise conflict(await self._releases.complete(repo, raw), "is published, so it cannot be deleted")
        with _gone_is_fine():
            await self._api.json("DELETE", f"/repos/{repo}/releases/{identifier}")
        self._releases.begun.drop((repo, identifier))

    async def _known(self, repo: str, identifier: str) -> RawRelease:
        raw = await self._releases.by_id(repo, identifier)
        if raw is not None:
            return raw
        await self._releases.repositories.get(repo)
        raise no_draft(identifier)


def conflict(release: Release, what: str) -> HeroError:
    """The error for the release that stands in the way."""
    return HeroError(
        "conflict",
        f"{release.repo}: the release {safe_line(release.tag, 200)} {what}.",
        hint="A published release never changes: commit something, and publish that.",
        data={
            "tag": release.tag,
            "commit": release.commit,
            "id": release.id,
            "published_at": release.published_at.isoformat() if release.published_at else "",
        },
    )


@contextlib.contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except HeroError as error:
        if status_of(error) != 404:
            raise
