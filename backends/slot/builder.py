"""Compiles a worktree by the command of its `hero_service.toml`, and packs what it made into an archive."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from backends.archives.disk import in_thread
from backends.archives.pack import Packed, pack
from backends.archives.stage import stage
from backends.forge.git import commit_info, git
from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.provenance import Provenance
from backends.model.release import archive_name
from backends.model.service import FILE_NAME, Build
from backends.model.text import safe_line
from backends.slot import processes
from backends.slot.build_log import BuildLog
from backends.slot.build_request import BuildRequest, check, failed, footer, header, not_packed
from backends.slot.build_run import Command, marked, run
from backends.slot.build_shelf import BuildShelf
from backends.slot.files import disk_error
from backends.version import VERSION

BUILD_MARK = "HERO_BUILD_MARK"
SLOT_MARK = "HERO_BUILD_SLOT"
"""Variables that every process of a build has: which build of which slot (by its root), and of which slot."""
_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR")

__all__ = ["BuildRequest", "Builder", "Built"]

OnProgress = Callable[[str, int, int | None], None]
"""Takes the phase (while the command runs: its last line), and lines or bytes done and in all."""


@dataclass(frozen=True)
class Built:
    """A finished build. `version` (40 hex) is what it is installed as.

    Of a clean build that is the commit. A dirty one gets the beginning of a SHA-256 of its payload instead, so
    that it has a folder of its own beside the clean build of the same commit. `publishable` is False for it: its
    archive says `dirty = false` with the base commit, as the format has it, and so must never leave the slot.
    `packing` is how many of the `seconds` that took.
    """

    payload_dir: Path
    archive: Path
    sha256: str
    size: int
    provenance: Provenance
    log: Path
    seconds: float
    packing: float
    version: str
    dirty: bool

    @property
    def publishable(self) -> bool:
        return not self.dirty


class Builder:
    """Builds of one slot: logs in `paths.build_log/<id>.log`, results in `paths.var/builds/<id>/`."""

    def __init__(self, paths: SlotPaths):
        self._paths = paths
        self._shelf = BuildShelf(paths)
        self._running: set[str] = set()

    async def build(
        self, request: BuildRequest, *, on_progress: OnProgress, cancel: asyncio.Event | None = None
    ) -> Built:
        """Run the build command, collect and pack its artifacts.

        The archive's times are the commit's, not the clock's, so that the same commit and payload give the same
        bytes; when it really ran stands in the log. A tree that changes while it is built makes the build dirty.
        When this returns or raises, no process of the build lives. Raises HeroError: build_failed (`data`: log,
        exit_code), timeout, cancelled, no_space, conflict.
        """
        cancel = cancel or asyncio.Event()
        build = check(request, cancelled=cancel.is_set())
        path = await asyncio.to_thread(
            self._shelf.prepare, request.id, request.service, keep=self._running, again=request.again
        )
        self._running.add(request.id)
        try:
            text = await asyncio.to_thread(_description_text, request.worktree)
            epoch = await _commit_time(request)
            begun = time.monotonic()
            log = await self._run(request, build, path, epoch, on_progress, cancel)
            dirty = request.dirty or await _has_moved(request)
            compiled = time.monotonic()
            payload, provenance, packed = await self._pack(request, build, text, epoch, log, on_progress, cancel)
        except BaseException:
            await in_thread(lambda: shutil.rmtree(self._shelf.result(request.id), ignore_errors=True))
            raise
        finally:
            self._running.discard(request.id)
        return Built(
            payload_dir=payload,
            archive=packed.path,
            sha256=packed.sha256,
            size=packed.size,
            provenance=provenance,
            log=path,
            seconds=time.monotonic() - begun,
            packing=time.monotonic() - compiled,
            version=_payload_version(provenance) if dirty else request.commit,
            dirty=dirty,
        )

    async def end_leftovers(self) -> int:
        """Kill what the builds of a killed daemon left running, and drop their results; returns how many ended."""
        of_this_slot, running = marked(SLOT_MARK, str(self._paths.root)), frozenset(self._running)
        own = frozenset(os.fsencode(self._mark(build)) for build in running)

        def is_left(pid: int) -> bool:
            return of_this_slot(pid) and processes.environment_of(pid).get(os.fsencode(BUILD_MARK)) not in own

        ended = await asyncio.to_thread(processes.end, is_left)
        await asyncio.to_thread(self._shelf.drop_unfinished, keep=running)
        return ended

    def _mark(self, build: str) -> str:
        """What tells the processes of a build from those of any other, also of another slot's by the same name."""
        return f"{self._paths.root}:{build}"

    def discard(self, build: str) -> None:
        """Remove the result of `build`, once it is installed and published; its log stays."""
        shutil.rmtree(self._shelf.result(build), ignore_errors=True)

    async def _run(
        self,
        request: BuildRequest,
        build: Build,
        path: Path,
        epoch: int,
        on_progress: OnProgress,
        cancel: asyncio.Event,
    ) -> BuildLog:
        log = await asyncio.to_thread(_open_log, path, header(request))
        command = Command(
            argv=("sh", "-c", build.command),
            cwd=request.worktree,
            env=self._environment(request, build, epoch),
            timeout=build.timeout,
            mark=(BUILD_MARK, self._mark(request.id)),
        )
        status: int | None = None
        try:
            status = await run(
                command, log, cancel=cancel, tell=lambda line, count: on_progress(line, count, None)
            )
        finally:
            await asyncio.to_thread(log.close, footer(status))
        if status != 0:
            raise failed(request, log, status, cancelled=cancel.is_set())
        return log

    def _environment(self, request: BuildRequest, build: Build, epoch: int) -> dict[str, str]:
        """All that the command's environment holds: no variable of the daemon's but where things are."""
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        return {
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "SOURCE_DATE_EPOCH": str(epoch),
            **inherited,
            **build.env,
            "HERO_SERVICE": request.service,
            "HERO_BRANCH": request.branch,
            "HERO_COMMIT": request.commit,
            "HERO_BUILD_ID": request.id,
            BUILD_MARK: self._mark(request.id),
            SLOT_MARK: str(self._paths.root),
        }

    async def _pack(
        self,
        request: BuildRequest,
        build: Build,
        text: str,
        epoch: int,
        log: BuildLog,
        on_progress: OnProgress,
        cancel: asyncio.Event,
    ) -> tuple[Path, Provenance, Packed]:
        result, when = self._shelf.result(request.id), datetime.fromtimestamp(epoch, UTC)
        payload = result / "payload"
        provenance = Provenance(
            repo=request.repo,
            branch=request.branch,
            commit=request.commit,
            builder=f"hero_builder {VERSION}",
            platform=build.platform,
            command=build.command,
            started=when,
            finished=when,
            files={},
        )
        loop = asyncio.get_running_loop()

        def tell(done: int, total: int) -> None:
            loop.call_soon_threadsafe(on_progress, "pack", done, total)

        def make() -> tuple[Provenance, Packed]:
            written = stage(payload, request.worktree, build.artifacts, text, provenance, cancelled=cancel.is_set)
            out = result / archive_name(request.description.name, build.platform)
            return written, pack(payload, out, mtime=epoch, progress=tell, cancelled=cancel.is_set)

        on_progress("pack", 0, None)
        try:
            written, packed = await in_thread(make)
        except HeroError as error:
            raise not_packed(error, log) from error
        return payload, written, packed


def _description_text(worktree: Path) -> str:
    path = worktree / FILE_NAME
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HeroError("not_found", f"{safe_line(str(path))} cannot be read: {error}.") from error


async def _commit_time(request: BuildRequest) -> int:
    """Seconds since the epoch, within what an archive can hold (anybody can commit any date)."""
    commit = await commit_info(request.worktree, request.commit)
    return max(0, min(int(commit.committed_at.timestamp()), (1 << 33) - 1))


async def _has_moved(request: BuildRequest) -> bool:
    """Whether the tree is no longer that of the commit: edited or switched while it was built."""
    result = await git(
        "diff",
        "--quiet",
        "--no-ext-diff",
        "--no-textconv",
        request.commit,
        "--",
        cwd=request.worktree,
        check=False,
    )
    return result.returncode != 0


def _open_log(path: Path, first: str) -> BuildLog:
    try:
        return BuildLog(path, first)
    except OSError as error:
        raise disk_error(path, error) from error


def _payload_version(provenance: Provenance) -> str:
    """40 hex digits of what was built, whatever commit it stands on."""
    digest = hashlib.sha256(provenance.commit.encode())
    for name, sha256 in sorted(provenance.files.items()):
        digest.update(f"\0{name}\0{sha256}".encode())
    return digest.hexdigest()[:40]
