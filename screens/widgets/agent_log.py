"""What an agent was asked, did and said, as it comes: follows the end, stands still once one scrolls up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.strip import Strip
from textual.widget import Widget

from backends.model.agents import AgentLine
from screens.widgets.agent_lines import KINDS, Row, rows_of
from screens.widgets.glyphs import UNICODE, Glyphs

KEPT = 3_000
"""Entries that are kept; an agent's whole log is `hero_dev agent-log`."""
FLUSH_SECONDS = 0.25
_WHEEL = 3


class AgentLog(Widget, can_focus=True):
    """Entries go in by `append`. It has no scrollbar: one would lay the screen out anew with every entry."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "said--name",
        *(f"said--{kind}" for kind in KINDS),
        *(f"said--sign-{kind}" for kind in KINDS),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f,space", "follow", "Follow", id="said.follow", show=False),
        Binding("j,down", "rows(1)", "Down", id="said.down", show=False),
        Binding("k,up", "rows(-1)", "Up", id="said.up", show=False),
        Binding("ctrl+d,pagedown", "pages(1)", "Half page down", id="said.half_down", show=False),
        Binding("ctrl+u,pageup", "pages(-1)", "Half page up", id="said.half_up", show=False),
        Binding("g,home", "rows(-1000000)", "Top", id="said.top", show=False),
        Binding("G,end", "rows(1000000)", "Bottom", id="said.bottom", show=False),
    ]

    def __init__(self, *, brief: bool = False, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self._brief = brief
        self._glyphs = glyphs
        self._entries: list[AgentLine] = []
        self._rows: list[Row] = []
        self._heights: list[int] = []
        self._fresh: list[AgentLine] = []
        self._painted: LRUCache[Row, Strip] = LRUCache(1024)
        self._top = 0
        self._following = True
        self._flush_wanted = False

    # -- entries ----------------------------------------------------------------------------------

    def append(self, lines: Sequence[AgentLine]) -> None:
        """Take entries in; they are shown before long, together with what else has come."""
        self._fresh += lines
        if self._fresh and not self._flush_wanted and self.is_mounted:
            self._flush_wanted = True
            self.set_timer(FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        """Show what has been appended."""
        self._flush_wanted = False
        fresh, self._fresh = self._fresh[-KEPT:], []
        if not fresh or not self.size.width:
            self._fresh = fresh
            return
        room = len(self._rows) - self._top
        self._take(fresh)
        self._forget()
        self._move(self._last if self._following else self._top)
        if self._following or room < self.size.height:
            self.refresh()

    def _take(self, entries: Sequence[AgentLine]) -> None:
        for entry in entries:
            rows = rows_of(entry, self.size.width - 1, brief=self._brief, glyphs=self._glyphs)
            self._entries.append(entry)
            self._heights.append(len(rows))
            self._rows += rows

    def _forget(self) -> None:
        """The oldest entries, with their rows; what is on the screen stays where it is."""
        excess = max(0, len(self._entries) - KEPT)
        rows = sum(self._heights[:excess])
        del self._entries[:excess], self._heights[:excess], self._rows[:rows]
        self._top = max(0, self._top - rows)

    def reset(self) -> None:
        """Forget everything: another log begins, and is followed."""
        self._entries, self._rows, self._heights, self._fresh = [], [], [], []
        self._top, self._following = 0, True
        self.refresh()

    @property
    def entries(self) -> Sequence[AgentLine]:
        """What is kept and shown."""
        return self._entries

    @property
    def empty(self) -> bool:
        """True while nothing has come."""
        return not (self._entries or self._fresh)

    # -- moving -----------------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        """True while new entries push the old ones up."""
        return self._following

    @property
    def _last(self) -> int:
        """The topmost row while the end is shown."""
        return max(0, len(self._rows) - self.size.height)

    def _move(self, top: int) -> None:
        top = max(0, min(self._last, top))
        if top != self._top:
            self._top = top
            self.refresh()

    def action_rows(self, rows: int) -> None:
        """Move by rows; who comes to the end follows."""
        self._move(self._top + rows)
        self._following = self._top >= self._last

    def action_pages(self, halves: int) -> None:
        """Move by half a page."""
        self.action_rows(halves * max(1, self.size.height // 2))

    def action_follow(self) -> None:
        """Follow the end, or stand still."""
        self._following = not self._following
        if self._following:
            self._move(self._last)

    def on_mouse_scroll_down(self) -> None:
        """The wheel."""
        self.action_rows(_WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """The wheel."""
        self.action_rows(-_WHEEL)

    # -- painting ---------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Break all entries anew."""
        entries = [*self._entries, *self._fresh]
        self._entries, self._rows, self._heights, self._fresh = [], [], [], []
        if self.size.width:
            self._take(entries[-KEPT:])
        else:
            self._fresh = entries
        self._top = self._last if self._following else min(self._top, self._last)
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget what is painted when theme or style sheet change."""
        self._painted.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One row."""
        width, place = self.size.width, self._top + y
        row = self._rows[place] if place < len(self._rows) else ()
        strip = self._painted.get(row)
        if strip is None or strip.cell_length != width:
            base = self.rich_style  # costs more than the rest, so only what is new asks for it
            parts = [
                Segment(text, base + self.get_component_rich_style(name, partial=True) if name else base)
                for text, name in row
            ]
            strip = self._painted[row] = Strip(parts).adjust_cell_length(width, base)
        return strip
