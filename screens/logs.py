"""Logs as they are written: one service or several merged, followed through restarts of the daemons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing

from textual import on
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from backends.model.errors import HeroError
from screens.desk import Desk, Target
from screens.frame import HeroScreen
from screens.widgets.filterbar import FilterBar
from screens.widgets.log_buffer import LogLine
from screens.widgets.logview import LogView
from screens.widgets.titles import set_titles

FIRST_LINES = 1000
_PATIENCE_SECONDS = 0.3


class LogsScreen(HeroScreen):
    """The logs of `services` of a slot, of all of them where none is named, or of one build."""

    PLACE = "logs"
    CSS_PATH = "../styles/logs.tcss"

    def __init__(self, desk: Desk, user: str, services: Sequence[str] = (), build: str = "") -> None:
        super().__init__(desk)
        self.user = user
        self.services = tuple(services)
        self.build = build

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
        self.run_worker(self._follow(), name="logs", group="logs", exit_on_error=True)
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

    async def _follow(self) -> None:
        try:
            stream = self.desk.follow(self.user, self.services, FIRST_LINES, self.build)
            async with aclosing(stream) as batches:  # type: ignore[type-var]
                async for batch in batches:
                    self._say_lost(batch.lost)
                    self.log_view.append([LogLine(one.source, one.time, one.text) for one in batch.lines])
                    if batch.lines:
                        self._say_empty("")
                    elif not batch.lost and not self.log_view.scene.buffer.end:
                        self.set_timer(_PATIENCE_SECONDS, self._say_none_yet)
        except HeroError as error:
            self._say_empty(f"{error.message}\n\n{error.hint}")

    def _say_lost(self, why: str) -> None:
        panel = self.query_one("#logs-panel")
        what = ", ".join(self.services) or "all services"
        set_titles(panel, f"{self.user} · {self.build or what}", f"reconnecting… {why}" if why else "")

    def _say_none_yet(self) -> None:
        if not self.log_view.scene.buffer.end:
            self._say_empty("Nothing has been logged yet.\n\nLines are shown as they are written.")

    def _say_empty(self, sentence: str) -> None:
        empty = self.query_one("#logs-empty", Static)
        empty.display, self.log_view.display = bool(sentence), not sentence
        empty.update(sentence)

    # -- keys -------------------------------------------------------------------------------------

    @on(LogView.FilterRequested)
    def _ask_filter(self, event: LogView.FilterRequested) -> None:
        self.query_one(FilterBar).open(event.text)

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):  # a key may still come while it is being closed
            self._filter(event.value)

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        self._filter(event.text)
        self.log_view.focus()

    def _filter(self, text: str) -> None:
        try:
            self.log_view.set_filter(text)
        except ValueError as error:
            self.say(str(error))
            return
        self.say("")

    def action_copy(self) -> None:
        """Copy what is visible."""
        scene, top = self.log_view.scene, self.log_view.scroll_offset.y
        numbers = [scene.shown.locate(row) for row in range(top, top + self.log_view.size.height - 1)]
        kept = dict.fromkeys(place[0] for place in numbers if place is not None)
        lines = [scene.buffer.line(number).text for number in kept if number >= scene.buffer.first]
        self.desk.copy("\n".join(lines), f"{len(lines)} lines")

    def action_clear(self) -> None:
        """Forget the lines so far."""
        self.log_view.clear()

    def clear(self) -> bool:
        """Esc takes back the filter."""
        if self.log_view.scene.matcher is None:
            return False
        self._filter("")
        return True
