"""What stands in the columns of the Host screen's lists, and how wide they are; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from screens.widgets.build_cells import Column
from screens.widgets.celltext import byte_count, clean, fit, fit_middle, fit_right
from screens.widgets.container_cells import EngineTable
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.host_model import REST, DiskRow, HostRow, UseRow, View
from screens.widgets.linelist import Table
from screens.widgets.one_line import Part

_FIGURE = 8
_BAR_LEAST = 10
_BAR_MOST = 60
_ROOM_FOR_WHY = 96
_WHY_LEAST = 24


@dataclass(frozen=True, slots=True)
class UseTable:
    """Who takes what: `most` is the greatest memory of a row, which the bars are measured by."""

    me: str = ""
    most: int = 1
    glyphs: Glyphs = UNICODE

    def key(self, row: HostRow) -> str:
        return row.key

    def marked(self, row: HostRow) -> bool:
        """Mine bears the mark."""
        return isinstance(row, UseRow) and row.slot == self.me

    def columns(self, rows: Sequence[HostRow], room: int) -> list[Column]:
        """Names as wide as they need to be, a bar in what is left."""
        uses = [row for row in rows if isinstance(row, UseRow)]
        name = _widest((_name(row) for row in uses), 12, min(40, max(12, room - 3 * (_FIGURE + 1) - 12)))
        columns = [
            Column("name", "slot, and what of it", name),
            Column("cpu", fit_right("cpu", _FIGURE), _FIGURE),
            Column("memory", fit_right("memory", _FIGURE), _FIGURE),
            Column("processes", fit_right("procs", 6), 6),
        ]
        left = room - sum(column.width + 1 for column in columns) - 1
        return [*columns, Column("bar", "", min(left, _BAR_MOST))] if left >= _BAR_LEAST else columns

    def parts(self, row: HostRow, column: Column) -> Sequence[Part]:
        """One cell; the sums of a slot are told in strong colours."""
        if not isinstance(row, UseRow):
            return ((" " * column.width, ""),)
        total, width = not row.kind, column.width
        style = "list--quiet" if row.slot == REST else "list--name" if total else "list--text"
        match column.name:
            case "name":
                if total:
                    mine = "list--mine" if row.slot == self.me else style
                    return ((fit(row.slot, width), mine),)
                word = fit(f"  {row.kind} ", min(width, cell_len(row.kind) + 3))
                return ((word, "list--quiet"), (fit_middle(row.name, width - cell_len(word)), "list--text"))
            case "cpu":
                busy = f"health--{_busy(row.cpu)}" if row.cpu >= 50 else style
                return ((fit_right(f"{row.cpu:.1f} %" if row.cpu >= 0.05 else "", width), busy),)
            case "memory":
                return ((fit_right(byte_count(row.memory), width), style),)
            case "processes":
                return ((fit_right(str(row.processes), width), "list--quiet"),)
        strong = total and row.slot != REST
        return _bar(row.memory / self.most, width, "list--mark" if strong else "list--quiet", self.glyphs)


@dataclass(frozen=True, slots=True)
class DiskTable:
    """What takes the room: `most` is the size of the greatest part."""

    me: str = ""
    most: int = 1
    glyphs: Glyphs = UNICODE

    def key(self, row: HostRow) -> str:
        return row.key

    def marked(self, row: HostRow) -> bool:
        """Mine bears the mark: only that can be cleaned from here."""
        return isinstance(row, DiskRow) and row.slot == self.me

    def columns(self, rows: Sequence[HostRow], room: int) -> list[Column]:
        """What it is gets what it needs; where there is room, a bar and why it may go or not."""
        disks = [row for row in rows if isinstance(row, DiskRow)]
        slot = _widest((row.slot for row in disks), 4, 14)
        columns = [
            Column("size", fit_right("size", _FIGURE), _FIGURE),
            Column("going", fit_right("can go", _FIGURE), _FIGURE),
            Column("grew", fit_right("today", _FIGURE + 1), _FIGURE + 1),
            Column("slot", "slot", slot),
            Column("kind", "what", _widest((row.part.kind for row in disks), 4, 8)),
        ]
        left = room - sum(column.width + 1 for column in columns)
        name = min(left, _widest((row.part.name for row in disks), 12, 60))
        columns.append(Column("name", "which", name))
        left -= name + 1
        if room >= _ROOM_FOR_WHY and left >= _WHY_LEAST:
            columns.append(Column("why", "", left))
        elif left >= _BAR_LEAST:
            columns.append(Column("bar", "", min(left, _BAR_MOST)))
        return columns

    def parts(self, row: HostRow, column: Column) -> Sequence[Part]:
        """One cell."""
        if not isinstance(row, DiskRow):
            return ((" " * column.width, ""),)
        part, width = row.part, column.width
        text = "list--off" if row.stale else "list--text"
        match column.name:
            case "size":
                size = byte_count(part.size) if part.complete else f">{byte_count(part.size)}"
                return ((fit_right(size, width), "list--off" if row.stale else "list--name"),)
            case "going":
                return ((fit_right(byte_count(part.reclaimable) if part.reclaimable else "", width), _GOING),)
            case "grew":
                return ((fit_right(change(part.grew or 0), width), growth_style(part.grew or 0)),)
            case "slot":
                sign = self.glyphs.stale if row.stale else ""
                style = "list--mine" if row.slot == self.me else text
                return ((fit(sign + fit_middle(row.slot, width - len(sign)), width), style),)
            case "kind":
                return ((fit(part.kind, width), "list--quiet"),)
            case "name":
                return ((fit_middle(part.name, width), text),)
            case "why":
                return ((fit(part.why, width), "list--quiet"),)
        return _bar(part.size / self.most, width, "list--mark", self.glyphs)


_GOING = "health--healthy"


def table_of(view: View, rows: Sequence[HostRow], me: str) -> Table[HostRow]:
    """How the rows of a view look; bars are measured by the greatest of them."""
    if view == "processes":
        return UseTable(
            me, max([1, *(row.memory for row in rows if isinstance(row, UseRow) and row.slot != REST)])
        )
    if view == "disk":
        return DiskTable(me, max([1, *(row.part.size for row in rows if isinstance(row, DiskRow))]))
    return EngineTable()


def change(count: int) -> str:
    """`+9.0 GB`, `-12 MB`; nothing for nothing."""
    return f"{'+' if count > 0 else '-'}{byte_count(abs(count))}" if count else ""


def growth_style(count: int) -> str:
    """Much more than yesterday is worth a look."""
    return "health--unhealthy" if count >= 1_000_000_000 else "list--text" if count > 0 else "list--quiet"


def _busy(cpu: float) -> str:
    return "unhealthy" if cpu >= 150 else "starting"


def _name(row: UseRow) -> str:
    return f"  {row.kind} {row.name}" if row.kind else row.slot


def _bar(share: float, width: int, style: str, glyphs: Glyphs) -> Sequence[Part]:
    done = max(0, min(width, round(share * width)))
    return ((glyphs.bar_done * done, style), (" " * (width - done), ""))


def _widest(texts: Iterable[str], least: int, most: int) -> int:
    return min(most, max([least, *(cell_len(clean(text)) for text in texts)]))
