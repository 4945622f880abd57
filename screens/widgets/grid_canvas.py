"""The fleet grid's painted lines, kept until they change, and where on the screen its parts are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.geometry import Offset, Region, Size
from textual.strip import Strip

from screens.widgets import grid_paint as paint
from screens.widgets.grid_data import GridCell
from screens.widgets.grid_layout import Geometry, header_titles
from screens.widgets.grid_model import GridModel


@dataclass(frozen=True, slots=True)
class Viewport:
    """What of the grid is on the screen, and where its cursor is."""

    size: Size
    scroll: Offset
    cursor: tuple[str, str] | None
    focused: bool


class Canvas:
    """Paints lines of one model in one geometry. Every box is in the widget's own coordinates."""

    def __init__(self, model: GridModel, geometry: Geometry, ink: paint.Ink, base: Style) -> None:
        self.geometry = geometry
        self._model = model
        self._ink = ink
        self._base = base
        self._titles = header_titles(model.view.columns, geometry.inner - 1)
        self._header_of = (0, 0)
        self._header_lines: dict[int, tuple[Segment, ...]] = {}
        self._rows: LRUCache[str, tuple[object, list[Strip]]] = LRUCache(512)
        self._labels: LRUCache[str, tuple[object, list[Strip]]] = LRUCache(512)
        self._looks: LRUCache[tuple[GridCell | None, Style, bool], tuple[paint.Line, ...]] = LRUCache(2048)

    def forget_row(self, key: str) -> None:
        """Paint the cells of this row anew when they are next asked for; its label knows by itself."""
        self._rows.discard(key)

    # -- boxes ------------------------------------------------------------------------------------

    def cell_box(self, view: Viewport, row: int, column: int) -> Region:
        """The visible part of a cell; empty if there is none."""
        geometry = self.geometry
        x, y = geometry.column_x(column, view.scroll.x), geometry.row_y(row, view.scroll.y)
        box = Region(x, y, geometry.pitch, geometry.row_height)
        return box.intersection(self._area(view, row, geometry.left, view.size.width))

    def label_box(self, view: Viewport, row: int) -> Region:
        """The visible part of a row's user and credential."""
        geometry = self.geometry
        box = Region(0, geometry.row_y(row, view.scroll.y), geometry.left, geometry.row_height)
        return box.intersection(self._area(view, row, 0, geometry.left))

    def header_box(self, view: Viewport, column: int) -> Region:
        """The visible part of a column's title."""
        geometry = self.geometry
        box = Region(geometry.column_x(column, view.scroll.x), 0, geometry.pitch, geometry.header)
        room = max(0, view.size.width - geometry.left)
        return box.intersection(Region(geometry.left, 0, room, geometry.header))

    def cursor_boxes(self, view: Viewport, old: tuple[int, int], new: tuple[int, int]) -> list[Region]:
        """What differs when the cursor goes from one place to another: cells, labels, titles."""
        boxes = [self.cell_box(view, *old), self.cell_box(view, *new)]
        if old[0] != new[0]:
            boxes += [self.label_box(view, old[0]), self.label_box(view, new[0])]
        if old[1] != new[1]:
            boxes += [self.header_box(view, old[1]), self.header_box(view, new[1])]
        return boxes

    def changed_boxes(
        self, view: Viewport, row: int, column: int, before: GridCell | None, after: GridCell | None
    ) -> Iterator[Region]:
        """The spans in which two looks of a cell differ, one a line, as far as they are visible."""
        whole = self.cell_box(view, row, column)
        if not whole:
            return
        ground, hot = self._ground(view, row, column), self._is_hot(view, row, column)
        old, new = self._paint(before, ground, hot), self._paint(after, ground, hot)
        x = self.geometry.column_x(column, view.scroll.x)
        y = self.geometry.row_y(row, view.scroll.y)
        for line, pair in enumerate(zip(old, new, strict=True)):
            if span := paint.changed_span(*pair):
                yield Region(x + span[0], y + line, span[1] - span[0], 1).intersection(whole)

    def _area(self, view: Viewport, row: int, left: int, right: int) -> Region:
        top = self.geometry.top if row >= self.geometry.frozen else self.geometry.header
        return Region(left, top, max(0, right - left), max(0, view.size.height - top))

    # -- lines ------------------------------------------------------------------------------------

    def line(self, view: Viewport, y: int) -> Strip:
        """One line of the widget: header, frozen row, rule or body."""
        shown = self._model.view
        if not shown.rows or not shown.columns:
            return Strip.blank(view.size.width, self._base)
        if y < self.geometry.header:
            return self._header(view, y)
        hit = self.geometry.row_at(y, view.scroll.y)
        if hit is None:
            rule = self._ink.glyphs.rule * view.size.width
            return Strip([self._ink.put(rule, "grid--rule", self._base)], view.size.width)
        row, line = hit
        if row >= len(shown.rows):
            return Strip.blank(view.size.width, self._base)
        body = self._visible(view, self._row(view, row)[line], self._ground(view, row))
        return Strip.join([self._label(view, row)[line], body])

    def _columns(self, view: Viewport) -> tuple[int, int]:
        """The first of the columns that are to be seen, and the one after the last."""
        pitch, room = self.geometry.pitch, max(0, view.size.width - self.geometry.left)
        first = view.scroll.x // pitch
        return first, min(len(self._titles), -(-(view.scroll.x + room) // pitch))

    def _visible(self, view: Viewport, strip: Strip, ground: Style) -> Strip:
        """What is seen of a line of those columns."""
        room, hidden = max(0, view.size.width - self.geometry.left), view.scroll.x % self.geometry.pitch
        return strip.crop_extend(hidden, hidden + room, ground)

    def _header(self, view: Viewport, line: int) -> Strip:
        ground = self._base + self._ink.styles["grid--header"]
        hot = self._model.view.column_at.get(view.cursor[1], -1) if view.cursor else -1
        first, last = self._columns(view)
        segments = list(self._titles_from(first, last, line))
        if first <= hot < last:
            segments[hot - first] = self._painted_titles(self._titles[hot : hot + 1], line, 0)[0]
        body = Strip(segments, self.geometry.pitch * len(segments))
        return Strip.join([Strip.blank(self.geometry.left, ground), self._visible(view, body, ground)])

    def _titles_from(self, first: int, last: int, line: int) -> tuple[Segment, ...]:
        """A line of the titles of these columns, without the cursor's; they change seldom."""
        if self._header_of != (first, last):
            self._header_of, self._header_lines = (first, last), {}
        if line not in self._header_lines:
            self._header_lines[line] = self._painted_titles(self._titles[first:last], line, -1)
        return self._header_lines[line]

    def _painted_titles(self, titles: Sequence[str], line: int, hot: int) -> tuple[Segment, ...]:
        painted = paint.paint_header(titles, self.geometry, self._ink, line, hot)
        return tuple(Segment.apply_style(painted, self._base))

    def _row(self, view: Viewport, row: int) -> list[Strip]:
        shown, geometry = self._model.view, self.geometry
        key = shown.rows[row].key
        hot = view.cursor[1] if view.cursor and view.cursor[0] == key else None
        first, last = self._columns(view)
        signature = (hot, view.focused if hot is not None else None, self._model.age, first, last)
        cached = self._rows.get(key)
        if cached is not None and cached[0] == signature:
            return cached[1]
        self._model.bring_up_to_date(key)
        lines: list[list[Segment]] = [[] for _ in range(geometry.row_height)]
        others = self._ground(view, row)
        for column in range(first, last):
            service = shown.columns[column]
            ground = self._ground(view, row, column) if service.key == hot else others
            painted = self._paint(self._model.cell(key, service.key), ground, service.key == hot)
            for target, segments in zip(lines, painted, strict=True):
                target.extend(segments)
        strips = [Strip(segments, geometry.pitch * max(0, last - first)) for segments in lines]
        self._rows[key] = (signature, strips)
        return strips

    def _paint(self, cell: GridCell | None, ground: Style, hot: bool) -> tuple[paint.Line, ...]:
        """A cell's lines; most cells look like others do."""
        key = (cell, ground, hot)
        lines = self._looks.get(key)
        if lines is None:
            lines = self._looks[key] = paint.paint_cell(cell, self.geometry, self._ink, ground, hot)
        return lines

    def _label(self, view: Viewport, row: int) -> list[Strip]:
        data = self._model.view.rows[row]
        hot, faults = view.cursor is not None and view.cursor[0] == data.key, self._model.faults(data.key)
        signature = (hot, faults, data)
        cached = self._labels.get(data.key)
        if cached is not None and cached[0] == signature:
            return cached[1]
        ground = self._ground(view, row)
        painted = paint.paint_label(data, faults, self.geometry, self._ink, ground, hot)
        strips = [Strip(segments, self.geometry.left) for segments in painted]
        self._labels[data.key] = (signature, strips)
        return strips

    def _is_hot(self, view: Viewport, row: int, column: int) -> bool:
        shown = self._model.view
        return view.cursor == (shown.rows[row].key, shown.columns[column].key)

    def _ground(self, view: Viewport, row: int, column: int | None = None) -> Style:
        """What the row's text stands on: stripe, pinned tint, staleness, cursor."""
        styles, shown = self._ink.styles, self._model.view
        ground = self._base
        if shown.rows[row].pinned:
            ground += styles["grid--pinned"]
        elif (row - shown.pinned) % 2:
            ground += styles["grid--stripe"]
        if shown.rows[row].stale:
            ground += styles["grid--stale"]
        if column is not None and self._is_hot(view, row, column):
            ground += styles["grid--cursor" if view.focused else "grid--cursor-blurred"]
        return ground
