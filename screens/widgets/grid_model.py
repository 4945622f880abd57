"""What the fleet grid knows: rows, columns, cells, the filters over them, their order; no painting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow, GridView
from screens.widgets.grid_order import Order, Tallies, arranged, is_head
from screens.widgets.list_filters import FUZZY, matcher

Look = Callable[[str, str], GridCell | None]
"""From row and column to how the binding there looks now."""


class GridModel:
    """Rows, columns and cells by key; `view` is what the filters leave of them.

    With `watch`, cells are looked at when they are first asked for: a fleet has many more than a screen.
    """

    def __init__(self) -> None:
        self.rows: tuple[GridRow, ...] = ()
        self.columns: tuple[GridColumn, ...] = ()
        self.filters = Filters()
        self.view = GridView()
        self.order = Order()
        self.age = 0
        self._places: dict[str, int] = {}
        self._cells: dict[str, dict[str, GridCell | None]] = {}
        self._ages: dict[str, int] = {}
        self._faults: dict[str, int] = {}
        self._tallies = Tallies()
        self._look: Look | None = None
        self._count: Callable[[str], int] = self._counted

    def watch(self, look: Look, faults: Callable[[str], int]) -> None:
        """Take cells from `look` from now on, and from `faults` how many of a row's are faulty."""
        self._look, self._count = look, faults

    def cell(self, row_key: str, column_key: str) -> GridCell | None:
        """The binding there, None where nothing is bound; of a head, what it says of those below it."""
        if is_head(row_key):
            return self._tallies.cell(row_key, column_key)
        cells = self._cells.setdefault(row_key, {})
        if self._look and column_key not in cells:
            cells[column_key] = self._look(row_key, column_key)
        return cells.get(column_key)

    def is_known(self, row_key: str, column_key: str) -> bool:
        """Whether somebody has looked at the cell."""
        return column_key in self._cells.get(row_key, ())

    def newest(self, row_key: str, column_key: str) -> GridCell | None:
        """How the cell looks now, whatever was shown of it."""
        return self._look(row_key, column_key) if self._look else self.cell(row_key, column_key)

    def grow_older(self) -> None:
        """Time has passed, which cells tell of: rows are looked at anew when they are next painted."""
        self.age += 1

    def bring_up_to_date(self, row_key: str) -> None:
        """Look at the row's known cells anew, if they are of another age."""
        if self._look and self._ages.get(row_key, 0) != self.age:
            cells = self._cells.get(row_key, {})
            cells.update({column: self._look(row_key, column) for column in cells})
            self._ages[row_key] = self.age

    def faults(self, row_key: str) -> int:
        """How many faulty cells the row has."""
        return self._faults.get(row_key, 0)

    def set_shape(self, rows: Iterable[GridRow], columns: Iterable[GridColumn]) -> None:
        """Replace rows and columns; cells whose row and column remain are kept."""
        self.rows, self.columns = tuple(rows), tuple(columns)
        row_keys = {row.key for row in self.rows}
        column_keys = {column.key for column in self.columns}
        kept = {} if self._look else {key: cells for key, cells in self._cells.items() if key in row_keys}
        self._cells = {
            key: {name: cell for name, cell in cells.items() if name in column_keys} for key, cells in kept.items()
        }
        self._places = {row.key: place for place, row in enumerate(self.rows)}
        self._faults = {row.key: self._count(row.key) for row in self.rows}
        self.refilter()

    def _counted(self, row_key: str) -> int:
        return sum(cell.faulty for cell in self._cells.get(row_key, {}).values() if cell)

    def row(self, key: str) -> GridRow | None:
        """The row with this key, shown or not."""
        place = self._places.get(key)
        return None if place is None else self.rows[place]

    def set_row(self, row: GridRow) -> bool:
        """Replace the row with the same key; True if rows may have come, gone or moved by it."""
        place = self._places.get(row.key)
        if place is None:
            return False
        before = self.rows[place]
        self.rows = _with(self.rows, place, row)
        shown = self.view.row_at.get(row.key)
        if self._stays(before, row) and shown is not None:
            self.view = replace(self.view, rows=_with(self.view.rows, shown, row))
            return False
        self.refilter()
        return True

    def _stays(self, before: GridRow, row: GridRow) -> bool:
        """Whether no filter and no order looks at what differs."""
        filters, order = self.filters, self.order
        plain = order.sort == "name" and order.group == "none" and not filters.only_waiting
        same = (before.title, before.pinned, before.leads) == (row.title, row.pinned, row.leads)
        return plain and same and filters.predicate is None

    def set_cell(self, row_key: str, column_key: str, cell: GridCell | None) -> bool:
        """Put `cell` there (None unbinds); True if the shown rows may have changed by it."""
        cells = self._cells.setdefault(row_key, {})
        before = cells.get(column_key)
        cells[column_key] = cell
        if head := self.view.heads.get(row_key):
            self._tallies.add(head, column_key, before, -1)
            self._tallies.add(head, column_key, cell)
        was, now = bool(before and before.faulty), bool(cell and cell.faulty)
        return self.recount(row_key) if self._look or was != now else False

    def recount(self, row_key: str) -> bool:
        """Some of the row's cells may be faulty now, or not any more; True if the shown rows may have changed."""
        before, faults = self._faults.get(row_key, 0), self._count(row_key)
        self._faults[row_key] = faults
        if self.filters.only_faults and bool(faults) != bool(before):
            return True
        return self.order.follows(faults, before)

    def refilter(self) -> None:
        """Work out `view` again."""
        rows, columns = _match_text(self.filters.text, self.rows, self.columns)
        order = arranged([row for row in rows if self._keeps(row)], self.order, self.faults)
        self.view = GridView(
            rows=order.rows,
            columns=tuple(columns),
            pinned=sum(row.pinned for row in order.rows),
            row_at={row.key: index for index, row in enumerate(order.rows)},
            column_at={column.key: index for index, column in enumerate(columns)},
            heads=order.heads,
        )
        self._tallies = Tallies()
        for row_key, head in order.heads.items():
            for column in columns:
                self._tallies.add(head, column.key, self.cell(row_key, column.key))

    def _keeps(self, row: GridRow) -> bool:
        filters = self.filters
        if filters.only_faults and not self.faults(row.key):
            return False
        if filters.only_waiting and not row.waits and row.agents_state not in ("waiting", "error"):
            return False
        if filters.only_mine and not row.pinned and row.key != filters.mine:
            return False
        return filters.predicate is None or filters.predicate(row)


def _with(rows: tuple[GridRow, ...], place: int, row: GridRow) -> tuple[GridRow, ...]:
    return (*rows[:place], row, *rows[place + 1 :])


def _match_text(
    text: str, rows: Sequence[GridRow], columns: Sequence[GridColumn]
) -> tuple[Sequence[GridRow], Sequence[GridColumn]]:
    """Narrow rows by the words that name users, columns by those that name services; users win a tie."""
    inverse, fuzzy = text.startswith("!"), FUZZY if text.startswith(FUZZY) else ""
    for word in text.removeprefix("!").removeprefix(fuzzy).split():
        matches = matcher(f"{fuzzy}{word}")
        row_hits = [row for row in rows if matches(row.title)]
        column_hits = [column for column in columns if matches(column.title)]
        if inverse:
            rows = [row for row in rows if row not in row_hits]
            columns = [column for column in columns if column not in column_hits]
        elif column_hits and not row_hits:
            columns = column_hits
        else:
            rows = row_hits
    return rows, columns
