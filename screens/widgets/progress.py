"""One long operation in one line: what it does, how far it is, how to cancel it, how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.celltext import byte_count, clean, duration, fit
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part, paint_parts

CANCEL_KEY = "x"
_SURE_SHARE = 0.05
_SURE_SECONDS = 2.0
"""Before so much is done, and for so long, nobody is told how long the rest will take."""


@dataclass(frozen=True, slots=True)
class OperationView:
    """An operation at one moment. `done` and `total` are bytes (or steps); `elapsed` is in seconds."""

    id: str
    title: str
    phase: str = ""
    state: Literal["running", "succeeded", "failed", "cancelled"] = "running"
    done: int = 0
    total: int | None = None
    elapsed: float = 0.0
    bytes: bool = True
    cancellable: bool = True
    message: str = ""

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None where that is not known."""
        if not self.total or self.total < 0:
            return None
        return max(0.0, min(1.0, self.done / self.total))


class OperationBar(Widget, can_focus=True):
    """Shows one `OperationView`; `x` or a click on the hint asks to cancel it.

    `cancel_key` is the key that the hint names: the screen's own, where the bar does not have the focus.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "operation--title",
        "operation--phase",
        "operation--bar",
        "operation--left",
        "operation--figures",
        "operation--key",
        "operation--succeeded",
        "operation--failed",
    }
    DEFAULT_CSS = "OperationBar { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel", "Cancel", id="operation.cancel", show=False),
        Binding("enter", "open", "Open", id="operation.open", show=False),
    ]

    @dataclass
    class CancelRequested(Message):
        """The person wants the operation stopped."""

        bar: OperationBar
        operation_id: str

    @dataclass
    class Opened(Message):
        """The person wants to see more of the operation."""

        bar: OperationBar
        operation_id: str

    def __init__(
        self,
        view: OperationView | None = None,
        *,
        cancel_key: str = CANCEL_KEY,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._view = view
        self._cancel_key = cancel_key
        self._glyphs = glyphs

    @property
    def view(self) -> OperationView | None:
        """What is shown; None shows nothing."""
        return self._view

    def show(self, view: OperationView | None) -> None:
        """Show another moment; repaints only if it looks different."""
        before, self._view = self._view, view
        if before != view:
            self.refresh()

    def action_cancel(self) -> None:
        """Ask for a stop, if the operation runs and can be stopped."""
        view = self._view
        if view is not None and view.state == "running" and view.cancellable:
            self.post_message(self.CancelRequested(self, view.id))

    def action_open(self) -> None:
        """Ask for the details."""
        if self._view is not None:
            self.post_message(self.Opened(self, self._view.id))

    def on_click(self, event: events.Click) -> None:
        """Cancel from the hint, open from anywhere else."""
        event.stop()
        if event.x >= self.size.width - len(f" {self._cancel_key} cancel "):
            self.action_cancel()
        else:
            self.action_open()

    def render_line(self, y: int) -> Strip:
        """The line."""
        view = self._view
        if view is None:
            return Strip.blank(self.size.width, self.rich_style)
        if view.state != "running":
            return paint_parts(self, _ended(view, self.size.width, self._glyphs))
        right: list[Part] = []
        if view.cancellable:
            right = [(f" {self._cancel_key}", "operation--key"), (" cancel ", "operation--phase")]
        room = self.size.width - sum(len(text) for text, _ in right)
        return paint_parts(self, _running(view, room, self._glyphs), right)


def _ended(view: OperationView, room: int, glyphs: Glyphs) -> list[Part]:
    """How it ended, and why; the reason is cut before the time it took."""
    style = "operation--succeeded" if view.state == "succeeded" else "operation--failed"
    sign = glyphs.build.get(view.state, "?")
    outcome = clean(view.message or {"succeeded": "done"}.get(view.state, view.state))
    elapsed = f"  {duration(view.elapsed)}"
    title = _cut(view.title, room // 2)
    return [
        (f" {sign} ", style),
        (f"{title}  ", "operation--title"),
        (
            _cut(outcome, room - cell_len(title) - len(elapsed) - 6),
            "operation--phase" if view.state == "succeeded" else "operation--failed",
        ),
        (elapsed, "operation--figures"),
    ]


def _cut(text: str, width: int) -> str:
    """The text, with an ellipsis if it is wider than that."""
    safe = clean(text)
    return safe if cell_len(safe) <= width else fit(safe, width)


def _running(view: OperationView, room: int, glyphs: Glyphs) -> list[Part]:
    """Title and phase, then as much of bar and figures as there is room for."""
    title = _cut(view.title, max(8, room - 10))
    parts: list[Part] = [(f" {glyphs.busy} ", "operation--bar"), (f"{title}  ", "operation--title")]
    room -= cell_len(title) + 5
    phase_width = max(0, min(16, room - 24))
    if view.phase and phase_width >= 6:
        parts.append((f"{fit(view.phase, phase_width)}  ", "operation--phase"))
        room -= phase_width + 2
    figures = _figures(view)
    share = view.share
    bar = min(40, room - len(figures) - 8)
    if share is not None and bar >= 8:
        done = round(share * bar)
        parts.append((glyphs.bar_done * done, "operation--bar"))
        parts.append((glyphs.bar_left * (bar - done), "operation--left"))
        room -= bar
    if share is not None and room >= 6:
        parts.append((f"{share:5.0%}", "operation--title"))
        room -= 5
    if room >= len(figures):
        parts.append((figures, "operation--figures"))
    return parts


def time_left(view: OperationView) -> float | None:
    """Seconds that it may still take at the pace so far; None where that is a mere guess."""
    share = view.share
    if view.state != "running" or not share or share < _SURE_SHARE or view.elapsed < _SURE_SECONDS:
        return None
    return view.elapsed * (1 - share) / share


def _figures(view: OperationView) -> str:
    left = time_left(view)
    elapsed = f"  {duration(view.elapsed)}" if left is None else f"  {duration(left)} left"
    if view.bytes and view.total:
        return f"  {byte_count(view.done)} of {byte_count(view.total)}{elapsed}"
    if view.bytes and view.done:
        return f"  {byte_count(view.done)}{elapsed}"
    return f"  {view.done} of {view.total}{elapsed}" if view.total else elapsed
