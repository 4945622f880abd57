"""The box's archives by their sha256, shared by the processes of all slots and verified on the way in and out.

    sha256/ab/<sha256>      whole archives, mode 0444; a shared flock on one is a lease
    used/<sha256>           its time is the archive's last use
    partial/<sha256>.part   a download; whoever has the exclusive flock writes it
    corrupt/<sha256>.<time> what no longer matched its name, kept a day to be looked at

An archive gets its name by a rename after its digest matched and it was synced, so what has a name was whole.
No process trusts another: `get` hashes again. A switch need not do so twice, as `unpack` verifies what it unpacks:

    async with cache.lease(sha256) as path:
        await asyncio.to_thread(unpack, path, dest, sha256=sha256)
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from backends.archives.collect import Collected, Usage, collect, measure
from backends.archives.disk import disk_errors, in_thread, is_at, open_regular, wait_lock
from backends.archives.download import Download, OpenAt, Progress, make_folder, read_file
from backends.archives.installed import file_sha256, hash_file
from backends.model.errors import HeroError
from backends.model.names import check_sha256

LIMIT = 20 << 30
ATTEMPTS = 4
"""How often an archive is fetched that is gone or damaged again when it is looked for."""
SETTLED = 2.0
"""Seconds since a file's last change after which its times prove it unchanged: their clock is coarse."""


class ArchiveCache:
    """One cache folder. Methods may be called by any number of tasks and processes at once."""

    def __init__(
        self, root: Path, *, limit_bytes: int = LIMIT, on_corrupt: Callable[[str, Path], None] | None = None
    ) -> None:
        """`root` is made when first written to; `on_corrupt` is told each bad sha256 and where it was moved."""
        self.root = root
        self.limit_bytes = limit_bytes
        self._on_corrupt = on_corrupt
        self._verified: dict[str, tuple[int, ...]] = {}

    def path(self, sha256: str) -> Path:
        """Where the archive is, if it is there. Raises BadValue for what is no sha256."""
        return self.root / "sha256" / check_sha256(sha256)[:2] / sha256

    async def add_stream(
        self, open_at: OpenAt, sha256: str, size: int | None = None, progress: Progress | None = None
    ) -> Path:
        """The archive `sha256`, downloaded unless it is here; `open_at(n)` yields its bytes from offset n on.

        What an earlier download left is gone on with. Only one task on the box downloads one archive; the others
        wait for it, and go on with it should it die. `size`, where known, is checked too. `progress` gets the
        bytes done and in all (None: unknown).

        Raises HeroError: "verification" with `expected` and `found` (nothing is kept), "unreachable" when the
        stream ended early (kept, to go on with), "no_space" (nothing kept); and whatever `open_at` raises (kept).
        """
        for _ in range(ATTEMPTS):
            found = await self.get(sha256)
            if found is not None:
                return found
            await Download(self.root, self.path(sha256), size, progress).run(open_at)
        raise HeroError(
            "verification",
            f"The archive {sha256[:12]}… was written whole {ATTEMPTS} times and is damaged or gone each time.",
            hint=f"Check the disk under {self.root}.",
            data={"sha256": sha256},
        )

    async def add_file(self, path: Path, progress: Progress | None = None) -> tuple[str, Path]:
        """Copy the archive at `path` into the cache; returns its sha256 and where it is now. Raises HeroError."""
        sha256 = await in_thread(lambda: file_sha256(path))
        with disk_errors("reading", path):
            size = path.stat().st_size
        return sha256, await self.add_stream(lambda offset: read_file(path, offset), sha256, size, progress)

    async def get(self, sha256: str, *, verify: bool = True) -> Path | None:
        """The archive, hashed again, or None if it is not here.

        One that does not match is moved to `corrupt/`, reported to `on_corrupt`, and is not here. What this
        process has verified and nobody changed since is not hashed again. `verify=False` only looks: for
        callers that verify what they read, as `unpack` does. Hold a `lease` while reading.
        """
        path = self.path(sha256)
        with disk_errors("reading", path):
            here = await in_thread(lambda: self._is_good(path)) if verify else path.is_file()
        if not here:
            return None
        self._touch(sha256)
        return path

    @contextlib.asynccontextmanager
    async def lease(self, sha256: str) -> AsyncIterator[Path]:
        """The archive's path, which no collector takes within the block. Not verified: see `get`.

        Raises HeroError("not_found").
        """
        path = self.path(sha256)
        try:
            lock = await wait_lock(path, shared=True)
        except FileNotFoundError as error:
            raise HeroError(
                "not_found",
                f"The archive {sha256[:12]}… is not in the cache.",
                hint="Run it again: it will be downloaded.",
                data={"sha256": sha256},
            ) from error
        try:
            self._touch(sha256)
            yield path
        finally:
            os.close(lock)

    async def collect(self, keep: set[str]) -> Collected:
        """Remove the archives used longest ago until the cache is within its limit.

        Never one in `keep` (the installed ones), one that is leased, or a download of the last day.
        Raises HeroError.
        """
        with disk_errors("cleaning up", self.root):
            if not self.root.is_dir():
                return Collected(0, ())
            lock = await wait_lock(self.root / ".collect.lock", create=True)
            try:
                return await in_thread(lambda: collect(self.root, self.limit_bytes, keep, time.time()))
            finally:
                os.close(lock)

    async def usage(self) -> Usage:
        """What the cache holds. Raises HeroError."""
        with disk_errors("reading", self.root):
            return await in_thread(lambda: measure(self.root, self.limit_bytes))

    def _is_good(self, path: Path) -> bool:
        """Hash `path` unless it is known; move it away if it is not what its name says."""
        try:
            file = open_regular(path)
        except FileNotFoundError:
            return False
        with file:
            before = _identity(os.fstat(file.fileno()))
            if self._verified.get(path.name) == before:
                return True
            good = hash_file(file).hexdigest() == path.name
            after = os.fstat(file.fileno())
            if not good:
                self._set_aside(path, file.fileno())
            elif _identity(after) == before and time.time() - after.st_ctime > SETTLED:
                self._verified[path.name] = before
            return good

    def _touch(self, sha256: str) -> None:
        """Note that the archive is used now. Failing is no harm: it only looks older than it is."""
        stamp = self.root / "used" / sha256
        with contextlib.suppress(OSError):
            make_folder(stamp.parent, self.root)
            try:
                stamp.touch()
            except PermissionError:  # another slot's user made it, but the folder is ours too
                stamp.unlink(missing_ok=True)
                stamp.touch()

    def _set_aside(self, path: Path, fd: int) -> None:
        aside = self.root / "corrupt" / f"{path.name}.{time.time_ns()}"
        make_folder(aside.parent, self.root)
        with contextlib.suppress(FileNotFoundError):  # another process saw it too
            if is_at(fd, path):
                path.rename(aside)
                os.utime(aside)
                if self._on_corrupt is not None:
                    self._on_corrupt(path.name, aside)


def _identity(info: os.stat_result) -> tuple[int, ...]:
    return (info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
