"""The log of the build under the cursor, live; a sentence where there is none yet or never will be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import WorkType

from backends.model.errors import HeroError
from backends.model.state import Build
from screens.widgets.celltext import clean
from screens.widgets.log_buffer import LogLine
from screens.widgets.logview import LogView

if TYPE_CHECKING:
    from screens.log_source import LogBatch

REST_SECONDS = 0.15
"""How long the cursor rests on a build before its log is opened: who runs through the list opens none."""
FIRST_LINES = 300

Follow = Callable[[Build], "AsyncIterator[LogBatch]"]


class BuildLog(Container):
    """Follows one build at a time; which one, `show` says."""

    def __init__(self, follow: Follow, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._follow = follow
        self._build: Build | None = None
        self._timer: Timer | None = None
        self._said: str | None = None

    def compose(self) -> ComposeResult:
        """The log, or the sentence."""
        yield LogView(id="builds-log-view")
        yield Static("", markup=False, id="builds-log-empty", classes="empty")

    def on_mount(self) -> None:
        """The keys stay with the list; the whole log is a key away."""
        self.view.can_focus = False
        self._say("")

    @property
    def view(self) -> LogView:
        """The lines."""
        return self.query_one(LogView)

    def show(self, build: Build | None) -> None:
        """Have the log of `build`, once the cursor rests; the same log goes on."""
        before, self._build = self._build, build
        if before and build and before.id == build.id and _has_log(before) == _has_log(build):
            return
        if self._timer:
            self._timer.stop()
        self.workers.cancel_group(self, "build-log")
        self.view.reset()
        self._say(_sentence(build))
        if build and _has_log(build):
            self._timer = self.set_timer(REST_SECONDS, self._open)

    def _open(self) -> None:
        if self._build and self.is_mounted:
            # Not yet a coroutine: one that is cancelled before it began would complain that nobody awaited it.
            read: WorkType[None] = partial(self._read, self._build)
            self.run_worker(read, name="build-log", group="build-log", exclusive=True)

    async def _read(self, build: Build) -> None:
        try:
            async with aclosing(self._follow(build)) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    self.view.append(_lines(batch))
                    if batch.lines:
                        self._say("")
        except HeroError as error:
            self._say(f"{clean(error.message)}\n{clean(error.hint)}".strip())

    def _say(self, sentence: str) -> None:
        if sentence == self._said:
            return
        self._said = sentence
        empty = self.query_one("#builds-log-empty", Static)
        empty.display, self.view.display = bool(sentence), not sentence
        empty.update(sentence)


def _lines(batch: LogBatch) -> list[LogLine]:
    return [LogLine(one.source, one.time, one.text) for one in batch.lines]


def _has_log(build: Build) -> bool:
    return build.started_at is not None


def _sentence(build: Build | None) -> str:
    if build is None or _has_log(build):
        return ""
    if build.state == "queued":
        return f"It has not begun: {clean(build.waits_for) or 'it waits for its turn'}."
    return "It never began, so it has no log."
