"""Lines of styled text to read: folded to the width, only the visible ones painted, scrolled by keys and mouse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.widgets.one_line import Part

Line = tuple[Part, ...]
"""Harmless texts, each with its style; a line that begins with spaces or with a label goes on under its text."""

_STYLES = ("title", "label", "text", "strong", "quiet", "good", "warn", "bad", "key", "added", "removed", "place")
_WORDS = re.compile(r"\s*\S+|\s+$")


class TextPane(ScrollView, can_focus=True):
    """Feed it with `show`; styles are named without `text--`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"text--{style}" for style in _STYLES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "rows(1)", "Down", id="pane.down", show=False),
        Binding("k,up", "rows(-1)", "Up", id="pane.up", show=False),
        Binding("ctrl+d,pagedown", "half(1)", "Half page down", id="pane.half_down", show=False),
        Binding("ctrl+u,pageup", "half(-1)", "Half page up", id="pane.half_up", show=False),
        Binding("g,home", "rows(-1000000)", "Top", id="pane.top", show=False),
        Binding("G,end", "rows(1000000)", "Bottom", id="pane.bottom", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._folded: list[Line] = []
        self._about: object = None
        self._room = 0

    @property
    def lines(self) -> Sequence[Line]:
        """What is shown, not folded."""
        return self._lines

    def show(self, lines: Sequence[Line], about: object) -> None:
        """Show these; what is `about` something else than before begins at its top."""
        same, self._about = about == self._about, about
        if same and lines == self._lines:
            return
        self._lines = lines
        self._fold()
        if not same:
            self.scroll_to(y=0, animate=False, force=True)
        self.refresh()

    def _fold(self) -> None:
        self._room = max(8, self.scrollable_content_region.width)
        self._folded = [row for line in self._lines for row in folded(line, self._room)]
        self.virtual_size = Size(self._room, len(self._folded))

    def on_resize(self) -> None:
        """Fold anew where the width is another."""
        if self.scrollable_content_region.width != self._room:
            self._fold()
            self.refresh()

    def action_rows(self, rows: int) -> None:
        """Scroll by so many lines."""
        self.scroll_to(y=max(0, min(self.max_scroll_y, self.scroll_offset.y + rows)), animate=False)

    def action_half(self, halves: int) -> None:
        """Scroll by half a page."""
        self.action_rows(halves * max(1, self.size.height // 2))

    def render_line(self, y: int) -> Strip:
        """One line."""
        base, row = self.rich_style, y + self.scroll_offset.y
        parts = self._folded[row] if row < len(self._folded) else ()
        segments = [
            Segment(text, base + self.get_component_rich_style(f"text--{style}", partial=True) if style else base)
            for text, style in parts
        ]
        return Strip(segments).adjust_cell_length(self.scrollable_content_region.width, base)


def folded(line: Line, room: int) -> list[Line]:
    """`line` in rows of at most `room` cells, broken between words where it can be."""
    if sum(cell_len(text) for text, _ in line) <= room:
        return [line]
    first, kind = line[0]
    hanging = len(first) if kind == "label" else len(first) - len(first.lstrip())
    indent = min(hanging, room // 2)
    rows: list[list[Part]] = [[]]
    width = 0
    for text, style in line:
        for word in _WORDS.findall(text):
            if width + cell_len(word) > room and width > indent:
                rows.append([(" " * indent, "")])
                width, word = indent, word.lstrip()
            for piece in chop_cells(word, room - indent) if width + cell_len(word) > room else [word]:
                if width + cell_len(piece) > room:
                    rows.append([(" " * indent, "")])
                    width = indent
                rows[-1].append((piece, style))
                width += cell_len(piece)
    return [tuple(row) for row in rows]
