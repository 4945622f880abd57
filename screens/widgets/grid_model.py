"""What the fleet grid knows: rows, columns, cells, the filters over them, their order; no painting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow, GridView
from screens.widgets.grid_order import Order, Tallies, arranged, is_head


class GridModel:
    """Rows, columns and cells by key; `view` is what the filters leave of them."""

    def __init__(self) -> None:
        self.rows: tuple[GridRow, ...] = ()
        self.columns: tuple[GridColumn, ...] = ()
        self.filters = Filters()
        self.view = GridView()
        self.order = Order()
        self._cells: dict[tuple[str, str], GridCell] = {}
        self._faults: dict[str, int] = {}
        self._tallies = Tallies()

    def cell(self, row_key: str, column_key: str) -> GridCell | None:
        """The binding there, None where nothing is bound; of a head, what it says of those below it."""
        if is_head(row_key):
            return self._tallies.cell(row_key, column_key)
        return self._cells.get((row_key, column_key))

    def faults(self, row_key: str) -> int:
        """How many faulty cells the row has."""
        return self._faults.get(row_key, 0)

    def set_shape(self, rows: Iterable[GridRow], columns: Iterable[GridColumn]) -> None:
        """Replace rows and columns; cells whose row and column remain are kept."""
        self.rows, self.columns = tuple(rows), tuple(columns)
        row_keys = {row.key for row in self.rows}
        column_keys = {column.key for column in self.columns}
        self._cells = {
            key: cell for key, cell in self._cells.items() if key[0] in row_keys and key[1] in column_keys
        }
        self._faults = {}
        for (row_key, _), cell in self._cells.items():
            self._faults[row_key] = self._faults.get(row_key, 0) + cell.faulty
        self.refilter()

    def row(self, key: str) -> GridRow | None:
        """The row with this key, shown or not."""
        return next((row for row in self.rows if row.key == key), None)

    def set_row(self, row: GridRow) -> None:
        """Replace the row with the same key; a key that is not there is ignored."""
        self.rows = tuple(row if old.key == row.key else old for old in self.rows)
        self.refilter()

    def set_cell(self, row_key: str, column_key: str, cell: GridCell | None) -> bool:
        """Put `cell` there (None unbinds); True if the shown rows may have changed by it."""
        before = self._cells.get((row_key, column_key))
        if cell is None:
            self._cells.pop((row_key, column_key), None)
        else:
            self._cells[row_key, column_key] = cell
        if head := self.view.heads.get(row_key):
            self._tallies.add(head, column_key, before, -1)
            self._tallies.add(head, column_key, cell)
        was, now = bool(before and before.faulty), bool(cell and cell.faulty)
        if was == now:
            return False
        faults = self._faults.get(row_key, 0)
        self._faults[row_key] = faults + now - was
        if self.filters.only_faults and bool(faults) != bool(self._faults[row_key]):
            return True
        return self.order.follows(self._faults[row_key], faults)

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
                self._tallies.add(head, column.key, self._cells.get((row_key, column.key)))

    def _keeps(self, row: GridRow) -> bool:
        filters = self.filters
        if filters.only_faults and not self.faults(row.key):
            return False
        if filters.only_waiting and not row.waits and row.agents_state not in ("waiting", "error"):
            return False
        if filters.only_mine and not row.pinned and row.key != filters.mine:
            return False
        return filters.predicate is None or filters.predicate(row)


def _match_text(
    text: str, rows: Sequence[GridRow], columns: Sequence[GridColumn]
) -> tuple[Sequence[GridRow], Sequence[GridColumn]]:
    """Narrow rows by the words that name users, columns by those that name services; users win a tie."""
    inverse = text.startswith("!")
    for word in text.removeprefix("!").lower().split():
        row_hits = [row for row in rows if word in row.title.lower()]
        column_hits = [column for column in columns if word in column.title.lower()]
        if inverse:
            rows = [row for row in rows if row not in row_hits]
            columns = [column for column in columns if column not in column_hits]
        elif column_hits and not row_hits:
            columns = column_hits
        else:
            rows = row_hits
    return rows, columns
