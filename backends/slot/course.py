"""One build on its way through the slot: shown in its cell, kept on disk, its phases timed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from backends.model.errors import HeroError
from backends.model.paths import SlotPaths
from backends.model.state import Build, Phase
from backends.slot.board import Board, now
from backends.slot.build_records import keep_build

ENDED = ("succeeded", "failed", "cancelled", "superseded")

Recorder = Callable[[str, str, Mapping[str, Any]], None]


class Course:
    """How `build` goes. `alone`: the box's queue does not know of it, so that its events are told from here.

    Only a build of what the service is bound to is shown in the service's cell, or one that a verb is waiting for.
    """

    def __init__(self, build: Build, paths: SlotPaths, board: Board, record: Recorder, *, alone: bool = False):
        self.build = build
        self.alone = alone
        self._paths = paths
        self._board = board
        self._record = record

    def change(self, **fields: Any) -> None:
        """Change the record, and show it."""
        self.build = self.build.model_copy(update=fields)
        if not self._is_shown():
            return
        self._board.update(self.build.service, build=self.build)
        if self.build.state != "queued":
            keep_build(self._paths, self.build)

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what is done inside as a phase, also if it fails."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.took((name, time.monotonic() - begun))

    def took(self, *phases: tuple[str, float]) -> None:
        """Phases that are over, and their seconds."""
        done = tuple(Phase(name=name, seconds=round(seconds, 6)) for name, seconds in phases)
        self.change(phases=(*self.build.phases, *done))

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """The build runs inside and has ended after it, however that went."""
        self._begin()
        try:
            yield
        except BaseException as error:
            self.fail(error)
            raise
        self.end()

    def end(self) -> None:
        """It went well, unless something else was said of its end already."""
        if self.build.state not in ENDED:
            self._ended(state="succeeded")

    def supersede(self, earlier: Build) -> None:
        """There was nothing to do: `earlier` did it."""
        self._ended(state="superseded", superseded_by=earlier.id)

    def fail(self, error: BaseException) -> None:
        """It ended by `error`; one that had ended before stays as it is."""
        if self.build.state in ENDED:
            return
        cancelled = isinstance(error, asyncio.CancelledError)
        if isinstance(error, HeroError):
            state = "cancelled" if error.code == "cancelled" else "failed"
            self._ended(state=state, error=error.message, hint=error.hint)
        elif cancelled:
            self._ended(state="cancelled", error="Cancelled; what ran before runs on.")
        else:
            self._ended(state="failed", error=f"A defect: {type(error).__name__}; the traceback is in slotd.log.")

    def _begin(self) -> None:
        self.change(state="running", started_at=self.build.started_at or now(), waits_for="")
        self._tell()

    def _ended(self, **fields: Any) -> None:
        self.change(finished_at=now(), waits_for="", **fields)
        self._tell()

    def _tell(self) -> None:
        if self.alone:
            self._record(f"build.{self.build.state}", self.build.service, self.build.model_dump(mode="json"))

    def _is_shown(self) -> bool:
        facts = self._board.facts(self.build.service)
        if facts is None:
            return False
        return self.build.attached or facts.binding.branch == self.build.branch
