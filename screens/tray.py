"""What this cockpit began: running and ended, each with how it went, to be cancelled, tried again or dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.desk import Desk
from screens.doings import Doing
from screens.widgets.build_cells import Column
from screens.widgets.celltext import byte_count, clean, duration, fit, fit_middle, fit_right
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.linelist import LineList
from screens.widgets.listpanel import ListPanel
from screens.widgets.one_line import Part
from screens.widgets.progress import time_left

_LOOK_SECONDS = 0.25
_BAR = 12
_EMPTY = "Nothing was begun here yet.\n\nWhat you switch, build, start or stop shows here until you dismiss it."
_KEYS = (
    ("tray.stop", "cancel"),
    ("tray.retry", "again"),
    ("tray.logs", "logs"),
    ("tray.dismiss", "dismiss"),
    ("tray.dismiss_all", "all"),
    ("tray.leave", "back"),
)
"""What is said below the list; the last alone where it is empty."""


@dataclass(frozen=True)
class TrayTable:
    """How a change looks: its state, what it is, how far or how it ended, how long it took."""

    glyphs: Glyphs = UNICODE

    def key(self, row: Doing) -> str:
        return str(row.number)

    def marked(self, row: Doing) -> bool:
        return False

    def columns(self, rows: Sequence[Doing], room: int) -> list[Column]:
        title = min(34, max([12, *(len(clean(row.view.title)) for row in rows)]), room // 2)
        took = 11
        return [
            Column("state", "", 1),
            Column("title", "what", title),
            Column("how", "how", max(4, room - title - took - 4)),
            Column("took", "", took),
        ]

    def parts(self, row: Doing, column: Column) -> Sequence[Part]:
        view, width = row.view, column.width
        match column.name:
            case "state":
                return ((self.glyphs.build.get(view.state, "?"), f"build--{view.state}"),)
            case "title":
                return ((fit_middle(view.title, width), "list--name"),)
            case "how":
                return self._how(row, width)
        left = time_left(view)
        text = f"{duration(left)} left" if left is not None else duration(view.elapsed)
        return ((fit_right(text, width), "list--quiet"),)

    def _how(self, row: Doing, width: int) -> Sequence[Part]:
        view = row.view
        if view.state != "running":
            style = "list--text" if view.state == "succeeded" else f"build--{view.state}"
            return ((fit(view.message or view.state, width), style),)
        if view.share is None or width < _BAR + 8:
            return ((fit(view.phase, width), "list--busy"),)
        done = round(view.share * _BAR)
        bar = self.glyphs.bar_done * done + self.glyphs.bar_left * (_BAR - done)
        size = f" {byte_count(view.done)} of {byte_count(view.total or 0)}" if view.bytes else ""
        rest = f" {view.share:.0%} {view.phase}{size}"
        return ((bar, "list--busy"), (fit(rest, width - _BAR), "list--text"))


class TrayScreen(ModalScreen[None]):
    """Looks at the desk as long as it is open; what runs goes on when it is left."""

    CSS_PATH = "../styles/tray.tcss"
    AUTO_FOCUS = "LineList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back", id="tray.leave", show=False),
        Binding("x", "stop", "Cancel", id="tray.stop", show=False),
        Binding("r", "retry", "Try again", id="tray.retry", show=False),
        Binding("d,delete", "dismiss_one", "Dismiss", id="tray.dismiss", show=False),
        Binding("D", "dismiss_all", "Dismiss all", id="tray.dismiss_all", show=False),
        Binding("l,enter", "logs", "Logs", id="tray.logs", show=False),
        Binding("c", "copy", "Copy", id="tray.copy", show=False),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk

    def compose(self) -> ComposeResult:
        """The list, and what a failed one said last."""
        with Vertical(id="tray"):
            yield ListPanel[Doing](TrayTable(), id="tray-list")
            yield Static("", markup=False, id="tray-lines")

    def on_mount(self) -> None:
        """Look again while it is open: what runs moves on."""
        self._show()
        self.set_interval(_LOOK_SECONDS, self._show)

    @property
    def doing(self) -> Doing | None:
        """The one under the cursor."""
        return self.query_one(ListPanel).list.row

    def _show(self) -> None:
        tray = self.desk.doings.tray()
        running = sum(doing.view.state == "running" for doing in tray)
        title = f"begun here · {running} running · {len(tray) - running} ended" if tray else "begun here"
        hints = " · ".join(f"{self.desk.key(id)} {word}" for id, word in (_KEYS if tray else _KEYS[-1:]))
        self.query_one(ListPanel).show(tray, TrayTable(), (title, hints), _EMPTY)
        self._show_lines()

    @on(LineList.Highlighted)
    def _show_lines(self) -> None:
        doing = self.doing
        text = "\n".join((*_whole(doing), *(clean(line) for line in doing.lines))) if doing else ""
        lines = self.query_one("#tray-lines", Static)
        if str(lines.content) != text:
            lines.update(text)
            lines.display = bool(text)

    @on(LineList.Selected)
    def action_logs(self) -> None:
        """The logs of what it worked on."""
        doing = self.doing
        if doing is None or not doing.service:
            self.desk.tell("It is about no single service: there is no log of it.")
            return
        self.dismiss()
        self.desk.ways.show_logs(doing.user, (doing.service,))

    def action_stop(self) -> None:
        """Cancel it."""
        doing = self.doing
        if doing is None or doing.view.state != "running" or not doing.view.id:
            self.desk.tell("It has ended already." if doing and doing.view.id else "Nothing runs here.")
            return
        self.desk.doings.cancel(doing.user, doing.view.id)

    def action_retry(self) -> None:
        """Begin it again."""
        doing = self.doing
        if doing is None or doing.view.state == "running":
            self.desk.tell("It still runs." if doing else "There is nothing to try again.")
            return
        self.desk.doings.retry(doing.number)
        self._show()

    def action_dismiss_one(self) -> None:
        """Forget it."""
        if doing := self.doing:
            self.desk.doings.dismiss(doing.number)
            self._show()

    def action_dismiss_all(self) -> None:
        """Forget all that ended."""
        self.desk.doings.dismiss()
        self._show()

    def action_copy(self) -> None:
        """What it is and what it said."""
        if doing := self.doing:
            text = "\n".join((doing.view.title, doing.view.message, *doing.lines))
            self.desk.copy(text, "what it said")

    def action_leave(self) -> None:
        """Back to the screen below."""
        self.dismiss()


def _whole(doing: Doing) -> Sequence[str]:
    """Why it failed, in full: the list may have cut it."""
    return (clean(doing.view.message),) if doing.view.state == "failed" else ()
