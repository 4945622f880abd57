"""One slot's services as a table: a line each, aligned, with the reason where something is not well."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.widgets.celltext import fit, fit_middle, fit_right
from screens.widgets.glyphs import UNICODE, Glyphs

_PARTS = ("name", "head", "text", "quiet", "busy", "cursor", "cursor-blurred", "mark", "stripe", "marked")
_STATES = (
    *(f"health--{s}" for s in ("healthy", "starting", "unhealthy", "crashed", "stopped", "unknown")),
    *(f"drift--{s}" for s in ("current", "behind", "modified", "missing", "pinned")),
    *(f"source--{s}" for s in ("release", "build", "hash")),
    *(f"build--{s}" for s in ("queued", "running", "succeeded", "failed", "cancelled", "superseded")),
)


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """What one line says. `busy` (with how far it is) takes the place of health while something runs."""

    service: str
    branch: str
    hash8: str
    source: str
    drift: str
    health: str
    build: str = ""
    age: str = ""
    reason: str = ""
    busy: str = ""
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column's title and its width in cells; 0 leaves it out."""

    name: str
    title: str
    width: int


class ServiceList(ScrollView, can_focus=True):
    """Feed it with `set_rows` and `set_row`; it answers with `Highlighted` and `Selected`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {*(f"list--{part}" for part in _PARTS), *_STATES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", id="list.down", show=False),
        Binding("k,up", "move(-1)", "Up", id="list.up", show=False),
        Binding("g,home", "move(-100000)", "Top", id="list.top", show=False),
        Binding("G,end", "move(100000)", "Bottom", id="list.bottom", show=False),
        Binding("ctrl+d,pagedown", "page(1)", "Half page down", id="list.half_down", show=False),
        Binding("ctrl+u,pageup", "page(-1)", "Half page up", id="list.half_up", show=False),
        Binding("enter", "select", "Open", id="list.select", show=False),
    ]

    @dataclass
    class Highlighted(Message):
        """Another line has the cursor."""

        list: ServiceList
        service: str

    @dataclass
    class Selected(Message):
        """Enter or a double click."""

        list: ServiceList
        service: str

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: list[ServiceRow] = []
        self._cursor = 0
        self._glyphs = glyphs
        self._columns: list[Column] = []

    # -- data -------------------------------------------------------------------------------------

    def set_rows(self, rows: Iterable[ServiceRow]) -> None:
        """Show these; the cursor stays on its service."""
        before = self.service
        self._rows = list(rows)
        names = [row.service for row in self._rows]
        self._cursor = names.index(before) if before in names else min(self._cursor, max(0, len(names) - 1))
        self._measure()
        self._scroll_into_view()
        if before != self.service:
            self.post_message(self.Highlighted(self, self.service))

    def set_row(self, row: ServiceRow) -> None:
        """Show another state of one service; repaints its line if it differs."""
        for place, known in enumerate(self._rows):
            if known.service == row.service and known != row:
                self._rows[place] = row
                columns = self._columns
                self._measure_columns()
                if columns == self._columns:
                    self._refresh_line(place)
                else:
                    self.refresh()

    @property
    def service(self) -> str:
        """The service under the cursor; "" while there is none."""
        return self._rows[self._cursor].service if self._rows else ""

    @service.setter
    def service(self, name: str) -> None:
        for place, row in enumerate(self._rows):
            if row.service == name:
                self._move_to(place)

    def memory(self) -> str:
        """The service under the cursor."""
        return self.service

    def recall(self, memory: object) -> None:
        """The cursor there again."""
        self.service = str(memory)

    @property
    def rows(self) -> list[ServiceRow]:
        """What is shown."""
        return self._rows

    # -- cursor -----------------------------------------------------------------------------------

    def action_move(self, steps: int) -> None:
        """Move the cursor."""
        self._move_to(self._cursor + steps)

    def action_page(self, halves: int) -> None:
        """Move by half a page."""
        self.action_move(halves * max(1, (self.size.height - 1) // 2))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a service there is nothing to open."""
        return action != "select" or bool(self._rows)

    def action_select(self) -> None:
        """Choose the service under the cursor."""
        if self._rows:
            self.post_message(self.Selected(self, self.service))

    def _move_to(self, place: int) -> None:
        place = max(0, min(len(self._rows) - 1, place))
        if not self._rows or place == self._cursor:
            return
        before, self._cursor = self._cursor, place
        self._scroll_into_view()
        self._refresh_line(before)
        self._refresh_line(place)
        self.post_message(self.Highlighted(self, self.service))

    def _scroll_into_view(self) -> None:
        room = max(1, self.size.height - 1)
        top = max(self._cursor - room + 1, min(self.scroll_offset.y, self._cursor))
        if self.size and top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)

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
                self.action_select()

    def on_focus(self) -> None:
        """The cursor is where keys go."""
        self._refresh_line(self._cursor)

    def on_blur(self) -> None:
        """The cursor is a mark only."""
        self._refresh_line(self._cursor)

    # -- painting ---------------------------------------------------------------------------------

    def on_resize(self) -> None:
        """Give the columns their room, and keep the cursor in sight."""
        self._measure()
        self._scroll_into_view()

    def _measure(self) -> None:
        self._measure_columns()
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self.refresh()

    def _measure_columns(self) -> None:
        self._columns = measure(self._rows, max(1, self.size.width - 3))

    def _refresh_line(self, place: int) -> None:
        y = place + 1 - self.scroll_offset.y
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """The titles, or one service."""
        base, width = self.rich_style, self.size.width
        if y == 0:
            head = self._style("list--head", base)
            cells = [Segment(fit(column.title, column.width) + " ", head) for column in self._columns]
            return Strip([Segment("  ", head), *cells]).adjust_cell_length(width, base)
        place = y - 1 + self.scroll_offset.y
        if place >= len(self._rows):
            return Strip.blank(width, base)
        row = self._rows[place]
        ground = self._style("list--stripe", base) if place % 2 else base
        hot = place == self._cursor
        if hot:
            ground = self._style("list--cursor" if self.has_focus else "list--cursor-blurred", ground)
        margin = self._glyphs.marked if row.marked else self._glyphs.cursor if hot else " "
        segments = [Segment(margin, self._style("list--mark", ground)), Segment(" ", ground)]
        for column in self._columns:
            text, style = cell_text(row, column, self._glyphs)
            segments.append(Segment(text + " ", self._style(style, ground)))
        return Strip(segments).adjust_cell_length(width, ground)

    def _style(self, name: str, ground: Style) -> Style:
        return ground + self.get_component_rich_style(name, partial=True)


def measure(rows: Iterable[ServiceRow], room: int) -> list[Column]:
    """Columns and widths for `room` cells: names whole, words where they fit, the rest for the reason."""
    shown = list(rows)
    name = min(24, max([cell_len(row.service) for row in shown] + [7]))
    branch = min(30 if room >= 120 else 18, max([cell_len(row.branch) for row in shown] + [6]))
    wordy = room >= 96
    fixed = [
        Column("service", "service", name),
        Column("health", "health" if wordy else "", 12 if wordy else 1),
        Column("branch", "branch", branch),
        Column("hash", "hash", 8),
        Column("source", "from", 7),
        Column("drift", "drift" if wordy else "", 10 if wordy else 1),
        Column("build", "build" if wordy else "", 11 if wordy else 1),
        Column("age", "age", 3),
    ]
    used = sum(column.width + 1 for column in fixed)
    if used + 10 > room:
        fixed = [column for column in fixed if column.name != "source"]
        used = sum(column.width + 1 for column in fixed)
    return [*fixed, Column("reason", "why", max(4, room - used))]


def cell_text(row: ServiceRow, column: Column, glyphs: Glyphs) -> tuple[str, str]:
    """The text of one cell in exactly its column's width, and its style."""
    width = column.width
    match column.name:
        case "service":
            return fit_middle(row.service, width), "list--name"
        case "health" if row.busy:
            return fit(f"{glyphs.busy} {row.busy}", width), "list--busy"
        case "health":
            return _state(glyphs.health, row.health, width), f"health--{row.health}"
        case "branch":
            return fit_middle(row.branch, width), "list--text"
        case "hash":
            return fit(row.hash8, width), "list--quiet"
        case "source":
            return fit(row.source, width), f"source--{row.source}"
        case "drift":
            return _state(glyphs.drift, row.drift, width), f"drift--{row.drift}"
        case "build" if row.build:
            return _state(glyphs.build, row.build, width), f"build--{row.build}"
        case "age":
            return fit_right(row.age, width), "list--quiet"
        case "reason":
            return fit(row.reason, width), _reason_style(row)
    return " " * width, "list--text"


def _state(signs: object, state: str, width: int) -> str:
    sign = signs.get(state, "?") if isinstance(signs, dict) and state else " "
    return fit(f"{sign} {state}" if width > 1 else sign, width)


def _reason_style(row: ServiceRow) -> str:
    return f"health--{row.health}" if row.health in ("crashed", "unhealthy") else "list--quiet"
