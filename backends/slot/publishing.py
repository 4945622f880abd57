"""A clean build becomes a release: draft, upload, verify, publish; once, however many publish it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from backends.forge.base import Forge, Release
from backends.model.errors import HeroError
from backends.model.release import archive_name, release_tag, sha256sums_text
from backends.slot.files import write_atomically
from backends.slot.sources import SUMS

Tell = Callable[[str, int, int | None], None]
"""Takes a phase, and bytes done of all."""


async def publish(
    forge: Forge,
    repo: str,
    branch: str,
    commit: str,
    *,
    archive: Path,
    sha256: str,
    binary: str,
    platform: str,
    title: str,
    author: str,
    tell: Tell,
) -> Release:
    """Publish `archive` as the release of `commit`. One that is published already is returned as it is.

    Raises HeroError: not_found when the forge does not have the commit, conflict, no_space, unreachable.
    """
    tag = release_tag(branch, commit)
    name = archive_name(binary, platform)
    tell("publish", 0, None)
    try:
        draft = await forge.create_draft(repo, tag=tag, commit=commit, title=title, body="", author=author)
    except HeroError as error:
        if error.code != "conflict":
            raise
        return await _published(forge, repo, tag, name)
    sums = archive.with_name(SUMS)
    known = {asset.name: asset.sha256 for asset in draft.assets if asset.name not in (SUMS, name)}
    digests = {other: digest for other, digest in known.items() if digest} | {name: sha256}
    await asyncio.to_thread(write_atomically, sums, sha256sums_text(digests).encode())
    size = archive.stat().st_size
    asset = await forge.upload_asset(
        repo, draft.id, archive, name=name, progress=lambda done, _: tell("upload", done, size)
    )
    if asset.size != size or asset.sha256 not in (None, sha256):
        raise HeroError("verification", f"{name} arrived at the forge with another size or digest.")
    await forge.upload_asset(repo, draft.id, sums, name=SUMS, progress=None)
    return await forge.publish(repo, draft.id)


async def _published(forge: Forge, repo: str, tag: str, name: str) -> Release:
    """The release that somebody published before us, if it has our platform's archive."""
    release = await forge.release(repo, tag)
    if any(asset.name == name for asset in release.assets):
        return release
    raise HeroError(
        "conflict",
        f"{tag} is published already, without {name}; a published release is never changed.",
        hint="Publish a new commit, or let the slot that publishes this branch build for this platform too.",
    )
