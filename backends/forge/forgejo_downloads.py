"""Files of releases on their way from a Forgejo: exactly the bytes from an offset on, or an error."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from backends.forge.base import Asset
from backends.forge.folder_files import CHUNK, in_thread
from backends.forge.forgejo_api import ForgejoApi
from backends.forge.forgejo_errors import status_of
from backends.forge.forgejo_http import Call
from backends.forge.forgejo_records import RawAsset, RawRelease, asset_url
from backends.forge.forgejo_releases import Releases
from backends.forge.lean_httpx import httpx
from backends.model.errors import HeroError, unknown_name
from backends.model.text import safe_line

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


class Downloads:
    """Reads files of `releases`. Methods raise HeroError as `Forge` says."""

    def __init__(self, releases: Releases) -> None:
        self._releases = releases

    @property
    def _api(self) -> ForgejoApi:
        return self._releases.api

    async def open(self, repo: str, tag: str, name: str, offset: int) -> AsyncGenerator[bytes, None]:
        """The bytes of a published asset from `offset` on."""
        release = await self._releases.published(repo, tag)
        found = release.named(name)
        if not found:
            raise unknown_name("asset", safe_line(name, 200), [safe_line(a.name, 200) for a in release.assets])
        if found[0].type == "external":
            raise self._api.site.error(
                "denied",
                f"{safe_line(name, 200)} of {safe_line(tag, 200)} is a link to another site, not a file.",
                "Upload the file itself to the release.",
            )
        if not 0 <= offset <= found[0].size:
            raise _past_the_end(found[0], tag, offset)
        if offset == found[0].size:
            return
        url = self._url(repo, release, found[0])
        try:
            async with aclosing(self._read(url, found[0], offset)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except HeroError as error:
            if status_of(error) == 404:
                raise await self._gone(repo, tag, name) from None
            if status_of(error) == 416:
                raise _past_the_end(found[0], tag, offset) from None
            raise

    async def read(self, asset: Asset) -> AsyncGenerator[bytes, None]:
        """The bytes of a file of a draft, as it was listed. Raises HeroError, usage for one that is no draft's."""
        base, _, uuid = asset.url.rpartition("/attachments/")
        if base != self._api.site.base or not uuid:
            raise HeroError(
                "usage", f"{safe_line(asset.name, 200)} is no file of a draft of {self._api.site.name}."
            )
        raw = RawAsset(id=0, name=asset.name, size=asset.size, uuid=uuid)
        async with aclosing(self._read(self._by_uuid(raw), raw, 0)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def digest(self, asset: RawAsset) -> str:
        """The SHA-256 of an asset: known, or read back once. "" where it cannot be read."""
        if not asset.uuid:
            return ""
        if known := self._releases.digests.get(asset.uuid):
            return known
        digest = hashlib.sha256()
        waiting = bytearray()
        async with aclosing(self._read(self._by_uuid(asset), asset, 0)) as chunks:
            async for chunk in chunks:
                waiting += chunk
                if len(waiting) >= CHUNK:
                    await in_thread(digest.update, bytes(waiting))
                    waiting.clear()
        digest.update(waiting)
        self._releases.digests.put(asset.uuid, digest.hexdigest())
        return digest.hexdigest()

    def _by_uuid(self, asset: RawAsset) -> str:
        return f"{self._api.site.base}/attachments/{asset.uuid}"

    def _url(self, repo: str, release: RawRelease, asset: RawAsset) -> str:
        """By its uuid where there is one: then nobody can put another file in its place while we read."""
        return self._by_uuid(asset) if asset.uuid else asset_url(self._api.site.base, repo, release, asset)

    async def _read(self, url: str, asset: RawAsset, offset: int) -> AsyncGenerator[bytes, None]:
        headers = {"Range": f"bytes={offset}-", "If-Range": f'"{asset.uuid}"'} if offset else {}
        call = Call("GET", url, f"GET {safe_line(asset.name, 200)}", headers=headers, away=True)
        left = asset.size - offset
        async with self._api.http.stream(call) as response:
            skip = self._to_skip(response, asset, offset, call)
            async with aclosing(self._api.http.chunks(call, response)) as chunks:
                async for chunk in chunks:
                    fresh = chunk[skip:]
                    skip -= len(chunk) - len(fresh)
                    left -= len(fresh)
                    if left < 0:
                        raise self._api.site.unreachable("more comes than the file has bytes", call.shown)
                    if fresh:
                        yield fresh
        if left:
            raise self._api.site.unreachable(f"{left} of {asset.size} bytes did not come", call.shown)

    def _to_skip(self, response: httpx.Response, asset: RawAsset, offset: int, call: Call) -> int:
        """How many bytes of the answer we have already. Raises HeroError for an answer of another length."""
        length = response.headers.get("content-length", "")
        begins = 0
        if response.status_code == 206:
            told = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
            if not told or int(told[1]) != offset or told[3] not in ("*", str(asset.size)):
                raise self._api.site.unreachable(
                    "it sends another piece of the file than was asked for", call.shown
                )
            begins = offset
        if length.isascii() and length.isdigit() and int(length[:18]) != asset.size - begins:
            raise self._api.site.unreachable(
                f"it sends {length[:18]} bytes instead of {asset.size - begins}", call.shown
            )
        return offset - begins

    async def _gone(self, repo: str, tag: str, name: str) -> HeroError:
        """Why a file that was listed a moment ago is not there."""
        try:
            there = any(asset.name == name for asset in (await self._releases.published(repo, tag)).assets)
        except HeroError as error:
            if error.code != "not_found":
                return error
            there = False
        if there:
            return self._api.site.error(
                "denied",
                f"{self._api.site.name} lists {name} of {tag}, and does not give it out.",
                f"May the token read this repository? See {self._api.site.tokens_page}.",
            )
        return self._api.site.error(
            "not_found",
            f"{name} of {tag} was deleted while it was fetched.",
            "Choose another release: `hero_dev releases` lists them.",
        )


def _past_the_end(asset: RawAsset, tag: str, offset: int) -> HeroError:
    return HeroError(
        "usage",
        f"{safe_line(asset.name, 200)} of {safe_line(tag, 200)} has {asset.size} bytes; "
        f"there is no byte {offset} to begin at.",
        hint="Download it from the beginning.",
        data={"size": asset.size},
    )
