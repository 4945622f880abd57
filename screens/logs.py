"""Logs as they are written: one's own as files of any size, others and several merged as a stream that goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from functools import partial

from textual import on
from textual.widget import Widget
from textual.worker import WorkType

from backends.client.log_file import LogFile
from backends.client.log_merged import MergedLog
from backends.model.errors import HeroError
from screens.desk import Desk, Target
from screens.frame import HeroScreen
from screens.log_actions import LogActions, LogKeys
from screens.widgets.log_bindings import WINDOW_NAMES, WINDOWS
from screens.widgets.log_buffer import LIMIT, LogLine
from screens.widgets.log_scene import Window
from screens.widgets.logpane import NONE_YET, LogPane
from screens.widgets.logview import LogView
from screens.widgets.no_answer import old, refusal

FIRST_LINES = 1000
WINDOW_LINES = 20_000
"""Lines of a window of time, or of a run before, that a stream is asked for."""
_PATIENCE_SECONDS = 0.3
_READING = "Reading the log…"


class LogsScreen(HeroScreen, LogKeys):
    """The logs of `services` of a slot, of all of them where none is named, or of one build."""

    PLACE = "logs"
    CSS_PATH = "../styles/logs.tcss"

    def __init__(self, desk: Desk, user: str, services: Sequence[str] = (), build: str = "") -> None:
        super().__init__(desk)
        self.user = user
        self.services = tuple(services)
        self.build = build
        self._file: LogFile | MergedLog | None = None
        self._lost: tuple[datetime, str] | None = None
        """While a stream is broken: since when, and why."""
        self._before: float | None = None
        """While a run before is shown: when the one after it began."""

    def body(self) -> Iterable[Widget]:
        """The log, in a panel that says whose it is."""
        what = ", ".join(self.services) or "all services"
        yield LogPane(f"{self.user} · {self.build or what}", foreign=self.user != self.desk.me, id="logs")

    def on_mount(self) -> None:
        """Begin to follow."""
        self.pane.show_titles()
        self.pane.say_empty(_READING)
        self.log_view.focus()
        self._file = self.desk.logs.file(self.user, self.services, self.build)
        if self._file is not None:
            self.pane.open(self._file)
        else:
            self._stream(FIRST_LINES)
        super().on_mount()

    @property
    def pane(self) -> LogPane:
        """The log in its panel."""
        return self.query_one(LogPane)

    @property
    def log_view(self) -> LogView:
        """The log."""
        return self.pane.log_view

    @property
    def place(self) -> str:
        """`logs alice`."""
        return f"logs {self.user}"

    @property
    def target(self) -> Target:
        """The services whose logs these are."""
        return Target(self.user, self.services[0] if len(self.services) == 1 else "", self.services)

    # -- where the lines come from ----------------------------------------------------------------

    def tick(self) -> None:
        """A second has passed: the file may have grown, a broken stream is older."""
        if self._lost:
            self._show_note()
        elif self._file is not None and self.log_view.following:
            self.pane.show_titles()

    def _stream(self, lines: int, since: float | None = None) -> None:
        """Follow the daemon's stream from its last `lines` on, or from a time; what was followed before ends."""
        self.log_view.reset()
        read: WorkType[None] = partial(self._follow, lines, since)
        self.run_worker(read, name="logs", group="logs", exclusive=True, exit_on_error=True)

    async def _follow(self, lines: int, since: float | None) -> None:
        try:
            stream = self.desk.logs.follow(self.user, self.services, lines, self.build, since)
            async with aclosing(stream) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    if not self.ready:
                        return  # its widgets have gone before it
                    self._say_lost(batch.lost)
                    self.log_view.append([LogLine(one.source, one.time, one.text) for one in batch.lines])
                    if batch.lines:
                        self.pane.say_empty("")
                        self._end_before()
                    elif not batch.lost and not self.log_view.scene.log.lines.count:
                        self.set_timer(_PATIENCE_SECONDS, self._say_none_yet)
        except HeroError as error:
            if not self.ready:
                return
            self._say_lost("")
            self.pane.say_empty(refusal(error.message, error.hint, self.desk.key("app.refresh")))

    def again(self) -> None:
        """Ask for the lines once more where none are shown; what is shown goes on by itself."""
        if self._file is None and not self.log_view.display:
            self.pane.say_empty(_READING)
            self._stream(FIRST_LINES)

    def _say_lost(self, why: str) -> None:
        self._lost = (self._lost[0] if self._lost else self.desk.now(), why) if why else None
        self._show_note()

    def _show_note(self) -> None:
        """While the stream is broken, since when."""
        since, why = self._lost or (None, "")
        age = old(since, self.desk.now())
        self.pane.note = f"{f'{age}, ' if age else ''}reconnecting… {why}" if why else ""
        self.pane.show_titles()

    def _say_none_yet(self) -> None:
        if not self.log_view.scene.log.lines.count:
            self.pane.say_empty(NONE_YET)

    @on(LogPane.Said)
    def _said(self, event: LogPane.Said) -> None:
        self.say(event.sentence)

    # -- windows of time --------------------------------------------------------------------------

    @on(LogView.WindowRequested)
    def _ask_window(self, event: LogView.WindowRequested) -> None:
        self._before = None
        seconds, name = WINDOWS[event.number], WINDOW_NAMES[event.number]
        since = self.desk.now().timestamp() - seconds if seconds else None
        if self._file is not None:
            self.pane.show_since(since, name)
        elif since is not None:
            self._stream(WINDOW_LINES, since)
            self.log_view.set_window(Window(), name)
        else:
            self._stream(FIRST_LINES if seconds is None else LIMIT)
            self.log_view.set_window(Window(), name)

    def action_previous_run(self) -> None:
        """What the service said before it was started last, or again all."""
        if self._before is not None or self.log_view.scene.window.end is not None:
            self._before = None
            self.log_view.set_window(Window(), "")
            return
        cell = self.desk.fleet.cell(self.user, self.services[0]) if len(self.services) == 1 else None
        if cell is None or cell.since is None:
            self.say("Which run was before is known of one service that runs.")
            return
        self._before = cell.since.timestamp()
        if self._file is None:
            self._stream(WINDOW_LINES)
        else:
            self._end_before()

    def _end_before(self) -> None:
        """End what is shown where the present run began, if that is asked for."""
        log = self.log_view.scene.log
        end = None if self._before is None else log.at_time(self._before)
        if self._before is None or self.log_view.scene.window.end is not None:
            return
        if end is None or log.lines.before(end) is None:
            self._before = None
            timeless = log.at_time(0.0) is None
            self.say("The lines of this log tell no times." if timeless else "Nothing is kept of a run before.")
            return
        self.say("")
        self.log_view.set_window(Window(None, end), "previous run")

    def clear(self) -> bool:
        """Esc takes back the filter, then the window."""
        if self.log_view.scene.matcher is None:
            self._before = None
        return self.pane.take_back()

    # -- keys -------------------------------------------------------------------------------------

    @property
    def log_actions(self) -> LogActions:
        name = self.build or "-".join((self.user, *self.services[:3]))
        return LogActions(self.desk, self.log_view, name)
