"""The newest build of each service on disk, so that a cell still tells it after the daemon was restarted."""

from __future__ import annotations

import logging
from datetime import datetime

from pydantic import ValidationError

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.state import Build
from backends.slot.files import write_atomically

log = logging.getLogger(__name__)


def keep_build(paths: SlotPaths, build: Build) -> None:
    """Remember `build` as the newest of its service; a disk that does not take it is only logged."""
    try:
        write_atomically(
            paths.build_record(build.service), build.model_dump_json(by_alias=True).encode(), durable=False
        )
    except HeroError as error:
        log.warning("the record of build %s: %s", build.id, error.message)


def read_builds(paths: SlotPaths, now: datetime) -> list[Build]:
    """The newest build of each service. One that ran when the daemon was killed has failed at `now`."""
    found = []
    folder = paths.build_record("x").parent
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            build = Build.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
        if build.state == "running":
            ended = {"state": "failed", "finished_at": now, "error": "The slot's daemon was killed while it ran."}
            build = build.model_copy(update=ended)
            keep_build(paths, build)
        found.append(build)
    return found
