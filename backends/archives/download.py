"""One archive's way into the cache: resumed, hashed as it is written, synced, and only then given its name."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from io import FileIO
from pathlib import Path

from backends.archives.disk import CHUNK, disk_errors, in_thread, open_regular, wait_lock, write_all
from backends.durable import sync_folder
from backends.failpoints import failpoint
from backends.model.errors import HeroError

LOOKS, LOOK_SECONDS = 20, 0.05
"""How often, and after how many seconds each, a download is looked at that this user may not open yet."""

OpenAt = Callable[[int], AsyncIterator[bytes]]
"""Yields an archive's bytes from an offset on."""
Progress = Callable[[int, int | None], None]
"""Called with the bytes done and the bytes there are, None if unknown."""


async def read_file(path: Path, offset: int) -> AsyncIterator[bytes]:
    """The bytes of the regular file `path` from `offset` on: an `OpenAt` for local files. Raises HeroError."""
    with disk_errors("reading", path), open_regular(path) as file:
        file.seek(offset)
        while block := await in_thread(lambda: file.read(CHUNK)):
            yield block


def make_folder(folder: Path, root: Path) -> None:
    """Make `folder` below `root`, open to whom `root` is open: the box's slots share it."""
    if folder.is_dir():
        return
    if folder != root:
        make_folder(folder.parent, root)
    if folder == root:
        folder.mkdir(parents=True, exist_ok=True)
        return
    # It has its name only once it is open to the others, one of whom may be looking for it right now.
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    fresh.chmod(root.stat().st_mode & 0o7777)
    try:
        fresh.rename(folder)
    except OSError as error:
        fresh.rmdir()
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise


class Download:
    """A download of the archive `target` of the cache `root`, whose name is its sha256."""

    def __init__(self, root: Path, target: Path, size: int | None, progress: Progress | None) -> None:
        self._root = root
        self._target = target
        self._part = root / "partial" / f"{target.name}.part"
        self._size = size
        self._progress = progress

    async def run(self, open_at: OpenAt) -> None:
        """Make the target, or wait for whoever does. Raises as `ArchiveCache.add_stream`."""
        lock = await self._lock()
        try:
            if self._target.exists():
                self._part.unlink()
                return
            await self._fill_and_commit(open_at)
        except HeroError as error:
            if error.code in ("verification", "no_space"):
                self._part.unlink(missing_ok=True)
            raise
        finally:
            os.close(lock)

    async def _lock(self) -> int:
        with disk_errors("writing", self._part):
            make_folder(self._part.parent, self._root)
            while True:
                lock = await self._opened_lock()
                if os.fstat(lock).st_uid == os.geteuid():
                    os.fchmod(lock, 0o644)  # others must be able to lock it, whatever our umask is
                    return lock
                # Another slot's user left it: we cannot write it, but the folder is ours too.
                self._part.unlink(missing_ok=True)
                os.close(lock)

    async def _opened_lock(self) -> int:
        """Another slot's user may have made it just now, and is about to open it to others; or was killed then."""
        for _ in range(LOOKS):
            with contextlib.suppress(PermissionError):
                return await wait_lock(self._part, create=True, waiting=self._show_others_progress)
            await asyncio.sleep(LOOK_SECONDS)
        self._part.unlink(missing_ok=True)
        return await wait_lock(self._part, create=True, waiting=self._show_others_progress)

    def _show_others_progress(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._show(self._part.stat().st_size)

    def _show(self, done: int) -> None:
        if self._progress is not None:
            self._progress(done, self._size)

    async def _fill_and_commit(self, open_at: OpenAt) -> None:
        if await self._attempt(open_at):
            return
        # What an earlier process left was bad, or is not what the source holds now: once more from the start.
        with disk_errors("writing", self._part):
            os.truncate(self._part, 0)
        await self._attempt(open_at)

    async def _attempt(self, open_at: OpenAt) -> bool:
        """Download the rest and commit. False if the digest is wrong and the beginning was not ours."""
        with disk_errors("writing", self._part):
            file = FileIO(os.open(self._part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+")
        with file:
            writer = _Writer(file, self._part, self._size)
            await in_thread(writer.read_what_is_there)
            resumed = writer.done > 0
            if writer.done != self._size:
                await self._pour(open_at(writer.done), writer)
            if self._size is not None and writer.done < self._size:
                raise _ended_early(self._target.name, writer.done, self._size)
            found = writer.digest.hexdigest()
            if found == self._target.name:
                await in_thread(lambda: self._commit(file))
                return True
        if resumed:
            return False
        raise _wrong_digest(self._target.name, found, writer.overflows)

    async def _pour(self, chunks: AsyncIterator[bytes], writer: _Writer) -> None:
        """Write `chunks` in large pieces; what came before an error is written too, to go on from."""
        waiting = bytearray()

        async def flush() -> None:
            content = bytes(waiting)
            waiting.clear()
            if content:
                await in_thread(lambda: writer.write(content))
                self._show(writer.done)

        try:
            async for chunk in chunks:
                waiting += chunk
                if len(waiting) >= CHUNK:
                    await flush()
                if writer.overflows:
                    break
        finally:
            await flush()
            close = getattr(chunks, "aclose", None)
            if close is not None:
                await close()

    def _commit(self, file: FileIO) -> None:
        with disk_errors("writing", self._target):
            os.fchmod(file.fileno(), 0o444)
            os.fsync(file.fileno())
            make_folder(self._target.parent, self._root)
            failpoint("archives.cache.before_rename")
            self._part.rename(self._target)
            sync_folder(self._target.parent)
            failpoint("archives.cache.after_rename")


class _Writer:
    """Appends to a download and hashes all of it; `done` counts the bytes."""

    def __init__(self, file: FileIO, path: Path, size: int | None) -> None:
        self._file = file
        self._path = path
        self._size = size
        self.digest = hashlib.sha256()
        self.done = 0

    def read_what_is_there(self) -> None:
        """Hash what an earlier download left; drop it where it is more than there should be."""
        with disk_errors("reading", self._path):
            if self._size is not None and os.fstat(self._file.fileno()).st_size > self._size:
                self._file.truncate(0)
            while block := self._file.read(CHUNK):
                self.digest.update(block)
                self.done += len(block)

    def write(self, content: bytes) -> None:
        """Append `content`; what goes over the size is only counted. Raises HeroError."""
        self.digest.update(content)
        self.done += len(content)
        if not self.overflows:
            with disk_errors("writing", self._path):
                write_all(self._file.fileno(), content)
        failpoint("archives.cache.written")

    @property
    def overflows(self) -> bool:
        return self._size is not None and self.done > self._size


def _ended_early(sha256: str, done: int, size: int) -> HeroError:
    return HeroError(
        "unreachable",
        f"The download of the archive {sha256[:12]}… ended early, after {done} of {size} bytes.",
        hint="Run it again: it goes on where it stopped.",
        data={"sha256": sha256, "done": done, "size": size},
    )


def _wrong_digest(expected: str, found: str, longer: bool) -> HeroError:
    more = " (it is longer than it should be)" if longer else ""
    return HeroError(
        "verification",
        f"The downloaded archive has the wrong sha256{more}: {found}, expected {expected}.",
        hint="Nothing was kept. If it happens again, the release is damaged: publish it again.",
        data={"expected": expected, "found": found},
    )
