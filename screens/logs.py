"""Logs as they are written: one's own as files of any size, others and several merged as a stream that goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from functools import partial

from textual import on
from textual.containers import Container
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static
from textual.worker import WorkType

from backends.client.log_changes import changes
from backends.client.log_file import LogFile
from backends.model.errors import HeroError
from screens.desk import Desk, Target
from screens.frame import HeroScreen
from screens.log_actions import LogActions, Tool
from screens.widgets.celltext import byte_count
from screens.widgets.filterbar import FilterBar
from screens.widgets.log_bindings import WINDOWS
from screens.widgets.log_buffer import LIMIT, LogLine
from screens.widgets.log_scene import Window
from screens.widgets.logview import LogView
from screens.widgets.titles import set_titles

FIRST_LINES = 1000
WINDOW_LINES = 20_000
"""Lines of a window of time, or of a run before, that a stream is asked for."""
_NONE_YET = "Nothing has been logged yet.\n\nLines are shown as they are written."
_PATIENCE_SECONDS = 0.3
_TYPING_SECONDS = 0.04
"""What is typed or pasted at once is looked for once."""
_NAMES = ("", "last minute", "last 5 minutes", "last 15 minutes", "last hour", "last day", "all")


class LogsScreen(HeroScreen):
    """The logs of `services` of a slot, of all of them where none is named, or of one build."""

    PLACE = "logs"
    CSS_PATH = "../styles/logs.tcss"

    def __init__(self, desk: Desk, user: str, services: Sequence[str] = (), build: str = "") -> None:
        super().__init__(desk)
        self.user = user
        self.services = tuple(services)
        self.build = build
        self._file: LogFile | None = None
        self._hide = True
        self._typed_soon: Timer | None = None
        self._before: float | None = None
        """While a run before is shown: when the one after it began."""

    def body(self) -> Iterable[Widget]:
        """The log, in a panel that says whose it is."""
        foreign = "" if self.user == self.desk.me else " foreign"
        with Container(id="logs-panel", classes=f"panel{foreign}"):
            yield LogView(id="log")
            yield Static("", markup=False, id="logs-empty", classes="empty")
        yield FilterBar(id="logs-filter")

    def on_mount(self) -> None:
        """Begin to follow."""
        self._say_lost("")
        self._say_empty("Reading the log…")
        self.log_view.focus()
        self._file = self.desk.log_file(self.user, self.services, self.build)
        if self._file is not None:
            self.log_view.open(self._file)
            self._say_lost("")
            watch: WorkType[None] = partial(self._watch, self._file)
            self.run_worker(watch, name="logs", group="logs", exit_on_error=True)
        else:
            self._stream(FIRST_LINES)
        super().on_mount()

    @property
    def log_view(self) -> LogView:
        """The log."""
        return self.query_one(LogView)

    @property
    def place(self) -> str:
        """`logs alice`."""
        return f"logs {self.user}"

    @property
    def target(self) -> Target:
        """The services whose logs these are."""
        return Target(self.user, self.services[0] if len(self.services) == 1 else "", self.services)

    # -- where the lines come from ----------------------------------------------------------------

    async def _watch(self, file: LogFile) -> None:
        """Show what becomes of the file."""
        async for _ in changes(file.path):
            change = file.refresh()
            if change is not None:
                self.log_view.came(change)
            self._say_empty("" if file.size else _NONE_YET)

    def tick(self) -> None:
        """A second has passed: the file may have grown."""
        if self._file is not None and self.log_view.following:
            self._say_lost("")

    def _stream(self, lines: int, since: float | None = None) -> None:
        """Follow the daemon's stream from its last `lines` on, or from a time; what was followed before ends."""
        self.log_view.reset()
        read: WorkType[None] = partial(self._follow, lines, since)
        self.run_worker(read, name="logs", group="logs", exclusive=True, exit_on_error=True)

    async def _follow(self, lines: int, since: float | None) -> None:
        try:
            stream = self.desk.follow(self.user, self.services, lines, self.build, since)
            async with aclosing(stream) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    self._say_lost(batch.lost)
                    self.log_view.append([LogLine(one.source, one.time, one.text) for one in batch.lines])
                    if batch.lines:
                        self._say_empty("")
                        self._end_before()
                    elif not batch.lost and not self.log_view.scene.log.lines.count:
                        self.set_timer(_PATIENCE_SECONDS, self._say_none_yet)
        except HeroError as error:
            self._say_empty(f"{error.message}\n\n{error.hint}")

    def _say_lost(self, why: str) -> None:
        what = ", ".join(self.services) or "all services"
        size = byte_count(self._file.size) if self._file is not None else ""
        title = f"{self.user} · {self.build or what}"
        set_titles(self.query_one("#logs-panel"), title, f"reconnecting… {why}" if why else size)

    def _say_none_yet(self) -> None:
        if not self.log_view.scene.log.lines.count:
            self._say_empty(_NONE_YET)

    def _say_empty(self, sentence: str) -> None:
        empty = self.query_one("#logs-empty", Static)
        if empty.display == bool(sentence) and self.log_view.display != bool(sentence) and not sentence:
            return
        empty.display, self.log_view.display = bool(sentence), not sentence
        empty.update(sentence)

    # -- windows of time --------------------------------------------------------------------------

    @on(LogView.WindowRequested)
    def _ask_window(self, event: LogView.WindowRequested) -> None:
        self._before = None
        seconds, name = WINDOWS[event.number], _NAMES[event.number]
        since = self.desk.now().timestamp() - seconds if seconds else None
        if self._file is not None:
            self._show_since(since, name)
        elif since is not None:
            self._stream(WINDOW_LINES, since)
            self.log_view.set_window(Window(), name)
        else:
            self._stream(FIRST_LINES if seconds is None else LIMIT)
            self.log_view.set_window(Window(), name)

    def _show_since(self, since: float | None, name: str) -> None:
        """A part of the file; where its lines tell no times, that is said."""
        log = self.log_view.scene.log
        begin = None if since is None else log.at_time(since)
        if since is not None and begin is None:
            if log.at_time(0.0) is None:
                self.say("The lines of this log tell no times.")
                return
            last = log.lines.last
            begin = None if last is None else last + 1
        self.say("")
        self.log_view.set_window(Window(begin), name)

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

    # -- filter and search ------------------------------------------------------------------------

    def action_filter(self, hide: bool) -> None:
        """Ask for a filter, or for what to look for; with `hide` other lines are not shown."""
        self._hide = hide
        matcher, bar = self.log_view.scene.matcher, self.query_one(FilterBar)
        bar.open(matcher.text if matcher else "")
        self.set_focus(bar)  # now: what comes in one piece with the key belongs into the bar

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):  # a key may still come while it is being closed
            self._stop_typing()
            self._typed_soon = self.set_timer(_TYPING_SECONDS, partial(self._filter, event.value))

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        self._stop_typing()
        self._filter(event.text)
        self.log_view.focus()
        if event.kept and not self._hide:
            self.log_view.seek(-1 if self.log_view.following else 1)

    def _stop_typing(self) -> None:
        if self._typed_soon is not None:
            self._typed_soon.stop()
        self._typed_soon = None

    def _filter(self, text: str) -> None:
        try:
            self.log_view.set_filter(text, hide=self._hide)
        except ValueError as error:
            self.say(str(error))
            return
        self.say("")

    def clear(self) -> bool:
        """Esc takes back the filter, then the window."""
        scene = self.log_view.scene
        if scene.matcher is not None:
            self._filter("")
        elif scene.window != Window():
            self._before = None
            self.log_view.set_window(Window(), "")
        else:
            return False
        return True

    # -- keys -------------------------------------------------------------------------------------

    @property
    def _actions(self) -> LogActions:
        name = self.build or "-".join((self.user, *self.services[:3]))
        return LogActions(self.desk, self.log_view, name)

    def action_copy(self) -> None:
        """Copy what is visible."""
        self._actions.copy_seen()

    def action_copy_line(self) -> None:
        """Copy the line that is meant, or what came since the last mark."""
        self._actions.copy_marked()

    def action_clear(self) -> None:
        """Forget the lines so far."""
        self.log_view.clear()

    def action_save(self) -> None:
        """Save what is shown."""
        self.run_worker(self._actions.save(), name="save", group="save", exclusive=True)

    def action_open(self, tool: Tool) -> None:
        """Hand the log to a pager or an editor."""
        self.run_worker(self._actions.open(tool), name="open", group="save", exclusive=True)
