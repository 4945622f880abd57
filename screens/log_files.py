"""Files as logs, without a box: the same view as the cockpit's, in a screen of its own that `q` ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from backends.client.log_file import LogFile
from backends.client.log_merged import MergedLog
from screens.log_actions import Hands, LogActions, LogKeys
from screens.widgets.keyfooter import KeyFooter, KeyHint
from screens.widgets.log_bindings import WINDOW_NAMES, WINDOWS
from screens.widgets.logpane import LogPane
from screens.widgets.logview import LogView

_LOOK_SECONDS = 1.0


class LogFilesScreen(LogKeys):
    """The log of `files`. `input_note` says what is to be said of lines that are piped in, "" where none are."""

    CSS_PATH = "../styles/logs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "leave", "quit", id="files.leave"),
        Binding("question_mark", "app.help", "help", id="files.help"),
        Binding("escape", "back", "back", id="files.back"),
        Binding("T", "app.next_theme", "theme", id="files.theme"),
    ]

    def __init__(
        self,
        hands: Hands,
        files: LogFile | MergedLog,
        hints: Callable[[], Iterable[KeyHint]],
        input_note: Callable[[], str] = str,
    ) -> None:
        super().__init__()
        self._hands, self._files, self._hints, self._input_note = hands, files, hints, input_note
        self._said = ""

    def compose(self) -> ComposeResult:
        """The log over the keys."""
        yield LogPane(" · ".join(self._files.sources), id="logs")
        yield KeyFooter(id="keys")

    def on_mount(self) -> None:
        """Begin to follow."""
        self.pane.say_empty("" if self._files.size else "Waiting for the first line…")
        self.pane.open(self._files)
        self.log_view.focus()
        self.set_interval(_LOOK_SECONDS, self._look)
        self._look()
        self.refresh_hints()

    @property
    def pane(self) -> LogPane:
        """The log in its panel."""
        return self.query_one(LogPane)

    @property
    def log_view(self) -> LogView:
        """The log."""
        return self.pane.log_view

    def _look(self) -> None:
        self.pane.note = self._said or self._input_note()
        self.pane.show_titles()

    def refresh_hints(self) -> None:
        """The keys that work now."""
        if self.is_mounted:
            self.query_one(KeyFooter).set_keys(self._hints())

    def on_descendant_focus(self) -> None:
        """Other keys work in the filter's line."""
        self.refresh_hints()

    @on(LogPane.Said)
    def _say(self, event: LogPane.Said) -> None:
        self._said = event.sentence
        self._look()

    @on(LogView.WindowRequested)
    def _show_window(self, event: LogView.WindowRequested) -> None:
        seconds = WINDOWS[event.number]
        since = self._hands.now().timestamp() - seconds if seconds else None
        self.pane.show_since(since, WINDOW_NAMES[event.number])

    # -- keys -------------------------------------------------------------------------------------

    @property
    def log_actions(self) -> LogActions:
        return LogActions(self._hands, self.log_view, "-".join(list(self._files.sources)[:3]))

    def action_leave(self) -> None:
        """End it."""
        self.app.exit(0)

    def action_back(self) -> None:
        """Take back a filter or window; without one, tell how to leave."""
        if not self.pane.take_back():
            self._hands.tell("q ends.")
