"""What a command of the `:` line prints, at the bottom of the screen, until the person dismisses it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.result_model import Run
from screens.widgets.celltext import clean
from screens.widgets.outputlines import OutputLines
from screens.widgets.titles import set_titles

_LOOK_SECONDS = 0.1
_LOWEST = 8
"""Lines of the panel, its frame included."""
_HIGHEST = 0.6
"""The share of the screen that it takes at most."""
_STYLES = {"running": "-running", "done": "-done", "failed": "-failed", "stopped": "-failed"}

Wish = Literal["again", "forget"]


class Answer(NamedTuple):
    """What the person wants of the command that was shown last."""

    wish: Wish
    run: Run


class ResultScreen(ModalScreen[Answer | None]):
    """One command at a time; the others that are kept are a key away. Leaving it does not end what runs."""

    CSS_PATH = "../styles/results.tcss"
    AUTO_FOCUS = "OutputLines"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="results.leave", show=False),
        Binding("d,delete", "forget", "Dismiss", id="results.forget", show=False),
        Binding("x", "stop", "Stop", id="results.stop", show=False),
        Binding("r", "again", "Again", id="results.again", show=False),
        Binding("c", "copy", "Copy", id="results.copy", show=False),
        Binding("left_square_bracket", "turn(-1)", "Earlier", id="results.earlier", show=False),
        Binding("right_square_bracket", "turn(1)", "Later", id="results.later", show=False),
    ]

    def __init__(
        self,
        runs: Sequence[Run],
        *,
        stop: Callable[[Run], None],
        copy: Callable[[str, str], None],
        key: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._runs = tuple(runs)
        self._at = len(self._runs) - 1
        self._stop = stop
        self._copy = copy
        self._key = key
        self._seen: tuple[int, int] = (-1, -1)

    @property
    def run(self) -> Run:
        """The one that is shown."""
        return self._runs[self._at]

    def compose(self) -> ComposeResult:
        """Its lines in a panel, or the sentence that there are none."""
        with Vertical(id="result"):
            yield OutputLines(id="result-lines")
            yield Static("", markup=False, id="result-empty")

    def on_mount(self) -> None:
        """Look at it as long as it runs."""
        self._show()
        self.set_interval(_LOOK_SECONDS, self._show)

    def _show(self) -> None:
        now = (self._at, self.run.version)
        if now == self._seen:
            return
        another, self._seen = self._seen[0] != self._at, now
        run, lines = self.run, self.query_one(OutputLines)
        lines.show(run.lines, anew=another)
        if another and run.state == "running":
            lines.follow()
        self._show_frame(run)
        empty = self.query_one("#result-empty", Static)
        empty.display, lines.display = not run.lines, bool(run.lines)
        empty.update("It says nothing so far." if run.state == "running" else "It printed nothing.")

    def _show_frame(self, run: Run) -> None:
        panel = self.query_one("#result")
        panel.styles.height = max(_LOWEST, min(len(run.lines) + 2, round(self.size.height * _HIGHEST)))
        place = f"  {self._at + 1} of {len(self._runs)}" if len(self._runs) > 1 else ""
        cut = f" · {run.dropped:,} more lines are not kept" if run.dropped else ""
        set_titles(panel, f":{clean(run.line)} · {run.told}{cut}{place}", self._hints(run))
        panel.set_classes(_STYLES[run.state])

    def _hints(self, run: Run) -> str:
        wishes = [("stop", "stop")] if run.state == "running" else [("again", "again"), ("forget", "dismiss")]
        wishes += [("copy", "copy")] if run.lines else []
        told = [f"{self._key(f'results.{name}')} {word}" for name, word in wishes]
        others = f"{self._key('results.earlier')} {self._key('results.later')} others"
        told += [others] if len(self._runs) > 1 else []
        return " · ".join([*told, f"{self._key('results.leave')} back"])

    def action_turn(self, step: int) -> None:
        """The command before or after it."""
        self._at = max(0, min(len(self._runs) - 1, self._at + step))
        self._show()

    def action_leave(self) -> None:
        """Back; what it printed can be looked at again."""
        self.dismiss(None)

    def action_forget(self) -> None:
        """Dismiss the result; one that runs is only left."""
        self.dismiss(None if self.run.state == "running" else Answer("forget", self.run))

    def action_stop(self) -> None:
        """End the command as Ctrl-C would."""
        if self.run.state == "running":
            self._stop(self.run)

    def action_again(self) -> None:
        """Give the same command once more."""
        if self.run.state != "running":
            self.dismiss(Answer("again", self.run))

    def action_copy(self) -> None:
        """Copy all that it printed."""
        if self.run.lines:
            self._copy("\n".join(self.run.lines), f"{len(self.run.lines)} lines")
