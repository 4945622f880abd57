"""How the builds of the box's queue went in this slot, on disk: the box may ask again after any kill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.state import Build
from backends.slot.build_shelf import check_id
from backends.slot.course import ENDED
from backends.slot.files import remove_file, write_atomically

KEPT = 50
"""Ended builds that are remembered."""


class QueuedRecords:
    """One file a build in `paths.queued_builds`. Blocking; what cannot be read was never written whole."""

    def __init__(self, paths: SlotPaths):
        self._folder = paths.queued_builds

    def read(self, build_id: str) -> Build | None:
        """The record of a build. Raises HeroError usage for what is no id of a build."""
        return _read(self._file(build_id))

    def keep(self, build: Build) -> None:
        """Remember `build`, and forget the oldest of too many that ended. Raises HeroError."""
        write_atomically(self._file(build.id), build.model_dump_json(by_alias=True).encode())
        if build.state in ENDED:
            self._forget_old()

    def newest(self, matches: Callable[[Build], bool]) -> Build | None:
        """The build that ended last of those that `matches`."""
        return next((build for _, build in self._ended() if matches(build)), None)

    def _forget_old(self) -> None:
        for path, _ in self._ended()[KEPT:]:
            remove_file(path)

    def _ended(self) -> list[tuple[Path, Build]]:
        read = ((path, _read(path)) for path in self._folder.glob("*.json"))
        ended = [(path, build) for path, build in read if build and build.finished_at and build.state in ENDED]
        return sorted(ended, key=lambda one: str(one[1].finished_at), reverse=True)

    def _file(self, build_id: str) -> Path:
        return self._folder / f"{check_id(build_id)}.json"


def _read(path: Path) -> Build | None:
    try:
        return Build.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, HeroError):
        return None
