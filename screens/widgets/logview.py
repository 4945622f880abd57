"""A log as it is written: any size of it, only what is seen is read. Long, as each of its keys has an action."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from backends.client.log_lines import Change, Lines, Log
from screens.widgets.log_bindings import LOG_BINDINGS
from screens.widgets.log_buffer import LIMIT, LogLine
from screens.widgets.log_pace import LogPace
from screens.widgets.log_paint import PARTS
from screens.widgets.log_port import LogPort
from screens.widgets.log_scene import LogScene, Window
from screens.widgets.log_seek import LogSeek
from screens.widgets.log_sight import LogSight
from screens.widgets.log_status import LogMode
from screens.widgets.log_stream import LogStream

_WHEEL = 3


class LogView(Widget, can_focus=True):
    """Shows a `Log`: a stream of its own, into which lines go by `append`, or the one that `open` is given.

    The last line of the widget says what is shown, its last column where in the log that is.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = set(PARTS)
    BINDINGS: ClassVar[list[BindingType]] = LOG_BINDINGS

    @dataclass
    class WindowRequested(Message):
        """A digit was pressed: the screen shows that window of time, see `WINDOWS`."""

        log_view: LogView
        number: int

    @dataclass
    class FollowChanged(Message):
        """Following began or ended."""

        log_view: LogView
        following: bool

    def __init__(
        self,
        *,
        limit: int = LIMIT,
        zone: tzinfo | None = None,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._limit = limit
        self._own = LogStream(limit)
        self._sight = LogSight(self._own, zone)
        self._pace = LogPace(self, self._work, self._settle, self._seek_on)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._seek = LogSeek()

    # -- the log ----------------------------------------------------------------------------------

    @property
    def scene(self) -> LogScene:
        """The log and what of it is to be seen, for copying and saving."""
        return self._sight.scene

    @property
    def _port(self) -> LogPort:
        return self._sight.port

    def open(self, log: Log) -> None:
        """Show another log, from its end on; the filter stays."""
        before = self.scene.log
        if before is not log:
            before.close()
        self._seek.stop()
        self._sight.open(log)
        log.when_found(self._found)
        self._lay_out()
        if self.is_mounted:
            self.flush()

    def on_mount(self) -> None:
        """From now on there is a loop to be told in."""
        self._loop = asyncio.get_running_loop()

    def on_unmount(self) -> None:
        """Let go of the log."""
        self._loop = None
        self.scene.log.close()

    def _found(self) -> None:
        """Told by a thread: paint at once what it has found, and not only with the next look."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                loop.call_soon_threadsafe(self._settle)

    def reset(self) -> None:
        """Forget everything: another log begins, as a stream, and is followed."""
        self._own = LogStream(self._limit)
        self.open(self._own)

    def append(self, lines: Sequence[LogLine]) -> None:
        """Take a batch into the view's own stream; it is shown with the next flush, at most 60 ms later."""
        if lines:
            self.came(self._own.append(lines))

    def came(self, change: Change) -> None:
        """The log that is shown has changed."""
        if self._sight.came(change):
            self._lay_out()
        if self.is_mounted:
            self._pace.soon(change.came)

    def clear(self) -> None:
        """Forget the lines so far: a stream's are gone, of a file what comes from now on is shown."""
        if self.scene.log is self._own:
            self._own.clear()
        else:
            last = self.scene.log.lines.last
            self.set_window(Window(None if last is None else last + 1), "from now on")
        self._sight.begin_anew()
        self._settle()

    def set_window(self, window: Window, name: str) -> None:
        """Show only a part of the log, from its end on; `name` says which in the status."""
        self._seek.stop()
        self._sight.set_window(window, name)
        self._show_other()

    @property
    def following(self) -> bool:
        """True while new lines push the old ones up."""
        return self._port.following

    @property
    def unseen(self) -> int:
        """How many lines came since following ended."""
        return 0 if self.following else self._sight.mode.unseen

    @property
    def current(self) -> int | None:
        """The place of the line that one has gone to."""
        return self._port.current

    @property
    def busy(self) -> bool:
        """True while lines wait to be shown, or to be looked at."""
        return self._pace.busy

    def seen_lines(self) -> list[LogLine]:
        """The lines in sight, each once."""
        return self._sight.seen_lines()

    # -- showing it -------------------------------------------------------------------------------

    def flush(self) -> None:
        """Show what has come, and have the log looked at in slices that let keys through."""
        self._pace.flush()

    def _work(self) -> float | None:
        return self.scene.log.work()

    def _seek_on(self) -> None:
        found = self._seek.go_on(self._sight)
        if found:
            self._settle()
        elif found is False:
            self.app.bell()

    def _settle(self) -> None:
        """Paint what is in sight now, where that is something else than before."""
        if not self.is_mounted or not self.size:
            return
        if self._port.look is None:
            self._lay_out()
        if self._sight.turned():
            self.post_message(self.FollowChanged(self, self.following))
        self.refresh(*self._sight.changes(self.size))

    def _lay_out(self) -> None:
        if not self.is_mounted or not self.size:
            return
        if self._sight.styles is None:  # looking them up takes longer than to lay a screen out
            styles = {name: self.get_component_rich_style(name, partial=True) for name in PARTS}
            self._sight.styles = styles, self.rich_style
        self._sight.lay_out(self.size)

    def _show_other(self) -> None:
        """Other lines are to be seen, or in another way."""
        self._sight.rearrange()
        if self.is_mounted:
            self.flush()

    def render_line(self, y: int) -> Strip:
        """One row of the log with its piece of the bar, or the status at the bottom."""
        strip = self._sight.paint(y)
        if strip is None:
            self._lay_out()
            strip = self._sight.paint(y)
        return strip or Strip.blank(self.size.width)

    def on_resize(self) -> None:
        """Lay out for another size."""
        self._lay_out()
        self._settle()

    def notify_style_update(self) -> None:
        """Forget what is painted when theme or style sheet change."""
        self._sight.forget_styles()
        super().notify_style_update()

    # -- following and moving ---------------------------------------------------------------------

    def set_following(self, on: bool) -> None:
        """Follow the end, or stand still and count what comes."""
        self._seek.stop()
        if on:
            self._port.follow()
        else:
            self._port.hold()
        self._settle()

    def action_follow(self) -> None:
        """Follow, or pause."""
        self.set_following(not self.following)

    def action_rows(self, rows: int) -> None:
        """Move by rows; who comes to the end follows."""
        self._seek.stop()
        self._port.move(rows)
        self._settle()

    def action_pages(self, pages: float) -> None:
        """Move by a part of the visible rows."""
        self.action_rows(round(pages * self._port.room))

    def action_top(self) -> None:
        """To the oldest line."""
        self._seek.stop()
        first = self.scene.first
        if first is not None:
            self._port.go_to(first)
            self._settle()

    def action_bottom(self) -> None:
        """To the newest line, and follow."""
        self.set_following(True)

    def action_shift(self, steps: int) -> None:
        """Move the text sideways."""
        self._sight.shift(steps)
        self._lay_out()
        self._settle()

    def action_match(self, step: int) -> None:
        """Go to the next matching line, or the one before; from the last one to the first."""
        if self.scene.matcher is not None:
            self._go(self.scene.hits, step)

    def action_error(self, step: int) -> None:
        """Go to the next line that tells of an error, or the one before."""
        self._go(self.scene.log.errors, step)

    def _go(self, lines: Lines, step: int) -> None:
        self._seek.ask(lines, step)
        self._seek_on()

    def go_to(self, place: int | None) -> None:
        """Bring a line into sight, and have it as the one that is meant; None rings the bell."""
        if place is None:
            self.app.bell()
            return
        self._seek.stop()
        self._sight.go_to(place)
        self._settle()

    def action_mark(self) -> None:
        """Draw a rule under the line that is meant, or take it away."""
        self._sight.mark()
        self._show_other()

    def action_to_mark(self) -> None:
        """To the mark above."""
        self.go_to(self._port.mark_above())

    def action_window(self, number: int) -> None:
        """Have the screen show a window of time."""
        self.post_message(self.WindowRequested(self, number))

    # -- filter and looks -------------------------------------------------------------------------

    def set_filter(self, text: str, *, hide: bool | None = None) -> None:
        """Keep the lines with `text`, or `~regex`, or with a leading `!` those without; empty keeps all.

        `hide` False shows the others too; None leaves that as it is. Raises ValueError with a sentence for the
        person if the regex cannot be used.
        """
        self._sight.set_filter(text, hide)
        self._seek.stop()
        self._lay_out()
        self._show_other()

    def action_only_matches(self) -> None:
        """Hide the lines that do not match, or show them too."""
        self.scene.hide = not self.scene.hide
        self._show_other()

    def _switch(self, **on: bool) -> None:
        self._sight.switch(**on)
        self._lay_out()
        self._show_other()

    def action_wrap(self) -> None:
        """Break long lines, or let them run out to the right."""
        self._switch(wrap=not self._sight.mode.wrap)

    def action_times(self) -> None:
        """Show the time of each line, or not."""
        self._switch(times=not self._sight.mode.times)

    def action_json(self) -> None:
        """Spread lines of JSON over rows, or not."""
        self._switch(json=not self._sight.mode.json)

    def memory(self) -> object:
        """What the person has set here, for coming back."""
        matcher = self.scene.matcher
        return matcher.text if matcher else "", self.scene.hide, self._sight.mode

    def recall(self, memory: object) -> None:
        """Have it set again."""
        match memory:
            case (str() as text, bool() as hide, LogMode() as mode):
                self._sight.switch(wrap=mode.wrap, times=mode.times, json=mode.json)
                self.set_filter(text, hide=hide)

    # -- mouse ------------------------------------------------------------------------------------

    def on_mouse_scroll_down(self) -> None:
        """The wheel."""
        self.action_rows(_WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """The wheel."""
        self.action_rows(-_WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """On the bar: go there; on a line: that one is meant."""
        if event.x == self.size.width - 1:
            self.capture_mouse()
            self._to_row(event.y)
        elif (place := self._sight.line_at(event.y)) is not None:
            self.go_to(place)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drag along the bar."""
        if self.app.mouse_captured is self:
            self._to_row(event.y)

    def on_mouse_up(self) -> None:
        """Let go of the bar."""
        self.release_mouse()

    def _to_row(self, y: int) -> None:
        self._seek.stop()
        self._port.go_to_share(min(1.0, max(0.0, y / max(1, self._port.room - 1))))
        self._settle()
