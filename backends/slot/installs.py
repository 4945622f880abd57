"""The versions of a service on disk: installed whole from a verified archive, found again, pruned."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from backends.archives.cache import ArchiveCache
from backends.archives.installed import is_complete, settle
from backends.archives.trees import sweep
from backends.archives.unpack import unpack
from backends.forge.base import Forge
from backends.model.errors import HeroError
from backends.model.frozen import Frozen
from backends.model.paths import SlotPaths
from backends.model.service import ServiceDescription
from backends.model.state import Source
from backends.model.tomlfile import parse
from backends.slot.board import now
from backends.slot.files import link_target, write_atomically
from backends.slot.operations import Progress
from backends.slot.sources import Archive, Target

KEPT_VERSIONS = 5
"""Installed versions of a service that stay, besides the running, previous and pinned ones."""


class Installed(Frozen):
    """One version on disk: `folder` below `opt/<service>`, and what it was made from."""

    folder: str
    version: str
    sha256: str
    source: Source
    branch: str
    repo: str
    tag: str = ""
    installed_at: datetime


class Installs:
    """`~/hero/opt` of one slot."""

    def __init__(self, paths: SlotPaths, cache: ArchiveCache, forge: Forge):
        self._paths = paths
        self._cache = cache
        self._forge = forge

    async def install(
        self, target: Target, progress: Progress, *, built: Path | None = None, again: bool = False
    ) -> Installed:
        """Make `target` present, complete and verified; `built` is a local archive of it.

        `again` unpacks it afresh beside the one that is there.

        Raises HeroError: verification, no_space, not_found, unreachable. Nothing half stays.
        """
        there = self.find(target.service, sha256=target.sha256)
        if there and not again:
            return self._renamed(there, target)
        folder = await self._free_folder(target)
        record = Installed(
            folder=folder,
            version=target.version,
            sha256=target.sha256,
            source=target.source,
            branch=target.branch,
            repo=target.repo,
            tag=target.tag,
            installed_at=now(),
        )
        destination = self._paths.opt / target.service / folder
        if built is not None:
            await self._unpack(built, destination, record, progress)
            return record
        if target.archive is None:
            raise HeroError("not_found", f"{target.service} {target.version[:8]} has no archive.")
        await self._fetch(target.archive, progress)
        try:
            await self._unpack_cached(destination, record, progress)
        except HeroError as error:
            if error.code not in ("verification", "not_found"):
                raise
            # Damaged, or just collected: `get` sets a bad one aside, then a new one is fetched.
            await self._cache.get(record.sha256)
            await self._fetch(target.archive, progress)
            await self._unpack_cached(destination, record, progress)
        return record

    def find(self, service: str, *, sha256: str = "", version: str = "", folder: str = "") -> Installed | None:
        """The installed version with this archive digest, full version or folder name; newest first."""
        for one in self.versions(service):
            if (sha256 and one.sha256 == sha256) or (folder and one.folder == folder):
                return one
            if version and one.version.startswith(version):
                return one
        return None

    def versions(self, service: str) -> list[Installed]:
        """All complete versions of `service`, newest installation first."""
        found = []
        records = self._paths.opt / service / ".versions"
        for path in records.glob("*.json") if records.is_dir() else []:
            try:
                one = Installed.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                continue
            if is_complete(self._paths.opt / service / one.folder, one.sha256):
                found.append(one)
        return sorted(found, key=lambda one: one.installed_at, reverse=True)

    async def cached(self, sha256: str) -> bool:
        """Whether the box has the archive already."""
        return await self._cache.get(sha256, verify=False) is not None

    def current(self, service: str) -> Installed | None:
        """The version that the service's symlink names."""
        target = link_target(self._paths.current(service))
        return self.find(service, folder=target.name) if target else None

    def describe(self, service: str, folder: str) -> ServiceDescription:
        """The `hero_service.toml` of an installed version. Raises HeroError."""
        path = self._paths.opt / service / folder / "hero_service.toml"
        try:
            return parse(ServiceDescription, path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise HeroError(
                "failed",
                f"{path} cannot be read: {error}.",
                hint=f"Install it again: `hero_dev install {service} --reset`.",
            ) from error

    def digests(self) -> tuple[str, ...]:
        """The sha256 of every installed archive, which the cache's collector leaves alone."""
        services = self._paths.opt.iterdir() if self._paths.opt.is_dir() else ()
        return tuple(sorted({one.sha256 for folder in services for one in self.versions(folder.name)}))

    async def remove(self, service: str, folder: str) -> None:
        """Drop one installed version; never the one that the symlink names."""
        running = link_target(self._paths.current(service))
        if running and running.name == folder:
            return
        await asyncio.to_thread(self._remove, service, folder)

    async def settle(self, service: str, folder: str) -> None:
        """Make an installed version survive a power loss; seconds on a busy disk, so after a switch, not in it."""
        await asyncio.to_thread(settle, self._paths.opt / service / folder)

    async def prune(self, service: str, keep: set[str]) -> None:
        """Remove old versions beyond `KEPT_VERSIONS`; those whose version is in `keep` stay."""
        for old in self.versions(service)[KEPT_VERSIONS:]:
            if old.version not in keep:
                await self.remove(service, old.folder)

    async def sweep(self) -> None:
        """Remove what an unpacking that was killed left behind."""
        if self._paths.opt.is_dir():
            for folder in self._paths.opt.iterdir():
                await asyncio.to_thread(sweep, folder)

    def _remove(self, service: str, folder: str) -> None:
        self._record(service, folder).unlink(missing_ok=True)
        shutil.rmtree(self._paths.opt / service / folder, ignore_errors=True)

    def _renamed(self, there: Installed, target: Target) -> Installed:
        """The same bytes under what they are asked as now: a build may equal a release to the last one."""
        asked = {"source": target.source, "branch": target.branch, "tag": target.tag or there.tag}
        record = there.model_copy(update=asked)
        if record != there:
            path = self._record(target.service, there.folder)
            write_atomically(path, record.model_dump_json().encode(), durable=False)
        return record

    async def _fetch(self, archive: Archive, progress: Progress) -> None:
        if await self.cached(archive.sha256):
            return
        progress.tell("download", 0, archive.size)

        def open_at(offset: int) -> AsyncIterator[bytes]:
            return self._forge.open_asset(archive.repo, archive.tag, archive.name, offset=offset)

        await self._cache.add_stream(
            open_at,
            archive.sha256,
            size=archive.size,
            progress=lambda done, total: progress.tell("download", done, total),
        )

    async def _unpack_cached(self, destination: Path, record: Installed, progress: Progress) -> None:
        async with self._cache.lease(record.sha256) as archive:
            await self._unpack(archive, destination, record, progress)

    async def _unpack(self, archive: Path, destination: Path, record: Installed, progress: Progress) -> None:
        progress.tell("unpack")
        service = destination.parent.name
        write_atomically(self._record(service, record.folder), record.model_dump_json().encode(), durable=False)
        await asyncio.to_thread(
            unpack, archive, destination, sha256=record.sha256, cancelled=progress.cancel.is_set
        )

    async def _free_folder(self, target: Target) -> str:
        """`<hash8>`, or with the archive's digest behind it where that name is taken by another archive."""
        short = target.version[:8]
        names = (short, f"{short}.{target.sha256[:8]}")
        for name in names:
            if not (self._paths.opt / target.service / name).exists():
                return name
        in_force = link_target(self._paths.current(target.service))
        name = next(one for one in names if in_force is None or in_force.name != one)
        await self.remove(target.service, name)
        return name

    def _record(self, service: str, folder: str) -> Path:
        return self._paths.opt / service / ".versions" / f"{folder}.json"
