"""A table of lines of which only the visible ones are painted: the cursor stays on its line while others come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.widgets.build_cells import Column
from screens.widgets.celltext import fit
from screens.widgets.glyphs import Glyphs
from screens.widgets.list_styles import LINE_STYLES
from screens.widgets.one_line import Part

Row = TypeVar("Row")
_Told = TypeVar("_Told", contravariant=True)

Line = tuple[str, tuple[Part, ...]]
"""What a line of the screen shows: the style of its ground, and its parts."""


class Table(Protocol[_Told]):
    """How rows look. One that differs from the one before has the lines that look other painted."""

    @property
    def glyphs(self) -> Glyphs: ...

    def key(self, row: _Told) -> str:
        """What tells the row from all others."""

    def columns(self, rows: Sequence[_Told], room: int) -> list[Column]:
        """Columns that take `room` cells at most, each followed by a space."""

    def parts(self, row: _Told, column: Column) -> Sequence[Part]:
        """One cell, in exactly its column's width."""

    def marked(self, row: _Told) -> bool:
        """Whether the row bears the mark."""


class LineList(ScrollView, Generic[Row], can_focus=True):
    """Feed it with `show`; it answers with `Highlighted`, `Selected` and `EndNear`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {*LINE_STYLES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="list.down", show=False),
        Binding("k,up", "move(-1)", "Up", id="list.up", show=False),
        Binding("g,home", "move(-100000)", "Top", id="list.top", show=False),
        Binding("G,end", "move(100000)", "Bottom", id="list.bottom", show=False),
        Binding("ctrl+d,pagedown", "page(1)", "Half page down", id="list.half_down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "Half page up", id="list.half_up", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """Another row has the cursor, or none."""

        list: LineList[Any]

    @dataclass
    class Selected(Message):
        """A double click."""

        list: LineList[Any]

    @dataclass
    class EndNear(Message):
        """The last rows are near: more could be asked for."""

        list: LineList[Any]

    def __init__(self, table: Table[Row], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: Sequence[Row] = ()
        self._table = table
        self._cursor = 0
        self._columns: list[Column] = []
        self._painted: dict[int, Line] = {}
        self._lines: dict[tuple[int, bool, bool], tuple[Row, Line]] = {}
        self._strips: LRUCache[tuple[Line, int], Strip] = LRUCache(512)
        self._recalled: tuple[str, int] | None = None

    # -- data -------------------------------------------------------------------------------------

    def show(self, rows: Sequence[Row], table: Table[Row]) -> None:
        """Show these; the cursor stays on its row, and once scrolled, on its line of the screen."""
        before, place = self._key, self._cursor
        moved = rows != self._rows
        if table != self._table:
            self._lines.clear()
        self._rows, self._table = rows, table
        if moved:
            keys = [table.key(row) for row in rows]
            self._cursor = keys.index(before) if before in keys else min(place, max(0, len(keys) - 1))
            self._measure()
            self._keep_line(place)
            self._return()
        self._repaint()
        if before != self._key:
            self.post_message(self.Highlighted(self))
        if moved:
            self._say_end()

    @property
    def rows(self) -> Sequence[Row]:
        """What is shown."""
        return self._rows

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    def key_of(self, row: Row) -> str:
        """What tells the row from all others."""
        return self._table.key(row)

    @property
    def _key(self) -> str | None:
        return self._table.key(self._rows[self._cursor]) if self._rows else None

    def _keep_line(self, place: int) -> None:
        top = self.scroll_offset.y
        if top:
            top = max(0, top + self._cursor - place)
        self._scroll(max(self._cursor - self._room + 1, min(top, self._cursor)))

    def memory(self) -> tuple[str, int] | None:
        """The row under the cursor, and on which line of the screen it is."""
        return (self._key or "", self._cursor - self.scroll_offset.y) if self._rows else self._recalled

    def recall(self, memory: object) -> None:
        """The cursor there again, once that row has come; whoever moves it meanwhile has it."""
        if isinstance(memory, tuple):
            self._recalled = memory
            before = self._key
            self._return()
            self._repaint()
            if before != self._key:
                self.post_message(self.Highlighted(self))

    def _return(self) -> None:
        if self._recalled is None:
            return
        key, line = self._recalled
        place = next((number for number, row in enumerate(self._rows) if self._table.key(row) == key), None)
        if place is not None:
            self._recalled = None
            self._cursor = place
            # Before the first layout nothing has a height that could be scrolled in.
            self.call_after_refresh(self._scroll, max(0, place - line))

    def put_cursor(self, key: str) -> bool:
        """The cursor on the row with this key; False where there is none."""
        place = next((number for number, row in enumerate(self._rows) if self._table.key(row) == key), None)
        if place is not None:
            self._move_to(place)
        return place is not None

    # -- cursor -----------------------------------------------------------------------------------

    @property
    def _room(self) -> int:
        return max(1, self.size.height - 1)

    def action_move(self, steps: int) -> None:
        """Move the cursor."""
        self._move_to(self._cursor + steps)

    def action_page(self, halves: int) -> None:
        """Move by half a page."""
        self.action_move(halves * max(1, self._room // 2))

    def _move_to(self, place: int) -> None:
        place = max(0, min(len(self._rows) - 1, place))
        self._recalled = None
        if self._rows and place != self._cursor:
            self._cursor = place
            self._scroll(max(place - self._room + 1, min(self.scroll_offset.y, place)))
            self._repaint()
            self.post_message(self.Highlighted(self))
        self._say_end()

    def _scroll(self, top: int) -> None:
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

    @property
    def end_near(self) -> bool:
        """Whether less than half a screen follows what is visible."""
        last = max(self._cursor, self.scroll_offset.y + self._room)
        return bool(self._rows) and last + self._room // 2 >= len(self._rows)

    def _say_end(self) -> None:
        if self.end_near:
            self.post_message(self.EndNear(self))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls to the end wants more."""
        super().watch_scroll_y(old_value, new_value)
        if new_value > old_value:
            self._say_end()

    def jump_spots(self) -> list[tuple[int, int]]:
        """Where a click does something: the lines that are visible."""
        shown = min(self.size.height - 1, len(self._rows) - self.scroll_offset.y)
        return [(0, y + 1) for y in range(shown)]

    def on_click(self, event: events.Click) -> None:
        """Move to the clicked line; a second click chooses it."""
        place = event.y - 1 + self.scroll_offset.y
        if event.y >= 1 and place < len(self._rows):
            event.stop()
            self._move_to(place)
            if event.chain == 2:
                self.post_message(self.Selected(self))

    def on_focus(self) -> None:
        """The cursor is where keys go."""
        self._repaint()

    def on_blur(self) -> None:
        """The cursor is a mark only."""
        self._repaint()

    # -- painting ---------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Give the columns their room; what has come into view may reach the end."""
        self._measure()
        self.refresh()
        self._say_end()

    def _measure(self) -> None:
        room = max(1, self.size.width - 3)
        columns, self._columns = self._columns, self._table.columns(self._rows, room)
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        if columns != self._columns:
            self._lines.clear()
            self.refresh()

    def notify_style_update(self) -> None:
        """Forget what is painted when theme or style sheet change."""
        self._strips.clear()
        super().notify_style_update()

    def _repaint(self) -> None:
        """Paint the lines that look other than they did."""
        for y in range(1, self.size.height):
            if self._painted.get(y) != self._line(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _line(self, y: int) -> Line:
        place = y - 1 + self.scroll_offset.y
        if place >= len(self._rows):
            return "", ()
        row, key = self._rows[place], (place, place == self._cursor, self.has_focus)
        known = self._lines.get(key)
        if known is None or known[0] != row:
            known = self._lines[key] = row, self._line_of(row, key[1])
        return known[1]

    def _line_of(self, row: Row, hot: bool) -> Line:
        ground = ("list--cursor" if self.has_focus else "list--cursor-blurred") if hot else ""
        glyphs = self._table.glyphs
        marked = glyphs.marked if self._table.marked(row) else " "
        parts: list[Part] = [(glyphs.cursor if hot else " ", "list--mark"), (marked, "list--marked")]
        for column in self._columns:
            parts += [*self._table.parts(row, column), (" ", "")]
        return ground, tuple(parts)

    def render_line(self, y: int) -> Strip:
        """The titles, or one row."""
        width = self.size.width
        if y == 0:
            base = self.rich_style
            head = self._style("list--head", base)
            cells = [Segment(fit(column.title, column.width) + " ", head) for column in self._columns]
            return Strip([Segment("  ", head), *cells]).adjust_cell_length(width, base)
        line = self._painted[y] = self._line(y)
        strip = self._strips.get((line, width))
        if strip is None:
            ground = self._style(line[0], self.rich_style)
            parts = Strip([Segment(text, self._style(name, ground)) for text, name in line[1]])
            strip = self._strips[line, width] = parts.adjust_cell_length(width, ground)
        return strip

    def _style(self, name: str, ground: Style) -> Style:
        return ground + self.get_component_rich_style(name, partial=True) if name else ground
