"""What the fleet grid knows: rows, columns, cells, the filters over them, their order; no painting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow, GridSource, GridView
from screens.widgets.grid_order import Order, States, Tallies, arranged, is_head, state_of_cell
from screens.widgets.list_filters import FUZZY, matcher


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
        self._states: States = self._known_states
        self._tallies = Tallies({}, self._states)
        self._look: Callable[[str, str], GridCell | None] | None = None
        self._count: Callable[[str], int] = self._counted

    def watch(self, source: GridSource) -> None:
        """Take cells, faults and states from there from now on."""
        self._look, self._count, self._states = source.cell, source.faults, source.states

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

    def is_told(self, head: str, column_key: str) -> bool:
        """Whether somebody has looked at this cell of a head."""
        return self._tallies.is_told(head, column_key)

    def grow_older(self, seen: Iterable[str]) -> None:
        """Time has passed, which cells tell of. Of the rows `seen` the caller looks at all cells again.

        Others are looked at when they are next painted.
        """
        self.age += 1
        self._ages.update(dict.fromkeys(seen, self.age))

    def bring_up_to_date(self, row_key: str) -> None:
        """Take the newest ages of the row's known cells; whatever else they are by now is told and painted yet."""
        if self._look and self._ages.get(row_key, 0) != self.age:
            cells = self._cells.get(row_key, {})
            cells.update({column: _older(cell, self._look(row_key, column)) for column, cell in cells.items()})
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

    def _known_states(self, rows: Sequence[str], column_key: str) -> list[str]:
        return [state_of_cell(self.cell(row, column_key)) for row in rows]

    def row(self, key: str) -> GridRow | None:
        """The row with this key, shown or not."""
        place = self._places.get(key)
        return None if place is None else self.rows[place]

    def set_row(self, row: GridRow) -> bool:
        """Replace the row with the same key; True if the shown rows may have changed by it."""
        place = self._places.get(row.key)
        if place is None:
            return False
        before = self.rows[place]
        self.rows = _with(self.rows, place, row)
        shown = self.view.row_at.get(row.key)
        if not self._stays(before, row):
            return True
        if shown is not None:
            self.view = replace(self.view, rows=_with(self.view.rows, shown, row))
        return False

    def _stays(self, before: GridRow, row: GridRow) -> bool:
        """Whether no filter and no order looks at what differs."""
        faults = self.faults(row.key)
        if before.title != row.title or self.order.place_of(before, faults) != self.order.place_of(row, faults):
            return False
        if self.filters.only_faults and bool(before.problems) != bool(row.problems):
            return False
        return not self.filters.only_waiting or _waits(before) == _waits(row)

    def set_cell(self, row_key: str, column_key: str, cell: GridCell | None) -> bool:
        """Put `cell` there (None unbinds); True if the shown rows may have changed by it."""
        self.put(row_key, column_key, cell)
        self.tally(row_key, column_key)
        return self.recount(row_key)

    def put(self, row_key: str, column_key: str, cell: GridCell | None) -> None:
        """Put `cell` there; `tally` and `recount` are due after that."""
        self._cells.setdefault(row_key, {})[column_key] = cell

    def tally(self, row_key: str, column_key: str) -> None:
        """The cell may be in another state than its head has counted."""
        head = self.view.heads.get(row_key, "")
        if self.is_told(head, column_key):
            self._tallies.change(head, column_key, row_key, *self._states((row_key,), column_key))

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
        self._tallies = Tallies(order.heads, self._states)

    def _keeps(self, row: GridRow) -> bool:
        filters = self.filters
        if filters.only_faults and not self.faults(row.key) and not row.problems:
            return False
        if filters.only_waiting and not _waits(row):
            return False
        return not filters.mine or row.pinned or row.key == filters.mine


def _waits(row: GridRow) -> bool:
    return bool(row.waits) or row.agents_state in ("waiting", "error")


def _older(cell: GridCell | None, now: GridCell | None) -> GridCell | None:
    """`now`, if the age is all that differs."""
    alike = cell is not None and now is not None and replace(cell, age_text=now.age_text) == now
    return now if alike else cell


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
