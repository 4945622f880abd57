"""Releases of a Forgejo as readers see them: listed, looked up, and told which commit they are of."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from backends.forge.base import Page, Release, check_page
from backends.forge.forgejo_api import ForgejoApi, part
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_records import RawRelease, Record, read, read_all, to_release
from backends.forge.forgejo_repos import Repositories
from backends.forge.git import is_full_hash
from backends.model.errors import HeroError, unknown_name
from backends.model.names import BadValue, check_branch, check_repo
from backends.model.release import parse_tag, split_tag
from backends.model.text import safe_line

_FEW = 12
"""Tags of a branch up to which each is asked for, instead of looking through everybody's releases."""
_AT_ONCE = 4
_KEPT = 4096
"""Digests and commits that are remembered."""

K = TypeVar("K")
V = TypeVar("V")


class Kept(Generic[K, V]):
    """What was found out, the oldest forgotten first."""

    def __init__(self) -> None:
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > _KEPT:
            self._values.popitem(last=False)

    def drop(self, key: K) -> None:
        self._values.pop(key, None)


@dataclass(frozen=True, slots=True)
class Begun:
    """A draft that this program began: the commit it is of, and the uuids of what it uploaded, by name."""

    commit: str
    uploaded: dict[str, str] = field(default_factory=dict)


class _Object(Record):
    sha: str


class _Ref(Record):
    ref: str
    object: _Object


class Releases:
    """The releases of every repository. Methods raise HeroError as `Forge` says."""

    def __init__(self, api: ForgejoApi, repositories: Repositories) -> None:
        self.api = api
        self.repositories = repositories
        self.digests: Kept[str, str] = Kept()
        """SHA-256 by an asset's uuid, of what went through our hands."""
        self.begun: Kept[tuple[str, str], Begun] = Kept()
        """By repository and release id."""
        self._commits: Kept[tuple[str, int, str], str] = Kept()

    async def page(self, repo: str, branch: str | None, page: int, limit: int, drafts: bool) -> Page[Release]:
        check_page(page, limit)
        check_repo(repo)
        if branch is not None and not _is_branch(branch):
            return Page((), None)
        start, end = (page - 1) * limit, page * limit
        before = await self._drafts(repo, branch) if drafts else []
        first, last = max(0, start - len(before)), max(0, end - len(before))
        if branch is not None:
            found, more = await self._of_branch(repo, branch, first, max(1, last))
        else:
            found, more = await self._published(repo, first, max(first + 1, last))
        more = more or (last == 0 and bool(found))
        shown = before[start:end] + found[: last - first]
        items = await self.complete_all(repo, list({raw.id: raw for raw in shown}.values()))
        return Page(items, page + 1 if more or end < len(before) else None)

    async def latest(self, repo: str, branch: str) -> Release | None:
        check_repo(repo)
        if not _is_branch(branch):
            return None
        found, _ = await self._of_branch(repo, branch, 0, 1)
        return await self.complete(repo, found[0]) if found else None

    async def get(self, repo: str, tag: str) -> Release:
        return await self.complete(repo, await self.published(repo, tag))

    async def published(self, repo: str, tag: str) -> RawRelease:
        """The published release called exactly `tag`, as the forge has it."""
        found = await self.find(repo, tag)
        if found and not found.draft and found.tag_name == tag:
            return found
        raise await self._unknown_tag(repo, tag)

    async def _unknown_tag(self, repo: str, tag: str) -> HeroError:
        await self.repositories.get(repo)
        newest, _ = await self._published(repo, 0, 100)
        return unknown_name("release", safe_line(tag, 200), [safe_line(raw.tag_name, 200) for raw in newest])

    async def find(self, repo: str, tag: str) -> RawRelease | None:
        """The release or draft that stands in the way of `tag`: the forge makes no difference between A and a."""
        if not _is_tag(tag):
            return None
        path = f"/repos/{check_repo(repo)}/releases/tags/{part(tag)}"
        answer = await self.api.find(path)
        return None if answer is None else read(RawRelease, answer, self.api.site, f"GET {path}")

    async def by_id(self, repo: str, identifier: str) -> RawRelease | None:
        """The release or draft with that id."""
        if not (identifier.isascii() and identifier.isdigit() and len(identifier) <= 18):
            check_repo(repo)
            return None
        path = f"/repos/{check_repo(repo)}/releases/{identifier}"
        answer = await self.api.find(path)
        return None if answer is None else read(RawRelease, answer, self.api.site, f"GET {path}")

    async def complete(self, repo: str, raw: RawRelease) -> Release:
        """`raw` with its commit."""
        return to_release(self.api.site.base, repo, raw, await self._commit_of(repo, raw), self.digests.get)

    async def complete_all(self, repo: str, raws: list[RawRelease]) -> tuple[Release, ...]:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(raw: RawRelease) -> Release:
            async with gate:
                return await self.complete(repo, raw)

        return tuple(await asyncio.gather(*(one(raw) for raw in raws)))

    async def _commit_of(self, repo: str, raw: RawRelease) -> str:
        """What a release says that it is of may be a branch, which has moved on, or be ignored for a tag that
        was there before: it counts where the tag says the same; else the git tag does."""
        target = raw.target_commitish
        parts = split_tag(raw.tag_name)
        if is_full_hash(target) and (raw.draft or (parts and target.startswith(parts[1]))):
            return target
        key = (repo, raw.id, f"{raw.tag_name} {target} {raw.created_at}")
        known = None if raw.draft else self._commits.get(key)
        if known:
            return known
        commit = await self.repositories.tag_commit(repo, raw.tag_name)
        if commit and not raw.draft:
            self._commits.put(key, commit)
        if commit is None and raw.draft and _is_branch(target):
            head = await self.repositories.find_branch(repo, target)
            commit = head.commit if head else None
        return commit or (target if is_full_hash(target) else "")

    async def _published(self, repo: str, start: int, end: int) -> tuple[list[RawRelease], bool]:
        path = f"/repos/{repo}/releases"
        try:
            found, more = await self.api.window(path, start, end, query={"draft": False})
        except HeroError as error:
            if status_of(error) == 404:
                await self.repositories.get(repo)
            raise
        return [raw for raw in read_all(RawRelease, found) if not raw.draft], more

    async def _drafts(self, repo: str, branch: str | None) -> list[RawRelease]:
        path = f"/repos/{repo}/releases"
        listed = [raw async for raw in self.api.every(path, query={"draft": True})]
        drafts = [raw for raw in read_all(RawRelease, listed) if raw.draft]
        return [raw for raw in drafts if branch is None or parse_tag(raw.tag_name, branch)]

    async def _of_branch(self, repo: str, branch: str, start: int, end: int) -> tuple[list[RawRelease], bool]:
        """The releases of exactly `branch` from `start` to `end`, and whether there may be more.

        Looks at the newest releases first. If they do not do, the tags say how far it is worth to go on.
        """
        newest, more = await self._published(repo, 0, 50)
        found = _of(branch, newest)
        if len(found) >= end or not more:
            return found[start:end], more or len(found) > end
        tags = await self._tags(repo, branch)
        if len(tags) <= _FEW:
            there = await asyncio.gather(*(self.find(repo, tag) for tag in tags))
            found = _of(branch, [raw for raw in there if raw and not raw.draft and raw.tag_name in tags])
            found.sort(key=lambda raw: (raw.published_at, raw.id), reverse=True)
            return found[start:end], len(found) > end
        found = []
        async for answer in self.api.every(f"/repos/{repo}/releases", query={"draft": False}):
            found += _of(branch, read_all(RawRelease, [answer]))
            if len(found) >= min(end, len(tags)):
                break
        return found[start:end], len(found) >= end and len(tags) > end

    async def _tags(self, repo: str, branch: str) -> set[str]:
        """The git tags that a release of exactly `branch` could have."""
        answer = await self.api.find(f"/repos/{repo}/git/refs/tags/{part(branch + '-')}")
        # Forgejo answers an object where there is exactly one.
        listed = answer if isinstance(answer, list) else [answer]
        tags = (ref.ref.removeprefix("refs/tags/") for ref in read_all(_Ref, listed))
        return {tag for tag in tags if parse_tag(tag, branch)}


def _of(branch: str, raws: list[RawRelease]) -> list[RawRelease]:
    return [raw for raw in raws if not raw.draft and parse_tag(raw.tag_name, branch)]


def _is_branch(name: str) -> bool:
    try:
        check_branch(name)
    except BadValue:
        return False
    return True


def _is_tag(tag: str) -> bool:
    """Whether the forge could have such a tag: what cannot be written in an address is not asked for."""
    return tag.isprintable() and tag not in ("", ".", "..") and len(tag) <= 250
