"""Lines that a program printed, as they come: only what is visible is painted, and the end is followed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.widgets.celltext import clean

_WIDEST = 2000
"""Cells of a line that can be scrolled to."""


class OutputLines(ScrollView, can_focus=True):
    """Feed it with `show`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"output--text"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "step(1)", "Down", id="output.down", show=False),
        Binding("k,up", "step(-1)", "Up", id="output.up", show=False),
        Binding("ctrl+d,pagedown,space", "page(1)", "Page down", id="output.page_down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", id="output.page_up", show=False),
        Binding("g,home", "edge(0)", "Top", id="output.top", show=False),
        Binding("G,end", "edge(1)", "Bottom", id="output.bottom", show=False),
        Binding("l,right", "aside(8)", "Right", id="output.right", show=False),
        Binding("h,left", "aside(-8)", "Left", id="output.left", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[str] = ()
        self._count = 0
        self._width = 0
        self._following = True

    def show(self, lines: Sequence[str], *, anew: bool = False) -> None:
        """These lines; they may only have grown since the last time, unless they are shown `anew`."""
        if anew:
            self._count = self._width = 0
            self._following = False
            self.scroll_to(0, 0, animate=False, force=True)
        fresh = [lines[place] for place in range(self._count, len(lines))]
        self._lines, self._count = lines, len(lines)
        self._width = max([self._width, *(min(_WIDEST, cell_len(clean(line, _WIDEST))) for line in fresh)])
        self.virtual_size = Size(self._width, self._count)
        if self._following:
            self.scroll_end(animate=False, immediate=True)
        self.refresh()

    def follow(self) -> None:
        """Stay at the end as lines come."""
        self._following = True

    def render_line(self, y: int) -> Strip:
        """One line, from where it is scrolled to."""
        place, width, base = y + self.scroll_offset.y, self.size.width, self.rich_style
        if place >= self._count:
            return Strip.blank(width, base)
        style = base + self.get_component_rich_style("output--text", partial=True)
        start = self.scroll_offset.x
        text = clean(self._lines[place], _WIDEST)
        return Strip([Segment(text, style)]).crop_extend(start, start + width, style)

    def _moved(self) -> None:
        self._following = self.scroll_offset.y >= self.max_scroll_y

    def action_step(self, lines: int) -> None:
        """Move by lines."""
        self.scroll_relative(y=lines, animate=False, force=True, immediate=True)
        self._moved()

    def action_page(self, pages: int) -> None:
        """Move by pages."""
        self.action_step(pages * max(1, self.size.height - 1))

    def action_edge(self, end: int) -> None:
        """To the first line or the last."""
        self.scroll_to(y=self.max_scroll_y if end else 0, animate=False, force=True, immediate=True)
        self._moved()

    def action_aside(self, cells: int) -> None:
        """Move sideways."""
        self.scroll_relative(x=cells, animate=False, force=True, immediate=True)
