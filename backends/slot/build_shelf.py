"""Where builds leave their logs and results, and which of them are kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.slot.files import disk_error

LOGS_KEPT = 20
"""Logs of one service that are kept."""
RESULTS_KEPT = 2
"""Results (payload and archive) of one service that are kept."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_HEADER = re.compile(rb"== (\S+) ")


class BuildShelf:
    """The folders of a slot's builds. Which service a build was of stands in the first line of its log."""

    def __init__(self, paths: SlotPaths):
        self._logs = paths.build_log
        self._results = paths.var / "builds"

    def log(self, build: str) -> Path:
        return self._logs / f"{check_id(build)}.log"

    def result(self, build: str) -> Path:
        return self._results / check_id(build)

    def prepare(self, build: str, service: str, *, keep: Collection[str], again: bool = False) -> Path:
        """Make room for `build` of `service` and return where its log goes; `keep` are builds that run now.

        `again`: what an attempt that was cut off left of it goes. Raises HeroError: usage for an id that is no
        plain name, conflict for one that was used before, no_space.
        """
        log, result = self.log(build), self.result(build)
        if again and build not in keep:
            log.unlink(missing_ok=True)
            shutil.rmtree(result, ignore_errors=True)
        if log.exists() or result.exists():
            raise HeroError("conflict", f"There is a build {build!r} already.")
        older = [name for name in self._builds_of(service) if name not in keep]
        for name in older[LOGS_KEPT - 1 :]:
            self.log(name).unlink(missing_ok=True)
        for name in older[RESULTS_KEPT - 1 :]:
            shutil.rmtree(self.result(name), ignore_errors=True)
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            result.mkdir(parents=True)
        except OSError as error:
            raise disk_error(result, error) from error
        return log

    def drop_unfinished(self, *, keep: Collection[str]) -> None:
        """Remove results without an archive: of builds that were killed."""
        for result in self._results.iterdir() if self._results.is_dir() else ():
            if result.name not in keep and not list(result.glob("[!.]*.tar.gz")):
                shutil.rmtree(result, ignore_errors=True)

    def _builds_of(self, service: str) -> list[str]:
        """Builds of `service` that have a log, newest first."""
        dated = []
        for path in self._logs.glob("*.log"):
            try:
                with path.open("rb") as log:
                    header = _HEADER.match(log.readline(200))
                if header and header[1] == service.encode() and _ID.fullmatch(path.stem):
                    dated.append((path.stat().st_mtime_ns, path.stem))
            except OSError:
                continue
        return [name for _, name in sorted(dated, reverse=True)]


def check_id(build: str) -> str:
    """`build` if it is the id of a build, one plain file name. Raises HeroError usage."""
    if not _ID.fullmatch(build):
        raise HeroError("usage", f"{build[:200]!r} is not the id of a build.")
    return build
