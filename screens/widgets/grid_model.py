"""What the fleet grid knows: rows, columns, cells, the filters over them; no painting."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GridColumn:
    """A service."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class GridRow:
    """A user's slot. `tag` is the credential column, `short_tag` its spelling on a narrow screen.

    `tag_state`: whether it is `expiring` or `cooling`. `agents` counts the live ones, `agents_state` is the state
    that matters most among them. A `stale` row is drawn as possibly out of date.
    """

    key: str
    title: str
    pinned: bool = False
    tag: str = ""
    stale: bool = False
    short_tag: str = ""
    tag_state: str = ""
    agents: int = 0
    agents_state: str = ""


@dataclass(frozen=True, slots=True)
class GridCell:
    """One binding at a glance. `progress` (0 to 1, None where unknown) counts only while `busy` says what runs.

    A `marked` one has been chosen together with others.
    """

    branch: str = ""
    hash8: str = ""
    source: str = ""
    drift: str = ""
    health: str = "unknown"
    build: str = ""
    age_text: str = ""
    busy: str | None = None
    progress: float | None = None
    marked: bool = False

    @property
    def faulty(self) -> bool:
        """True where a person should look: unhealthy, crashed, missing, or its build failed."""
        return self.health in ("unhealthy", "crashed") or self.drift == "missing" or self.build == "failed"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is left out. `text` keeps matching users or services, `!text` drops them; words add up."""

    text: str = ""
    only_faults: bool = False
    only_mine: bool = False
    mine: str = ""
    predicate: Callable[[GridRow], bool] | None = None


@dataclass(frozen=True, slots=True)
class GridView:
    """The rows and columns that are shown, pinned rows first."""

    rows: tuple[GridRow, ...] = ()
    columns: tuple[GridColumn, ...] = ()
    pinned: int = 0
    row_at: dict[str, int] = field(default_factory=dict)
    column_at: dict[str, int] = field(default_factory=dict)


class GridModel:
    """Rows, columns and cells by key; `view` is what the filters leave of them."""

    def __init__(self) -> None:
        self.rows: tuple[GridRow, ...] = ()
        self.columns: tuple[GridColumn, ...] = ()
        self.filters = Filters()
        self.view = GridView()
        self._cells: dict[tuple[str, str], GridCell] = {}
        self._faults: dict[str, int] = {}

    def cell(self, row_key: str, column_key: str) -> GridCell | None:
        """The binding there, None where nothing is bound."""
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
        was, now = bool(before and before.faulty), bool(cell and cell.faulty)
        if was == now:
            return False
        faults = self._faults.get(row_key, 0)
        self._faults[row_key] = faults + now - was
        return self.filters.only_faults and bool(faults) != bool(self._faults[row_key])

    def refilter(self) -> None:
        """Work out `view` again."""
        rows, columns = _match_text(self.filters.text, self.rows, self.columns)
        kept = [row for row in rows if self._keeps(row)]
        ordered = [row for row in kept if row.pinned] + [row for row in kept if not row.pinned]
        self.view = GridView(
            rows=tuple(ordered),
            columns=tuple(columns),
            pinned=sum(row.pinned for row in ordered),
            row_at={row.key: index for index, row in enumerate(ordered)},
            column_at={column.key: index for index, column in enumerate(columns)},
        )

    def _keeps(self, row: GridRow) -> bool:
        filters = self.filters
        if filters.only_faults and not self.faults(row.key):
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
