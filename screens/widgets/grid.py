"""The fleet at one glance: users by services on the Line API, one small repaint for each changed cell."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.grid_canvas import Canvas, Viewport
from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow, GridView
from screens.widgets.grid_layout import DENSITIES, Density, Geometry, measure
from screens.widgets.grid_model import GridModel, Look
from screens.widgets.grid_order import GROUPS, SORTS, Order, is_head
from screens.widgets.grid_paint import PARTS, STATES, Ink
from screens.widgets.list_order import next_of


class FleetGrid(ScrollView, can_focus=True):
    """Users × services. Feed it with `set_shape` and `set_cell`; it answers with messages.

    Header, integration row, user and credential columns stay in place while the rest scrolls. Only what
    is visible is painted, and a changed cell repaints the few terminal cells that differ.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {*PARTS, *STATES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1, 0)", "Down", id="grid.down", show=False),
        Binding("k,up", "move(-1, 0)", "Up", id="grid.up", show=False),
        Binding("h,left", "move(0, -1)", "Left", id="grid.left", show=False),
        Binding("l,right", "move(0, 1)", "Right", id="grid.right", show=False),
        Binding("g", "move_to_row(0)", "Top", id="grid.top", show=False),
        Binding("G", "move_to_row(-1)", "Bottom", id="grid.bottom", show=False),
        Binding("home", "move_to_column(0)", "First service", id="grid.first", show=False),
        Binding("end", "move_to_column(-1)", "Last service", id="grid.last", show=False),
        Binding("ctrl+d", "page(0.5)", "Half page down", id="grid.half_down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half page up", id="grid.half_up", show=False),
        Binding("pagedown", "page(1.0)", "Page down", id="grid.page_down", show=False),
        Binding("pageup", "page(-1.0)", "Page up", id="grid.page_up", show=False),
        Binding("enter", "select", "Open", id="grid.select", show=False),
        Binding("z", "cycle_density", "Density", id="grid.density", show=False),
        Binding("O", "cycle_sort", "Sort", id="grid.sort", show=False),
        Binding("V", "cycle_group", "Group", id="grid.group", show=False),
        Binding("tab", "fold", "Fold", id="grid.fold", show=False),
        Binding("shift+tab", "fold_all", "Fold all", id="grid.fold_all", show=False),
    ]

    @dataclass
    class CellHighlighted(Message):
        """The cursor moved, or the cell under it changed; `cell` is None where nothing is bound."""

        grid: FleetGrid
        row_key: str
        column_key: str
        cell: GridCell | None

        @property
        def control(self) -> FleetGrid:
            """The grid that sent it."""
            return self.grid

    @dataclass
    class CellSelected(Message):
        """Enter or a double click on a cell; `cell` is None where nothing is bound."""

        grid: FleetGrid
        row_key: str
        column_key: str
        cell: GridCell | None

        @property
        def control(self) -> FleetGrid:
            """The grid that sent it."""
            return self.grid

    @dataclass
    class DensityChanged(Message):
        """Another density is shown now; `choice` is None while the width decides."""

        grid: FleetGrid
        density: Density
        choice: Density | None

    @dataclass
    class OrderChanged(Message):
        """Rows are sorted or grouped otherwise now."""

        grid: FleetGrid
        order: Order

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._model = GridModel()
        self._geometry = Geometry()
        self._choice: Density | None = None
        self._cursor: tuple[str, str] | None = None
        self._glyphs = glyphs
        self._painted: Canvas | None = None
        self._shaped = Size()
        self._tip: Callable[[str, str], Content | None] = lambda *_: None
        self._spot: tuple[str, str] | None = None

    # -- data -------------------------------------------------------------------------------------

    def set_shape(self, rows: Iterable[GridRow], columns: Iterable[GridColumn]) -> None:
        """Set users and services; what is known about cells that remain is kept, and so is the cursor."""
        self._model.set_shape(rows, columns)
        self._reshape()

    def set_row(self, row: GridRow) -> None:
        """Replace a row's title, credential, agents or staleness; only its label is painted if no cell differs."""
        before = self._model.row(row.key)
        if before is None or before == row:
            return
        stale = before.stale
        moved = self._model.set_row(row)
        place = self.view.row_at.get(row.key)
        same = _room_of(before) == _room_of(row)
        if place is None or not self.size or not same or moved or stale != row.stale:
            self._reshape()
            return
        self._canvas.forget_row(row.key)
        self.refresh_boxes(self._canvas.label_box(self._viewport, place))

    def set_cell(self, row_key: str, column_key: str, cell: GridCell | None) -> None:
        """Show `cell` there, None for no binding. Costs a repaint of what differs, if that is visible."""
        self.set_cells([((row_key, column_key), cell)])

    def set_cells(self, cells: Iterable[tuple[tuple[str, str], GridCell | None]]) -> None:
        """Show these by row and column; where rows come, go or move by it, that is worked out once."""
        moved, viewport = False, self._viewport
        boxes: list[Region] = []
        for (row_key, column_key), cell in cells:
            moved |= self._set_cell(row_key, column_key, cell, viewport, boxes)
        self.refresh_boxes(*boxes)
        if moved:
            self._model.refilter()
            self._reshape()

    def show_from(self, look: Look, faults: Callable[[str], int]) -> None:
        """Take cells from `look` when they are first shown, and from `faults` how many of a row's are faulty."""
        self._model.watch(look, faults)

    def tell_from(self, tip: Callable[[str, str], Content | None]) -> None:
        """Take from `tip` what is told of a cell where the mouse rests on it; it is asked once a cell."""
        self._tip = tip

    def look_again(self, cells: Iterable[tuple[str, str]]) -> None:
        """These may look otherwise. Those that nobody has looked at yet are only counted."""
        known, moved = [], False
        cells = tuple(cells)
        if self._spot in cells:
            self._tell_spot()
        for row_key, column_key in cells:
            if self._model.is_known(row_key, column_key):
                known.append(((row_key, column_key), self._model.newest(row_key, column_key)))
            else:
                moved |= self._model.recount(row_key)
        self.set_cells(known)
        if moved:
            self._model.refilter()
            self._reshape()

    def grow_older(self) -> None:
        """Cells tell ages, and those have changed: in the rows on the screen now, in others once they are seen."""
        self._model.grow_older()
        for row in self._rows_on_screen():
            self.look_again([(row.key, column.key) for column in self.view.columns])

    def _rows_on_screen(self) -> Iterable[GridRow]:
        """Frozen rows, and those of the others that are in view."""
        geometry, rows = self._geometry, self.view.rows
        first = geometry.frozen + self.scroll_offset.y // geometry.row_height
        room = -(-max(0, self._visible.height - geometry.top) // geometry.row_height) + 1
        return (*rows[: geometry.frozen], *rows[first : first + room])

    def _set_cell(
        self, row_key: str, column_key: str, cell: GridCell | None, viewport: Viewport, boxes: list[Region]
    ) -> bool:
        """Put it there, and what has to be painted for it into `boxes`; True if rows may have moved by it."""
        before = self._model.cell(row_key, column_key)
        if before == cell:
            return False
        faults, head = self._model.faults(row_key), self.view.heads.get(row_key, "")
        summary = self._model.cell(head, column_key) if head else None
        moved = self._model.set_cell(row_key, column_key, cell)
        if not moved:
            boxes += self._changed(viewport, row_key, column_key, before, cell)
            if self._model.faults(row_key) != faults and self.size and row_key in self.view.row_at:
                boxes.append(self._canvas.label_box(viewport, self.view.row_at[row_key]))
            if head:
                boxes += self._changed(viewport, head, column_key, summary, self._model.cell(head, column_key))
        if self._cursor == (row_key, column_key):
            self._post_highlight()
        return moved

    def _changed(
        self, viewport: Viewport, row_key: str, column_key: str, before: GridCell | None, after: GridCell | None
    ) -> Iterable[Region]:
        row, column = self.view.row_at.get(row_key), self.view.column_at.get(column_key)
        if row is None or column is None or not viewport.size or before == after:
            return ()
        self._canvas.forget_row(row_key)
        return self._canvas.changed_boxes(viewport, row, column, before, after)

    def cell(self, row_key: str, column_key: str) -> GridCell | None:
        """What was last set there."""
        return self._model.cell(row_key, column_key)

    # -- filters ----------------------------------------------------------------------------------

    @property
    def filters(self) -> Filters:
        """What is left out now."""
        return self._model.filters

    def set_filter(self, text: str) -> None:
        """Keep users or services whose names hold `text`; with a leading `!`, drop those instead."""
        self._filter(replace(self.filters, text=text.strip()))

    def show_rows(self, predicate: Callable[[GridRow], bool] | None) -> None:
        """Keep only the rows that `predicate` accepts; None shows all again."""
        self._filter(replace(self.filters, predicate=predicate))

    def set_only_faults(self, on: bool) -> None:
        """Keep only rows with an unhealthy, crashed or missing service or a failed build."""
        self._filter(replace(self.filters, only_faults=on))

    def set_only_waiting(self, on: bool) -> None:
        """Keep only rows with something that waits for a person."""
        self._filter(replace(self.filters, only_waiting=on))

    def set_only_mine(self, on: bool, row_key: str = "") -> None:
        """Keep only the row `row_key` and the pinned ones."""
        self._filter(replace(self.filters, only_mine=on, mine=row_key or self.filters.mine))

    def _filter(self, filters: Filters) -> None:
        self._model.filters = filters
        self._model.refilter()
        self._reshape()

    @property
    def view(self) -> GridView:
        """The rows and columns that the filters leave; empty ones mean that nothing matches."""
        return self._model.view

    # -- cursor -----------------------------------------------------------------------------------

    @property
    def cursor(self) -> tuple[str, str] | None:
        """Keys of row and column under the cursor, None while nothing is shown."""
        return self._cursor

    @cursor.setter
    def cursor(self, keys: tuple[str, str]) -> None:
        row, column = self.view.row_at.get(keys[0]), self.view.column_at.get(keys[1])
        if row is not None and column is not None:
            self._move_to(row, column)

    def memory(self) -> tuple[Filters, Order, tuple[str, str] | None, Offset]:
        """What is left out, in which order the rows are, the cell under the cursor, where it is scrolled to."""
        return self.filters, self.order, self._cursor, self.scroll_offset

    def recall(self, memory: object) -> None:
        """All of that again."""
        match memory:
            case (Filters() as filters, Order() as order, cursor, Offset() as top):
                self._filter(filters)
                self.set_order(order)
                if isinstance(cursor, tuple):
                    self.cursor = cursor
                self.scroll_to(top.x, top.y, animate=False, force=True)

    def _position(self) -> tuple[int, int]:
        if self._cursor is None:
            return 0, 0
        return self.view.row_at[self._cursor[0]], self.view.column_at[self._cursor[1]]

    def _move_to(self, row: int, column: int) -> None:
        view = self.view
        if not view.rows or not view.columns:
            return
        row = max(0, min(len(view.rows) - 1, row))
        column = max(0, min(len(view.columns) - 1, column))
        keys = (view.rows[row].key, view.columns[column].key)
        if keys == self._cursor:
            return
        first, (old_row, old_column) = self._cursor is None, self._position()
        self._cursor = keys
        self._scroll_into_view(row, column)
        canvas, port = self._canvas, self._viewport
        boxes = [canvas.cell_box(port, old_row, old_column), canvas.cell_box(port, row, column)]
        if first or old_row != row:
            boxes += [canvas.label_box(port, old_row), canvas.label_box(port, row)]
        if first or old_column != column:
            boxes += [canvas.header_box(port, old_column), canvas.header_box(port, column)]
        self.refresh_boxes(*boxes)
        self._post_highlight()

    def _post_highlight(self) -> None:
        if self._cursor is not None:
            self.post_message(self.CellHighlighted(self, *self._cursor, self._model.cell(*self._cursor)))

    def _scroll_into_view(self, row: int, column: int) -> None:
        geometry, (scroll_x, scroll_y) = self._geometry, self.scroll_offset
        x, y = column * geometry.pitch, (row - geometry.frozen) * geometry.row_height
        room_x, room_y = self._visible.width - geometry.left, self._visible.height - geometry.top
        if row >= geometry.frozen:
            scroll_y = max(y + geometry.row_height - room_y, min(scroll_y, y))
        scroll_x = max(x + geometry.pitch - room_x, min(scroll_x, x))
        if (scroll_x, scroll_y) != self.scroll_offset:
            self.scroll_to(max(0, scroll_x), max(0, scroll_y), animate=False, force=True)

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor by so many rows and columns."""
        row, column = self._position()
        self._move_to(row + rows, column + columns)

    def action_move_to_row(self, row: int) -> None:
        """Move to a row by its place, -1 for the last."""
        self._move_to(row % max(1, len(self.view.rows)), self._position()[1])

    def action_move_to_column(self, column: int) -> None:
        """Move to a column by its place, -1 for the last."""
        self._move_to(self._position()[0], column % max(1, len(self.view.columns)))

    def action_page(self, pages: float) -> None:
        """Move by a part of the visible rows."""
        visible = max(1, (self._visible.height - self._geometry.top) // self._geometry.row_height)
        step = max(1, int(visible * abs(pages)))
        self.action_move(step if pages > 0 else -step, 0)

    def action_select(self) -> None:
        """Tell the screen that the cell under the cursor was chosen; a head folds."""
        if self._cursor is not None and is_head(self._cursor[0]):
            self.action_fold()
        elif self._cursor is not None:
            self.post_message(self.CellSelected(self, *self._cursor, self._model.cell(*self._cursor)))

    # -- density ----------------------------------------------------------------------------------

    @property
    def density(self) -> Density:
        """What is shown now."""
        return self._geometry.density

    @property
    def density_choice(self) -> Density | None:
        """What the person chose; None while the width decides."""
        return self._choice

    def set_density(self, choice: Density | None) -> None:
        """Show this density whatever the width; None lets the width decide again."""
        self._choice = choice
        self._reshape()
        self.post_message(self.DensityChanged(self, self.density, choice))

    def action_cycle_density(self) -> None:
        """By width → full → compact → heat → by width."""
        choices: list[Density | None] = [None, *DENSITIES]
        self.set_density(choices[(choices.index(self._choice) + 1) % len(choices)])

    # -- order ------------------------------------------------------------------------------------

    @property
    def order(self) -> Order:
        """How rows are sorted and grouped now."""
        return self._model.order

    def set_order(self, order: Order) -> None:
        """Sort and group otherwise; the cursor stays on its row, or goes to the head that hides it."""
        heads = self.view.heads
        self._model.order = order
        self._model.refilter()
        if self._cursor and self._cursor[0] not in self.view.row_at:
            head = (self.view.heads or heads).get(self._cursor[0], "")
            if head in self.view.row_at:
                self._cursor = (head, self._cursor[1])
        self._reshape()
        self.post_message(self.OrderChanged(self, order))
        self._post_highlight()

    def action_cycle_sort(self) -> None:
        """By name → by trouble → by agents → by name."""
        self.set_order(replace(self.order, sort=next_of(SORTS, self.order.sort)))

    def action_cycle_group(self) -> None:
        """No groups → by box → by role → by state → none."""
        group = next_of(GROUPS, self.order.group)
        self.set_order(replace(self.order, group=group, folded=frozenset()))

    def action_fold(self) -> None:
        """Hide or show the rows of the head at the cursor."""
        if self._cursor is None:
            return
        key = self._cursor[0]
        head = key if is_head(key) else self.view.heads.get(key, "")
        if head:
            self.set_order(replace(self.order, folded=self.order.folded ^ {head}))

    def action_fold_all(self) -> None:
        """Hide all rows under heads, or show all."""
        heads = frozenset(self.view.heads.values())
        self.set_order(replace(self.order, folded=frozenset() if self.order.folded else heads))

    # -- mouse ------------------------------------------------------------------------------------

    def jump_spots(self) -> list[tuple[int, int]]:
        """Where a click does something: the visible cells, each at its first terminal cell after the margin."""
        if not self.size or not self.view.rows:
            return []
        canvas, view, columns = self._canvas, self._viewport, range(len(self.view.columns))
        rows = [row for row in range(len(self.view.rows)) if canvas.label_box(view, row)]
        boxes = [canvas.cell_box(view, row, column) for row, column in itertools.product(rows, columns)]
        return [(box.x + (box.width > 1), box.y) for box in boxes if box]

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to what was clicked; a second click on it chooses it."""
        offset = event.get_content_offset(self)
        if offset is None or not self.view.rows:
            return
        event.stop()
        place, column = self._place_at(offset.x, offset.y)
        if (place or 0) >= len(self.view.rows) or (column or 0) >= len(self.view.columns):
            return
        row, before = self._position()
        self._move_to(row if place is None else place, before if column is None else column)
        on_head = place is not None and self.view.rows[place].head
        if on_head or (event.chain == 2 and place is not None and column is not None):
            self.action_select()

    def _place_at(self, x: int, y: int) -> tuple[int | None, int | None]:
        """Row and column there, by their places; None over the header and the rule, and over the labels."""
        hit = self._geometry.row_at(y, self.scroll_offset.y)
        if x < self._geometry.left:
            return hit[0] if hit else None, None
        return hit[0] if hit else None, (x - self._geometry.left + self.scroll_offset.x) // self._geometry.pitch

    def spot_at(self, x: int, y: int) -> tuple[str, str]:
        """The keys of the cell there, empty ones beside the cells."""
        row, column = self._place_at(x, y)
        rows, columns = self.view.rows, self.view.columns
        inside = row is not None and column is not None and row < len(rows) and column < len(columns)
        return (rows[row or 0].key, columns[column or 0].key) if inside else ("", "")

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Have the tooltip tell of the cell under the mouse."""
        self._spot = self.spot_at(event.x, event.y)
        self._tell_spot()

    def _tell_spot(self) -> None:
        self.tooltip = self._tip(*self._spot) if self._spot and self._spot[0] else None

    # -- shape and styles -------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Choose the density and widths for the new size, unless it has been painted in it already."""
        if self._shaped != self.size:
            self._reshape()
        else:
            self._keep_cursor()

    def on_focus(self) -> None:
        """Draw the cursor as the place where keys go."""
        self._refresh_cursor()

    def on_blur(self) -> None:
        """Draw the cursor as a mark only."""
        self._refresh_cursor()

    def notify_style_update(self) -> None:
        """Forget what is painted when theme or style sheet change."""
        self._painted = None
        super().notify_style_update()

    def _reshape(self) -> None:
        self._measure()
        self._keep_cursor()
        self.refresh()

    def _measure(self) -> None:
        view, self._shaped = self.view, self.size
        # The scrollbar's column is always left free: were it used when there is none, a density could
        # fit without the scrollbar and, by needing one, no longer fit.
        width = max(1, self.size.width - self.styles.scrollbar_size_vertical)
        self._geometry = measure(width, self.size.height, view, self._choice)
        self._painted = None
        size = Size(*self._geometry.virtual(len(view.rows), len(view.columns)))
        if size.width > width or size.height > self.size.height or self.virtual_size.height > self.size.height:
            self.virtual_size = size
        else:
            self.set_reactive(FleetGrid.virtual_size, size)  # there is no scrollbar, so all stays where it is

    def _keep_cursor(self) -> None:
        view = self.view
        if not view.rows or not view.columns:
            self._cursor = None
            return
        row_key, column_key = self._cursor or ("", "")
        row, column = view.row_at.get(row_key), view.column_at.get(column_key)
        if row is None or column is None:
            self._cursor = (view.rows[row or 0].key, view.columns[column or 0].key)
            self._post_highlight()
        if self.size:
            self._scroll_into_view(*self._position())

    # -- painting ---------------------------------------------------------------------------------

    @property
    def _viewport(self) -> Viewport:
        return Viewport(self._visible, self.scroll_offset, self._cursor, self.has_focus)

    @property
    def _visible(self) -> Size:
        return Size(
            self.size.width - self.scrollbar_size_vertical, self.size.height - self.scrollbar_size_horizontal
        )

    @property
    def _canvas(self) -> Canvas:
        if self._painted is None:
            names = self.COMPONENT_CLASSES
            styles = {name: self.get_component_rich_style(name, partial=True) for name in names}
            ink = Ink(styles, self._glyphs)
            self._painted = Canvas(self._model, self._geometry, ink, self.rich_style)
        return self._painted

    def refresh_boxes(self, *boxes: Region) -> None:
        """Repaint these parts of the widget; empty ones cost nothing."""
        visible = [box for box in boxes if box]
        if visible:
            self.refresh(*visible)

    def _refresh_cursor(self) -> None:
        if self._cursor is not None:
            self.refresh_boxes(self._canvas.cell_box(self._viewport, *self._position()))

    def render_line(self, y: int) -> Strip:
        """One line of the widget: header, frozen row, rule or body."""
        if self._shaped != self.size:
            self._measure()  # Textual tells of a first size after it has painted in it
        return self._canvas.line(self._viewport, y)


def _room_of(row: GridRow) -> tuple[object, ...]:
    """What of a row the widths of columns hang on."""
    return row.title, row.tag, row.short_tag, row.tag_state, bool(row.agents)
