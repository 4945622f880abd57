"""Clean builds become a release: draft, archives, SHA256SUMS, a look at it all, out; once, whoever publishes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from backends.failpoints import failpoint
from backends.forge.base import Asset, Forge, Release
from backends.model.errors import HeroError
from backends.model.release import parse_archive_name, release_tag, sha256sums_text
from backends.model.text import safe_line
from backends.slot.files import write_atomically
from backends.slot.sources import SUMS, is_whole

Tell = Callable[[str, int, int | None], None]
"""Takes a phase, and bytes done of all."""

_TRIES = 8
_PAUSE = 0.2
"""Seconds before the first new look at a draft that somebody else changed; each later one waits as much longer."""


class Upload(NamedTuple):
    """An archive to publish: where it is, what it is called, its digest in hex."""

    path: Path
    name: str
    sha256: str


class _Expected(NamedTuple):
    """What a file must be on the forge; `size` in bytes where it is known."""

    size: int | None
    sha256: str


@runtime_checkable
class ReadsDrafts(Protocol):
    """A forge that does not know digests, and so gives out the files of drafts."""

    def read_asset(self, repo: str, asset: Asset) -> AsyncIterator[bytes]:
        """The bytes of a file as it was listed."""
        ...


async def publish(
    forge: Forge,
    repo: str,
    branch: str,
    commit: str,
    archives: Sequence[Upload],
    *,
    title: str,
    author: str,
    tell: Tell,
) -> Release:
    """Publish `archives` as the release of `commit`. One that is whole already is returned as it is.

    Cut off at any step, it goes on with what is there when it is called again. Raises HeroError: not_found when
    the forge does not have the commit, conflict, verification, no_space, unreachable.
    """
    draft = _Draft(forge, repo, release_tag(branch, commit), commit, title, author)
    tell("publish", 0, None)
    begun = await draft.look()
    if _is_out(begun):
        return _with_ours(begun, archives)
    failpoint("publish.1.drafted")
    try:
        await _upload(forge, repo, begun.id, archives, tell)
        failpoint("publish.2.uploaded")
        return await _complete(draft, archives)
    except HeroError as error:
        there = await draft.look() if error.code == "conflict" else begun
        if not _is_out(there):
            raise
        return _with_ours(there, archives)


@dataclass(frozen=True)
class _Draft:
    """The release that is being made."""

    forge: Forge
    repo: str
    tag: str
    commit: str
    title: str
    author: str

    async def look(self) -> Release:
        """It as it is now, made if it is missing; published if somebody has published it. Raises HeroError."""
        forge, repo = self.forge, self.repo
        try:
            return await forge.create_draft(
                repo, tag=self.tag, commit=self.commit, title=self.title, body="", author=self.author
            )
        except HeroError as error:
            if error.code != "conflict":
                raise
            try:
                release = await forge.release(repo, self.tag)
            except HeroError:
                raise error from None
            if release.commit != self.commit:
                raise
            # Without its sums it is a draft of ours that a tag, pushed by hand, has published: it is completed.
            return release


async def _complete(draft: _Draft, archives: Sequence[Upload]) -> Release:
    """Add the sums of all archives, look at everything, publish; again while somebody else adds to the draft."""
    for left in reversed(range(_TRIES)):
        there = await draft.look()
        if _is_out(there):
            return _with_ours(there, archives)
        try:
            expected = await _add_sums(draft, there, archives)
            _verify(await draft.look(), expected)
            break
        except HeroError as error:
            if not left or error.code not in ("verification", "conflict"):
                raise
            await asyncio.sleep(_PAUSE * (_TRIES - left))
    await draft.forge.publish(draft.repo, there.id)
    failpoint("publish.4.published")
    release = await draft.forge.release(draft.repo, draft.tag)
    _verify(release, expected)
    return release


async def _add_sums(draft: _Draft, there: Release, archives: Sequence[Upload]) -> dict[str, _Expected]:
    """Put SHA256SUMS of ours and everybody else's archives into the draft; what must be in it now."""
    sums = {one.name: one.sha256 for one in archives} | await _others(draft.forge, draft.repo, there, archives)
    text = sha256sums_text(sums).encode()
    path = archives[0].path.with_name(SUMS)
    await asyncio.to_thread(write_atomically, path, text)
    await draft.forge.upload_asset(draft.repo, there.id, path, name=SUMS)
    failpoint("publish.3.summed")
    sizes = {one.name: one.path.stat().st_size for one in archives}
    expected = {name: _Expected(sizes.get(name), sha256) for name, sha256 in sums.items()}
    return expected | {SUMS: _Expected(len(text), hashlib.sha256(text).hexdigest())}


def _is_out(release: Release) -> bool:
    """Whether it is published, and as a whole."""
    return not release.draft and is_whole(release)


def _with_ours(release: Release, archives: Sequence[Upload]) -> Release:
    """The release that somebody published before us, if it has our platforms' archives."""
    there = {asset.name for asset in release.assets}
    for one in archives:
        if one.name not in there:
            raise HeroError(
                "conflict",
                f"{safe_line(release.tag)} is published already, without {one.name}; "
                "a published release is never changed.",
                hint="Publish a new commit, or let the slot that publishes this branch build for this platform "
                "too.",
            )
    return release


async def _upload(forge: Forge, repo: str, draft: str, archives: Sequence[Upload], tell: Tell) -> None:
    sizes = [one.path.stat().st_size for one in archives]
    total = sum(sizes)
    for number, one in enumerate(archives):
        before = sum(sizes[:number])

        def progress(done: int, _: int | None, before: int = before) -> None:
            tell("upload", before + done, total)

        asset = await forge.upload_asset(repo, draft, one.path, name=one.name, progress=progress)
        if asset.size != sizes[number] or asset.sha256 not in (None, one.sha256):
            raise HeroError("verification", f"{one.name} arrived at the forge with another size or digest.")


async def _others(forge: Forge, repo: str, draft: Release, archives: Sequence[Upload]) -> dict[str, str]:
    """The digests of what others put into the draft: archives for other platforms."""
    ours = {one.name for one in archives}
    found = {}
    for asset in draft.assets:
        if asset.name not in ours and parse_archive_name(asset.name):
            found[asset.name] = asset.sha256 or await _read_back(forge, repo, draft, asset)
    return found


async def _read_back(forge: Forge, repo: str, draft: Release, asset: Asset) -> str:
    if not isinstance(forge, ReadsDrafts):
        raise HeroError(
            "conflict",
            f"The draft of {safe_line(draft.tag)} has {safe_line(asset.name)}, with a digest that nobody tells.",
            hint="Delete the draft on the forge, then publish again.",
        )
    digest = hashlib.sha256()
    async for chunk in forge.read_asset(repo, asset):
        await asyncio.to_thread(digest.update, chunk)
    return digest.hexdigest()


def _verify(release: Release, expected: Mapping[str, _Expected]) -> None:
    """Raises HeroError unless the forge lists each expected file once, as it was sent, and no archive besides."""
    listed = [asset for asset in release.assets if asset.name in expected or parse_archive_name(asset.name)]
    for name in sorted({*expected, *(asset.name for asset in listed)}):
        wrong = _wrong_with([asset for asset in listed if asset.name == name], expected.get(name))
        if wrong:
            raise HeroError(
                "verification",
                f"{safe_line(name)} of {safe_line(release.tag)} {wrong}.",
                hint="Does somebody else publish this commit at the same time? Publish again.",
            )


def _wrong_with(there: Sequence[Asset], expected: _Expected | None) -> str:
    if expected is None:
        return f"is not in its {SUMS}"
    if len(there) != 1:
        return f"is there {len(there)} times on the forge"
    if expected.size is not None and there[0].size != expected.size:
        return f"has {there[0].size} instead of {expected.size} bytes on the forge"
    if there[0].sha256 not in (None, expected.sha256):
        return "has another digest on the forge than what was uploaded"
    return ""
