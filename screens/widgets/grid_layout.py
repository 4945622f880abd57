"""Where everything of the fleet grid stands: densities, widths, frozen rows, for one terminal size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len

from screens.widgets.celltext import clean
from screens.widgets.grid_data import GridColumn, GridRow, GridView

Density = Literal["full", "compact", "heat"]
DENSITIES: tuple[Density, ...] = ("full", "compact", "heat")
PITCH: dict[Density, tuple[int, int]] = {"full": (15, 40), "compact": (9, 24), "heat": (3, 4)}
"""The narrowest and the widest column of each density, in cells, its left margin included."""
WORDY = 100  # narrower screens get the short credentials
AGENTS = 3
"""Cells of a sign, a digit and a gap; none where nobody has an agent."""
_ROOMY_HEIGHT = 16  # lower ones do not spend a line on a rule


@dataclass(frozen=True, slots=True)
class Geometry:
    """Widths and heights in cells. The first `frozen` rows and the header do not scroll."""

    density: Density = "compact"
    width: int = 0
    height: int = 0
    label: int = 0
    tag: int = 0
    agents: int = 0
    pitch: int = 10
    header: int = 1
    row_height: int = 1
    frozen: int = 0
    rule: int = 0

    @property
    def inner(self) -> int:
        """Cells of a column without its left margin, where the cursor's mark stands."""
        return self.pitch - 1

    @property
    def gap(self) -> int:
        """Cells left free at a wide column's right, so that its end is not read with its neighbour."""
        return {"full": 2 * (self.pitch >= 24), "compact": int(self.pitch >= 12), "heat": 0}[self.density]

    @property
    def left(self) -> int:
        """Width of the pinned columns: user, credential, agents."""
        return self.label + self.tag + self.agents

    @property
    def top(self) -> int:
        """Height of everything that does not scroll."""
        return self.header + self.frozen * self.row_height + self.rule

    def virtual(self, rows: int, columns: int) -> tuple[int, int]:
        """Width and height of the whole grid."""
        return self.left + columns * self.pitch, self.top + (rows - self.frozen) * self.row_height

    def row_y(self, row: int, scroll_y: int) -> int:
        """First screen line of a row; it may be off the screen."""
        if row < self.frozen:
            return self.header + row * self.row_height
        return self.top + (row - self.frozen) * self.row_height - scroll_y

    def column_x(self, column: int, scroll_x: int) -> int:
        """First screen cell of a column; it may be off the screen."""
        return self.left + column * self.pitch - scroll_x

    def rows_in_sight(self, height: int, scroll_y: int, rows: int) -> list[int]:
        """Of so many rows those that are seen on `height` lines, the last one maybe in part."""
        first = self.frozen + scroll_y // self.row_height
        room = -(-max(0, height - self.top) // self.row_height) + 1
        return [*range(min(self.frozen, rows)), *range(first, min(rows, first + room))]

    def row_at(self, y: int, scroll_y: int) -> tuple[int, int] | None:
        """The row that screen line `y` shows and which of its lines that is; None for header and rule."""
        if y < self.header:
            return None
        if y < self.header + self.frozen * self.row_height:
            return divmod(y - self.header, self.row_height)
        if y < self.top:
            return None
        row, line = divmod(y - self.top + scroll_y, self.row_height)
        return row + self.frozen, line


def measure(width: int, height: int, view: GridView, choice: Density | None) -> Geometry:
    """The geometry for a widget of this size; without a `choice`, the richest density that fits in width."""
    label = _label_width(view.rows, width)
    tag = _tag_width(view.rows, width)
    agents = AGENTS if any(row.agents for row in view.rows) else 0
    room = max(1, width - label - tag - agents)
    columns = max(1, len(view.columns))
    fitting = [name for name in DENSITIES if columns * PITCH[name][0] <= room]
    density: Density = choice or (fitting[0] if fitting else "heat")
    narrowest, widest = PITCH[density]
    pitch = max(narrowest, min(widest, room // columns))
    row_height = 2 if density == "full" else 1
    header = _header_height(view.columns, density, height)
    frozen = max(0, min(view.pinned, (height - header) // row_height - 2))
    rule = 1 if frozen and height >= _ROOMY_HEIGHT else 0
    return Geometry(density, width, height, label, tag, agents, pitch, header, row_height, frozen, rule)


def header_titles(columns: Sequence[GridColumn], inner: int) -> list[str]:
    """The columns' titles, without a prefix that all share (`hero_`) where they would not fit whole."""
    titles = [clean(column.title) for column in columns]
    if len(titles) < 2 or all(cell_len(title) <= inner for title in titles):
        return titles
    first, last = min(titles), max(titles)  # what these two share at the start, all do
    pairs = enumerate(zip(first, last, strict=False))
    shared = next((place for place, pair in pairs if pair[0] != pair[1]), len(first))
    cut = max(first.rfind(mark, 0, shared) for mark in "_-.") + 1
    return [title[cut:] or title for title in titles]


def tag_of(row: GridRow, width: int) -> str:
    """A row's credential as a screen of this width spells it."""
    return row.tag if width >= WORDY else row.short_tag or row.tag


def _label_width(rows: Sequence[GridRow], width: int) -> int:
    counts = (len(f" {row.members} ") if row.head else 0 for row in rows)
    longest = max((cell_len(clean(row.title)) + count for row, count in zip(rows, counts, strict=True)), default=0)
    most = max(8, min(24, width // 6))
    return max(6, min(longest, most)) + 2  # the stale sign and a gap


def _tag_width(rows: Sequence[GridRow], width: int) -> int:
    longest = max((cell_len(clean(tag_of(row, width))) for row in rows), default=0)
    if not longest or width < 60:
        return 0
    signs = any(row.tag_state for row in rows)
    return min(longest, 14 if width >= WORDY else 8) + 1 + signs


def _header_height(columns: Sequence[GridColumn], density: Density, height: int) -> int:
    if density != "heat":
        return 1
    longest = max((len(title) for title in header_titles(columns, 1)), default=1)
    return max(1, min(longest, max(3, height // 4)))
