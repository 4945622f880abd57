"""The fleet at one glance: users by services on the Line API, one small repaint for each changed cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar, TypeAlias

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.widgets import grid_messages as messages
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.grid_bindings import GRID_BINDINGS
from screens.widgets.grid_canvas import Canvas, Viewport
from screens.widgets.grid_cursor import Cursor, Keys, in_sight
from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow, GridSource, GridView
from screens.widgets.grid_feed import Feed, Repaint, Sight
from screens.widgets.grid_layout import DENSITIES, Density, Geometry, measure
from screens.widgets.grid_model import GridModel
from screens.widgets.grid_order import GROUPS, SORTS, Group, Order, is_head
from screens.widgets.grid_paint import PARTS, STATES, Ink
from screens.widgets.grid_spots import cells_in_sight, keys_of, spot_in
from screens.widgets.list_order import next_of

Tip = Callable[[str, str], Content | None]
"""From row and column to what is told of the cell; one of them is "" over the labels and the header."""


class FleetGrid(ScrollView, can_focus=True):
    """Users × services. Feed it with `set_shape` and `show_from`; it answers with messages.

    Header, integration row, user and credential columns stay in place while the rest scrolls. Only what
    is visible is painted, and a changed cell repaints the few terminal cells that differ.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {*PARTS, *STATES}
    BINDINGS: ClassVar[list[BindingType]] = GRID_BINDINGS

    CellHighlighted: TypeAlias = messages.CellHighlighted
    CellSelected: TypeAlias = messages.CellSelected
    DensityChanged: TypeAlias = messages.DensityChanged
    OrderChanged: TypeAlias = messages.OrderChanged

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self._model = GridModel()
        self._feed = Feed(self._model)
        self._cursor = Cursor()
        self._geometry = Geometry()
        self._choice: Density | None = None
        self._glyphs = glyphs
        self._painted: Canvas | None = None
        self._shaped = Size()
        self._tip: Tip = lambda *_: None
        self._spot: Keys | None = None

    # -- data -------------------------------------------------------------------------------------

    def set_shape(self, rows: Iterable[GridRow], columns: Iterable[GridColumn]) -> None:
        """Set users and services; what is known about cells that remain is kept, and so is the cursor."""
        self._model.set_shape(rows, columns)
        self._reshape()

    def set_rows(self, rows: Iterable[GridRow]) -> None:
        """Replace titles, credentials, agents or staleness; only labels are painted if no cell differs by it."""
        self._take(lambda sight: self._feed.rows(rows, sight))

    def set_cell(self, row_key: str, column_key: str, cell: GridCell | None) -> None:
        """Show `cell` there, None for no binding: costs a repaint of what differs, where it is seen."""
        self._take(lambda sight: self._feed.cell((row_key, column_key), cell, sight))

    def show_from(self, source: GridSource) -> None:
        """Take cells from there when they are first shown."""
        self._model.watch(source)

    def look_again(self, cells: Iterable[Keys]) -> None:
        """These may look otherwise. Those that nobody has looked at yet are only counted."""
        known = dict.fromkeys(cells)
        if self._spot in known:
            self._tell_spot()
        self._take(lambda sight: self._feed.look_again(known, sight))

    def grow_older(self) -> None:
        """Cells tell ages, and those have changed: in the rows on the screen now, in others once they are seen."""
        view = self.view
        places = self._geometry.rows_in_sight(self._visible.height, self.scroll_offset.y, len(view.rows))
        seen = [view.rows[place].key for place in places]
        self._model.grow_older(seen)
        self.look_again((row, column.key) for row in seen for column in view.columns)

    def cell(self, row_key: str, column_key: str) -> GridCell | None:
        """What was last set there."""
        return self._model.cell(row_key, column_key)

    @property
    def view(self) -> GridView:
        """The rows and columns that the filters leave; empty ones mean that nothing matches."""
        return self._model.view

    def _take(self, change: Callable[[Sight], Repaint]) -> None:
        """Have the model changed, and what differs by it painted."""
        before = self._hot
        repaint = change(Sight(self._viewport, lambda: self._canvas))
        self._refresh_boxes(repaint.boxes)
        if repaint.shape:
            self._reshape()
        if self._hot != before:
            self._post_highlight()

    @property
    def _hot(self) -> GridCell | None:
        return self._model.cell(*self.cursor) if self.cursor else None

    # -- filters and order ------------------------------------------------------------------------

    @property
    def filters(self) -> Filters:
        """What is left out now."""
        return self._model.filters

    def set_filters(self, filters: Filters) -> None:
        """Leave out other rows and columns."""
        self._model.filters = filters
        self._model.refilter()
        self._reshape()

    @property
    def order(self) -> Order:
        """How rows are sorted and grouped now."""
        return self._model.order

    def set_order(self, order: Order) -> None:
        """Sort and group otherwise; the cursor stays on its row, or goes to the head that hides it."""
        self._model.order = order
        self._model.refilter()
        self._reshape()
        self.post_message(self.OrderChanged(self, order))
        self._post_highlight()

    def action_cycle_sort(self) -> None:
        """By name → by trouble → by agents → by name."""
        self.set_order(replace(self.order, sort=next_of(SORTS, self.order.sort)))

    def action_cycle_group(self) -> None:
        """No groups → by box → by role → by state → none."""
        self._fold(frozenset(), next_of(GROUPS, self.order.group))

    def action_fold(self) -> None:
        """Hide or show the rows of the head at the cursor."""
        key = self.cursor[0] if self.cursor else ""
        if head := key if is_head(key) else self.view.heads.get(key):
            self._fold(self.order.folded ^ {head})

    def action_fold_all(self) -> None:
        """Hide all rows under heads, or show all."""
        heads = frozenset(self.view.heads.values())
        self._fold(frozenset() if self.order.folded & heads else heads)

    def _fold(self, heads: frozenset[str], group: Group | None = None) -> None:
        self.set_order(replace(self.order, folded=heads, group=group or self.order.group))

    # -- cursor -----------------------------------------------------------------------------------

    @property
    def cursor(self) -> Keys | None:
        """Keys of row and column under the cursor, None while nothing is shown."""
        return self._cursor.keys

    @cursor.setter
    def cursor(self, keys: Keys) -> None:
        row, column = self.view.row_at.get(keys[0]), self.view.column_at.get(keys[1])
        if row is not None and column is not None:
            self._move_to(row, column)

    def shows(self, row_key: str, column_key: str) -> bool:
        """Whether the filters leave this cell, be it under a head that is folded."""
        view = self.view
        return (row_key in view.row_at or row_key in view.heads) and column_key in view.column_at

    def go_to(self, row_key: str, column_key: str) -> None:
        """The cursor there, with what is folded over it unfolded; nothing where the filters leave it out."""
        if self.shows(row_key, column_key):
            if row_key not in self.view.row_at:
                self._fold(self.order.folded - {self.view.heads[row_key]})
            self.cursor = (row_key, column_key)

    def memory(self) -> tuple[Filters, Order, Keys | None, Offset]:
        """What is left out, in which order the rows are, the cell under the cursor, where it is scrolled to."""
        return self.filters, self.order, self.cursor, self.scroll_offset

    def recall(self, memory: object) -> None:
        """All of that again."""
        match memory:
            case (Filters() as filters, Order() as order, cursor, Offset() as top):
                self.set_filters(filters)
                self.set_order(order)
                if isinstance(cursor, tuple):
                    self.cursor = cursor
                self.scroll_to(top.x, top.y, animate=False, force=True)

    def _move_to(self, row: int, column: int) -> None:
        view = self.view
        if not view.rows or not view.columns:
            return
        row = max(0, min(len(view.rows) - 1, row))
        column = max(0, min(len(view.columns) - 1, column))
        keys = (view.rows[row].key, view.columns[column].key)
        if keys == self.cursor:
            return
        before = self._cursor.place()
        self._cursor.put(keys)
        self._scroll_into_view(row, column)
        self._refresh_boxes(self._canvas.cursor_boxes(self._viewport, before, (row, column)))
        self._post_highlight()

    def _post_highlight(self) -> None:
        if self.cursor is not None:
            self.post_message(self.CellHighlighted(self, *self.cursor, self._hot))

    def _scroll_into_view(self, row: int, column: int) -> None:
        wanted = in_sight(self._geometry, self._visible, self.scroll_offset, row, column)
        if wanted != self.scroll_offset:
            self.scroll_to(wanted.x, wanted.y, animate=False, force=True)

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor by so many rows and columns."""
        row, column = self._cursor.place()
        self._move_to(row + rows, column + columns)

    def action_move_to_row(self, row: int) -> None:
        """Move to a row by its place, -1 for the last."""
        self._move_to(row % max(1, len(self.view.rows)), self._cursor.place()[1])

    def action_move_to_column(self, column: int) -> None:
        """Move to a column by its place, -1 for the last."""
        self._move_to(self._cursor.place()[0], column % max(1, len(self.view.columns)))

    def action_page(self, pages: float) -> None:
        """Move by a part of the visible rows."""
        visible = max(1, (self._visible.height - self._geometry.top) // self._geometry.row_height)
        step = max(1, int(visible * abs(pages)))
        self.action_move(step if pages > 0 else -step, 0)

    def action_select(self) -> None:
        """Tell the screen that the cell under the cursor was chosen; a head folds."""
        if self.cursor is not None and is_head(self.cursor[0]):
            self.action_fold()
        elif self.cursor is not None:
            self.post_message(self.CellSelected(self, *self.cursor, self._hot))

    # -- mouse ------------------------------------------------------------------------------------

    def tell_from(self, tip: Tip) -> None:
        """Take from `tip` what is told of a cell where the mouse rests on it; it is asked once a cell."""
        self._tip = tip

    def jump_spots(self) -> list[tuple[int, int]]:
        """Where a click does something: the visible cells, each at its first terminal cell after the margin."""
        if not self.size or not self.view.rows:
            return []
        return cells_in_sight(self._canvas, self._viewport, self.view)

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to what was clicked; a second click on it chooses it. The corner sorts."""
        offset = event.get_content_offset(self)
        spot = spot_in(self._geometry, self.view, self.scroll_offset, *offset) if offset else None
        if spot is None or not self.view.rows:
            return
        event.stop()
        if spot.row is None and spot.column is None:
            self.action_cycle_sort()
            return
        row, column = self._cursor.place()
        self._move_to(row if spot.row is None else spot.row, column if spot.column is None else spot.column)
        on_head = spot.row is not None and self.view.rows[spot.row].head
        if on_head or (event.chain == 2 and spot.row is not None and spot.column is not None):
            self.action_select()

    def spot_at(self, x: int, y: int) -> Keys | None:
        """The keys of what lies in that cell of the widget, its padding included; see `Tip`."""
        within = Offset(x, y) - (self.gutter.left, self.gutter.top)
        if within.x < 0 or not self.view.rows:
            return None
        return keys_of(self.view, spot_in(self._geometry, self.view, self.scroll_offset, *within))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Have the tooltip tell of the cell under the mouse."""
        self._spot = self.spot_at(event.x, event.y)
        self._tell_spot()

    def _tell_spot(self) -> None:
        self.tooltip = self._tip(*self._spot) if self._spot else None

    # -- density, shape and styles ----------------------------------------------------------------

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

    def on_resize(self) -> None:
        """Choose the density and widths for the new size, unless it has been painted in it already."""
        if self._shaped != self.size:
            self._reshape()
        else:
            self._keep_cursor()

    def watch_show_horizontal_scrollbar(self, shown: bool) -> None:
        """Have the bar tell where the grid is: of what is scrolled while it is away, Textual does not tell it."""
        if shown:
            self.horizontal_scrollbar.position = self.scroll_x

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """That one, too."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

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
        scrolls = self.show_vertical_scrollbar or self.show_horizontal_scrollbar
        if scrolls or size.width > width or size.height > self.size.height:
            self.virtual_size = size
        else:
            self.set_reactive(FleetGrid.virtual_size, size)  # there is no scrollbar, so all stays where it is

    def _keep_cursor(self) -> None:
        if self._cursor.keep(self.view):
            self._post_highlight()
        if self.size and self.cursor:
            self._scroll_into_view(*self._cursor.place())

    # -- painting ---------------------------------------------------------------------------------

    @property
    def _viewport(self) -> Viewport:
        return Viewport(self._visible, self.scroll_offset, self.cursor, self.has_focus)

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

    def _refresh_boxes(self, boxes: Iterable[Region]) -> None:
        if visible := [box for box in boxes if box]:
            self.refresh(*visible)

    def _refresh_cursor(self) -> None:
        if self.cursor is not None:
            self._refresh_boxes([self._canvas.cell_box(self._viewport, *self._cursor.place())])

    def render_line(self, y: int) -> Strip:
        """One line of the widget: header, frozen row, rule or body."""
        if self._shaped != self.size:
            self._measure()  # Textual tells of a first size after it has painted in it
        return self._canvas.line(self._viewport, y)
