"""Logs of one or several services as they come: follow, pause, filter, wrap; paints only what is visible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from screens.widgets.log_buffer import LIMIT, LogLine
from screens.widgets.log_filter import parse_filter
from screens.widgets.log_paint import PARTS, LogLook, paint_row
from screens.widgets.log_scene import LogScene
from screens.widgets.log_status import LogMode, paint_status

SLICE = 1_500
"""Lines that are filtered between two looks at the keyboard: a few milliseconds."""
_SLICES_A_FRAME = 20
_SOON = 0.001
_FLUSH_SECONDS = 0.06
_SHIFT = 8


class LogView(ScrollView, can_focus=True):
    """Lines go in by `append`, in batches; the last line of the widget says what is shown."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = set(PARTS)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f,space", "follow", "Follow", id="log.follow", show=False),
        Binding("slash", "ask_filter", "Filter", id="log.filter", show=False),
        Binding("ampersand", "only_matches", "Only matches", id="log.only_matches", show=False),
        Binding("n", "match(1)", "Next match", id="log.next", show=False),
        Binding("N", "match(-1)", "Previous match", id="log.previous", show=False),
        Binding("w", "wrap", "Wrap", id="log.wrap", show=False),
        Binding("t", "times", "Times", id="log.times", show=False),
        Binding("j,down", "rows(1)", "Down", id="log.down", show=False),
        Binding("k,up", "rows(-1)", "Up", id="log.up", show=False),
        Binding("l,right", "shift(1)", "Right", id="log.right", show=False),
        Binding("h,left", "shift(-1)", "Left", id="log.left", show=False),
        Binding("ctrl+d", "pages(0.5)", "Half page down", id="log.half_down", show=False),
        Binding("ctrl+u", "pages(-0.5)", "Half page up", id="log.half_up", show=False),
        Binding("pagedown", "pages(1.0)", "Page down", id="log.page_down", show=False),
        Binding("pageup", "pages(-1.0)", "Page up", id="log.page_up", show=False),
        Binding("g,home", "top", "Top", id="log.top", show=False),
        Binding("G,end", "bottom", "Bottom", id="log.bottom", show=False),
    ]

    @dataclass
    class FilterRequested(Message):
        """`/` was pressed; the screen asks for a filter and answers with `set_filter`."""

        log_view: LogView
        text: str

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
        self._scene = LogScene(limit)
        self._mode = LogMode()
        self._zone = zone
        self._look: LogLook | None = None
        self._rows: LRUCache[tuple[int, int, bool], Strip] = LRUCache(1024)
        self._shift = 0
        self._current: int | None = None
        self._moving = False
        self._flush_wanted = False
        self._slices = 0

    # -- lines ------------------------------------------------------------------------------------

    def append(self, lines: Sequence[LogLine]) -> None:
        """Take a batch in; it is shown with the next flush, at most 60 ms later."""
        if not lines:
            return
        sources = len(self._scene.buffer.sources)
        if self._scene.append(lines):
            self._rows.clear()
            self._current = None
            self.refresh()
        self._mode = replace(self._mode, unseen=self._mode.unseen + len(lines))
        if len(self._scene.buffer.sources) != sources:
            self._restyle()
            self._restart()
        if not self._flush_wanted and self.is_mounted:
            self._flush_wanted = True
            self.set_timer(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Show what has been appended."""
        self._flush_wanted = False
        self._work()

    def clear(self) -> None:
        """Forget all lines."""
        self._scene.buffer.clear()
        self._scene.top = self._current = None
        self._mode = replace(self._mode, unseen=0)
        self._restart()

    def reset(self) -> None:
        """Forget everything: another log begins, and is followed."""
        self._scene = LogScene(self._scene.buffer.limit)
        self._mode = replace(self._mode, following=True, unseen=0)
        self._current, self._shift = None, 0
        self._restyle()
        self._restart()

    @property
    def scene(self) -> LogScene:
        """The lines that are kept and what the filter leaves of them, for copying and saving."""
        return self._scene

    @property
    def following(self) -> bool:
        """True while new lines push the old ones up."""
        return self._mode.following

    @property
    def unseen(self) -> int:
        """How many lines came since following ended."""
        return 0 if self._mode.following else self._mode.unseen

    @property
    def busy(self) -> bool:
        """True while lines wait to be shown, filtered or measured."""
        return self._flush_wanted or not self._scene.complete

    # -- the index, in slices ---------------------------------------------------------------------

    def _restart(self) -> None:
        """Look at all lines again, for another filter or width; the top line stays where it can."""
        wrapped = self._mode.wrap and bool(self.size)
        self._scene.restart(self._paint_look().room if wrapped else None)
        self._rows.clear()
        self.refresh()
        if self.is_mounted:
            self._work()

    def _work(self) -> None:
        """Filter one slice, show it, and let keys through before the next."""
        self._scene.advance(SLICE)
        self._settle()
        if not self._slices and not self._scene.complete:
            self._slices = 1
            self.set_timer(_SOON, self._work_on)

    def _work_on(self) -> None:
        self._scene.advance(SLICE)
        self._slices += 1
        if self._scene.complete:
            self._slices = 0
            self._settle()
            return
        if self._slices % _SLICES_A_FRAME == 0:
            self._settle()
        self.set_timer(_SOON, self._work_on)

    def _settle(self) -> None:
        """Fit size and position to what is shown: the end while following, else the line that was on top."""
        before = self.scroll_offset.y
        rows = self._scene.shown.rows
        self._moving = True
        self._set_height(rows + 1)
        row = self.max_scroll_y if self.following else self._scene.top_row()
        if row is not None:
            self.scroll_to(y=row, animate=False, force=True)
        self._moving = False
        stands_still = self.scroll_offset.y == before and rows > before + self._room
        if self.following or not stands_still:
            self.refresh()
        elif self.size:
            self.refresh(Region(0, self._room, self.size.width, 1))

    def _set_height(self, height: int) -> None:
        size = Size(self.size.width, height)
        if self.show_vertical_scrollbar and self.size.height < height >= self.scroll_offset.y + self.size.height:
            # Setting it in the usual way lays the screen out again and repaints the whole widget.
            self.set_reactive(Widget.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = height
        else:
            self.virtual_size = size

    @property
    def _room(self) -> int:
        return max(0, self.size.height - 1)

    # -- following and moving ---------------------------------------------------------------------

    def set_following(self, on: bool) -> None:
        """Follow the end, or stand still and count what comes."""
        if on == self.following:
            return
        self._mode = replace(self._mode, following=on, unseen=0)
        self._scene.keep_top(None if on else self.scroll_offset.y)
        self._settle()
        self.post_message(self.FollowChanged(self, on))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """A person who scrolls up pauses; one who reaches the end follows again."""
        super().watch_scroll_y(old_value, new_value)
        if self._moving or round(old_value) == round(new_value):
            return
        if self.following and new_value < min(old_value, self.max_scroll_y):
            self.set_following(False)
        elif not self.following and old_value < new_value >= self.max_scroll_y:
            self.set_following(True)
        elif not self.following:
            self._scene.keep_top(round(new_value))

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """The bar comes where the text is: scrolling moves only one that is shown."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def action_follow(self) -> None:
        """Follow, or pause."""
        self.set_following(not self.following)

    def action_rows(self, rows: int) -> None:
        """Move by rows."""
        self.scroll_to(y=self.scroll_offset.y + rows, animate=False, force=True)

    def action_pages(self, pages: float) -> None:
        """Move by a part of the visible rows."""
        self.action_rows(round(pages * self._room))

    def action_top(self) -> None:
        """To the oldest line."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_bottom(self) -> None:
        """To the newest line, and follow."""
        self.set_following(True)

    def action_shift(self, steps: int) -> None:
        """Move the text sideways."""
        self._shift = max(0, min(10_000, self._shift + steps * _SHIFT)) if not self._mode.wrap else 0
        self._rows.clear()
        self.refresh()

    # -- filter and looks -------------------------------------------------------------------------

    def set_filter(self, text: str) -> None:
        """Keep the lines with `text`, or `~regex`, or with a leading `!` those without; empty keeps all.

        Raises ValueError with a sentence for the person if the regex cannot be used.
        """
        self._scene.matcher = parse_filter(text)
        self._current = None
        self._restyle()
        self._restart()

    def action_ask_filter(self) -> None:
        """Have the screen ask for a filter."""
        matcher = self._scene.matcher
        self.post_message(self.FilterRequested(self, matcher.text if matcher else ""))

    def action_only_matches(self) -> None:
        """Hide the lines that do not match, or show them too."""
        self._scene.hide = not self._scene.hide
        self._restart()

    def action_match(self, step: int) -> None:
        """Go to the next matching line, or the one before."""
        if self._scene.matcher is None:
            return
        found = self._scene.next_hit(self._current, self.scroll_offset.y, step)
        if found is None:
            self.app.bell()
            return
        self.set_following(False)
        self._current = found
        self.scroll_to(y=max(0, self._scene.shown.row_of(found) - self._room // 3), animate=False, force=True)
        self.refresh()

    def action_wrap(self) -> None:
        """Break long lines, or let them run out to the right."""
        self._mode = replace(self._mode, wrap=not self._mode.wrap)
        self._shift = 0
        self._restart()

    def action_times(self) -> None:
        """Show the time of each line, or not."""
        self._mode = replace(self._mode, times=not self._mode.times)
        self._restyle()
        self._restart()

    # -- painting ---------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Measure again where lines are wrapped."""
        self._restyle()
        if self._mode.wrap:
            self._restart()
        else:
            self._settle()

    def notify_style_update(self) -> None:
        """Forget what is painted when theme or style sheet change."""
        self._restyle()
        super().notify_style_update()

    def _restyle(self) -> None:
        self._look = None
        self._rows.clear()

    def _paint_look(self) -> LogLook:
        if self._look is None:
            self._look = LogLook(
                styles={name: self.get_component_rich_style(name, partial=True) for name in PARTS},
                base=self.rich_style,
                # The scrollbar's column is kept free, so that its coming moves no text.
                width=max(1, self.size.width - self.styles.scrollbar_size_vertical),
                sources=dict(self._scene.buffer.sources),
                times=self._mode.times,
                matcher=self._scene.matcher,
                zone=self._zone,
            )
        return self._look

    def render_line(self, y: int) -> Strip:
        """One row of the log, or the status at the bottom."""
        look = self._paint_look()
        if y >= self._room:
            return paint_status(self._scene, self._mode, look)
        place = self._scene.shown.locate(self.scroll_offset.y + y)
        if place is None or place[0] < self._scene.buffer.first:
            return Strip.blank(look.width, look.base)
        number, part = place
        current = number == self._current
        strip = self._rows.get((number, part, current))
        if strip is None:
            line = self._scene.buffer.line(number)
            strip = paint_row(line, look, part, self._shift, self._mode.wrap, current)
            self._rows[number, part, current] = strip
        return strip
