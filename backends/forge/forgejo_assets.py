"""Files of releases on their way to a Forgejo and back: streamed, counted, and each there once."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from backends.forge.base import Asset, Progress
from backends.forge.folder_files import CHUNK, disk_errors, in_thread, open_file
from backends.forge.folder_records import check_asset_name, no_draft
from backends.forge.forgejo_api import ForgejoApi, part
from backends.forge.forgejo_downloads import Downloads
from backends.forge.forgejo_drafts import Drafts, conflict
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_http import API, Call
from backends.forge.forgejo_records import RawAsset, RawRelease, read, to_asset
from backends.forge.forgejo_releases import Releases
from backends.model.errors import HeroError

_TRIES = 3
_PAUSE = 0.5
_PATIENCE = 300.0
"""Seconds for an answer to an upload: the forge may first carry the file to a store of its own."""


@dataclass(frozen=True, slots=True)
class _File:
    """An open file to upload as `name`."""

    name: str
    reader: BinaryIO
    size: int
    progress: Progress | None


class Uploads:
    """Puts files into releases. Methods raise HeroError as `Forge` says."""

    def __init__(self, releases: Releases, drafts: Drafts, downloads: Downloads) -> None:
        self._releases = releases
        self._drafts = drafts
        self._downloads = downloads
        self._as_form = False

    @property
    def _api(self) -> ForgejoApi:
        return self._releases.api

    async def upload(
        self, repo: str, identifier: str, path: Path, name: str | None, progress: Progress | None
    ) -> Asset:
        shown = check_asset_name(path.name if name is None else name)
        with disk_errors(f"upload {shown}"):
            reader = await in_thread(open_file, path)
            with reader:
                file = _File(shown, reader, os.fstat(reader.fileno()).st_size, progress)
                return await self._upload(repo, identifier, file)

    async def _upload(self, repo: str, identifier: str, file: _File) -> Asset:
        raw = await self._release(repo, identifier)
        ours = raw.draft or await self._is_ours(repo, raw)
        there = raw.named(file.name)
        if same := await self._same(file, there):
            if file.progress:
                file.progress(file.size, file.size)
            return await self._settle(repo, raw, file.name, same, there if ours else [same])
        if not ours or (there and not raw.draft):
            release = await self._releases.complete(repo, raw)
            raise conflict(release, f"is published already, and not with this {file.name}")
        sent, digest = await self._send(repo, identifier, file, {asset.id for asset in raw.assets})
        return await self._converge(repo, identifier, file.name, sent, digest, there)

    async def _release(self, repo: str, identifier: str) -> RawRelease:
        raw = await self._releases.by_id(repo, identifier)
        if raw is None:
            await self._releases.repositories.get(repo)
            raise no_draft(identifier)
        return raw

    async def _is_ours(self, repo: str, raw: RawRelease) -> bool:
        """Whether a published release is the draft that we are filling: somebody pushed its tag meanwhile, and by
        that published it. On our commit no harm is done by completing it; on another one it is no longer ours."""
        begun = self._releases.begun.get((repo, str(raw.id)))
        if begun is None:
            return False
        return await self._releases.repositories.tag_commit(repo, raw.tag_name) == begun.commit

    async def _same(self, file: _File, there: list[RawAsset]) -> RawAsset | None:
        """The one of `there` that is the file already."""
        sizes = [asset for asset in there if asset.size == file.size and asset.uuid]
        if not sizes:
            return None
        ours = await in_thread(_digest, file.reader)
        for asset in sizes:
            if await self._downloads.digest(asset) == ours:
                return asset
        return None

    async def _send(self, repo: str, identifier: str, file: _File, before: set[int]) -> tuple[RawAsset, str]:
        """Upload the file: the asset and its SHA-256. A lost answer is looked up before anything is sent again."""
        for left in reversed(range(_TRIES)):
            digest = hashlib.sha256()
            try:
                raw = await self._post(repo, identifier, file, digest)
                return raw, digest.hexdigest()
            except HeroError as error:
                if self._wants_form(error):
                    self._as_form = True
                    continue
                if status_of(error) not in (None, 500, 502, 503, 504) or error.code != "unreachable":
                    raise
                if arrived := await self._arrived(repo, identifier, file, before):
                    return arrived
                if not left:
                    raise
                await self._api.http.sleep(_PAUSE)
        raise self._api.site.no_forge(f"the upload of {file.name}", "it takes neither a form nor a plain body")

    def _wants_form(self, error: HeroError) -> bool:
        """Whether the forge is older than uploads without a form."""
        missing = status_of(error) == 400 or (status_of(error) == 500 and "multipart" in error.message)
        return missing and not self._as_form

    async def _arrived(
        self, repo: str, identifier: str, file: _File, before: set[int]
    ) -> tuple[RawAsset, str] | None:
        raw = await self._release(repo, identifier)
        new = [asset for asset in raw.named(file.name) if asset.id not in before]
        found = await self._same(file, new)
        return (found, await self._downloads.digest(found)) if found else None

    async def _post(self, repo: str, identifier: str, file: _File, digest: hashlib._Hash) -> RawAsset:
        path = f"/repos/{repo}/releases/{identifier}/assets"
        head, tail, kind = _form(file.name) if self._as_form else (b"", b"", "application/octet-stream")

        async def body() -> AsyncIterator[bytes]:
            if head:
                yield head
            async for chunk in _pieces(file, digest):
                yield chunk
            if tail:
                yield tail

        call = Call(
            "POST",
            f"{self._api.site.base}{API}{path}?name={part(file.name)}",
            f"POST {path}",
            "unsent",
            headers={"Content-Type": kind, "Content-Length": str(len(head) + file.size + len(tail))},
            content=body,
            patience=_PATIENCE,
        )
        answer = self._api.parsed(await self._api.checked(call), call.shown)
        raw = read(RawAsset, answer, self._api.site, call.shown)
        if raw.size == file.size:
            self._releases.digests.put(raw.uuid, digest.hexdigest())
            return raw
        await self._drafts.delete_asset(repo, identifier, raw)
        raise self._api.site.error(
            "verification",
            f"{file.name} arrived with {raw.size} instead of {file.size} bytes.",
            "Upload it again.",
        )

    async def _converge(
        self, repo: str, identifier: str, name: str, sent: RawAsset, digest: str, old: list[RawAsset]
    ) -> Asset:
        """One file of the name for all who upload at once: the first that came is the one that stays.

        All see the same order, so none deletes what another one keeps.
        """
        raw = await self._release(repo, identifier)
        replaced = {asset.id for asset in old}
        there = [asset for asset in raw.named(name) if asset.id not in replaced]
        if not there:
            raise conflict(await self._releases.complete(repo, raw), f"lost its {name}: somebody deletes it")
        first = there[0]
        if first.id != sent.id and await self._downloads.digest(first) != digest:
            await self._drafts.delete_asset(repo, identifier, sent)
            release = await self._releases.complete(repo, raw)
            raise conflict(release, f"gets another {name} from somebody else at the same time")
        return await self._settle(repo, raw, name, first, raw.named(name))

    async def _settle(self, repo: str, raw: RawRelease, name: str, kept: RawAsset, named: list[RawAsset]) -> Asset:
        """Delete all that are `named` so but the one that is kept."""
        for asset in named:
            if asset.id != kept.id:
                await self._drafts.delete_asset(repo, str(raw.id), asset)
        begun = self._releases.begun.get((repo, str(raw.id)))
        if begun is not None:
            begun.uploaded[name] = kept.uuid
        alone = raw.model_copy(update={"assets": (kept,)})
        return to_asset(self._api.site.base, repo, alone, kept, self._releases.digests.get(kept.uuid))


async def _pieces(file: _File, digest: hashlib._Hash) -> AsyncIterator[bytes]:
    """The file from its beginning, hashed and reported. Raises HeroError if it is not as long as it was."""

    def step() -> bytes:
        chunk = file.reader.read(CHUNK)
        digest.update(chunk)
        return chunk

    await in_thread(file.reader.seek, 0)
    done = 0
    while chunk := await in_thread(step):
        done += len(chunk)
        if done > file.size:
            break
        yield chunk
        if file.progress:
            file.progress(done, file.size)
    if done != file.size:
        raise HeroError(
            "failed",
            f"{file.name} changed while it was uploaded.",
            hint="Does a build still write it? Publish again when it has ended.",
        )


def _digest(reader: BinaryIO) -> str:
    reader.seek(0)
    digest = hashlib.sha256()
    while chunk := reader.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _form(name: str) -> tuple[bytes, bytes, str]:
    """What stands before and after a file in a form, and the form's type."""
    boundary = secrets.token_hex(16)
    quoted = name.replace('"', "%22")
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="attachment"; filename="{quoted}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    return head.encode(), f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
