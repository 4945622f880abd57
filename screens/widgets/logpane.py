"""A log in a panel that says whose it is, with its line for filters; follows files, and may be given a stream."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import WorkType

from backends.client.log_changes import changes
from backends.client.log_file import LogFile
from backends.client.log_merged import MergedLog
from screens.widgets.celltext import byte_count
from screens.widgets.filterbar import FilterBar
from screens.widgets.log_scene import Window
from screens.widgets.logview import LogView
from screens.widgets.titles import set_titles

NONE_YET = "Nothing has been logged yet.\n\nLines are shown as they are written."
_TYPING_SECONDS = 0.04
"""What is typed or pasted at once is looked for once."""


class LogPane(Vertical):
    """The view of one log. `title` stands in its border, and under it `note` or, of files, their size."""

    @dataclass
    class Said(Message):
        """A short sentence for the person; "" where the last one counts no more."""

        sentence: str

    def __init__(self, title: str, *, foreign: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.title = title
        self.note = ""
        self.files: LogFile | MergedLog | None = None
        self._foreign = foreign
        self._gone = ""
        self._hide = True
        self._typed_soon: Timer | None = None

    def compose(self) -> ComposeResult:
        """The panel, and the line that `/` opens."""
        with Container(id="logs-panel", classes="panel foreign" if self._foreign else "panel"):
            yield LogView(id="log")
            yield Static("", markup=False, id="logs-empty", classes="empty")
        yield FilterBar("text   !without   ~regex", id="logs-filter")

    @property
    def log_view(self) -> LogView:
        """The log."""
        return self.query_one(LogView)

    # -- what is said -----------------------------------------------------------------------------

    def show_titles(self) -> None:
        """Say in the border what is so now."""
        size = byte_count(self.files.size) if self.files is not None else ""
        set_titles(self.query_one("#logs-panel"), self.title, self.note or self._gone or size)

    def say_empty(self, sentence: str) -> None:
        """Say why there is no log to be seen, instead of it; "" shows the log."""
        empty = self.query_one("#logs-empty", Static)
        if empty.display == bool(sentence) and self.log_view.display != bool(sentence) and not sentence:
            return
        empty.display, self.log_view.display = bool(sentence), not sentence
        empty.update(sentence)
        if not sentence and self.screen.focused is None:  # what was hidden has lost the keys
            self.log_view.focus()

    # -- files ------------------------------------------------------------------------------------

    def open(self, files: LogFile | MergedLog) -> None:
        """Show files from their end on, and what becomes of them."""
        self.files = files
        self.log_view.open(files)
        self.show_titles()
        watch: WorkType[None] = partial(self._watch, files)
        self.run_worker(watch, name="logs", group="logs", exit_on_error=True)

    async def _watch(self, files: LogFile | MergedLog) -> None:
        known = set[Path]()
        async for _ in changes(*files.paths):
            if not self.query(LogView):
                return  # the screen is being closed
            change = files.refresh()
            if change is not None:
                self.log_view.came(change)
            there = {path for path in files.paths if os.path.isfile(path)}  # noqa: PTH113 - raises nothing
            known |= there
            self._tell_gone([path.name for path in files.paths if path in known - there])
            self.say_empty("" if files.size else NONE_YET)

    def _tell_gone(self, names: list[str]) -> None:
        gone = f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} gone" if names else ""
        if gone != self._gone:
            self._gone = gone
            self.show_titles()

    def show_since(self, since: float | None, name: str) -> None:
        """A part of the files, None for all; where their lines tell no times, that is said."""
        log = self.log_view.scene.log
        begin = None if since is None else log.at_time(since)
        if since is not None and begin is None:
            if log.at_time(0.0) is None:
                self._say("The lines of this log tell no times.")
                return
            last = log.lines.last
            begin = None if last is None else last + 1
        self._say("")
        self.log_view.set_window(Window(begin), name)

    def _say(self, sentence: str) -> None:
        self.post_message(self.Said(sentence))

    # -- filter and search ------------------------------------------------------------------------

    def ask_filter(self, hide: bool) -> None:
        """Ask for a filter, or for what to look for; with `hide` other lines are not shown."""
        self._hide = hide
        matcher, bar = self.log_view.scene.matcher, self.query_one(FilterBar)
        bar.open(matcher.text if matcher else "")
        self.screen.set_focus(bar)  # now: what comes in one piece with the key belongs into the bar

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
            self.log_view.action_match(-1 if self.log_view.following else 1)

    def _stop_typing(self) -> None:
        if self._typed_soon is not None:
            self._typed_soon.stop()
        self._typed_soon = None

    def _filter(self, text: str) -> None:
        try:
            self.log_view.set_filter(text, hide=self._hide)
        except ValueError as error:
            self._say(str(error))
            return
        self._say("")

    def take_back(self) -> bool:
        """Take back the filter, else the window; False where there is neither."""
        scene = self.log_view.scene
        if scene.matcher is not None:
            self._filter("")
        elif scene.window != Window():
            self.log_view.set_window(Window(), "")
        else:
            return False
        return True
