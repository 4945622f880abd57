"""A table that fits: columns shrink, then the least important ones go, before a line would wrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hero_tui.render.terminal import Terminal
from hero_tui.render.text import cells, cut

_GAP = 2
_SIGN = 1
"""The least width of a column that shows its text whole or only a sign of it."""

Cutter = Callable[[str, int, str], str]


class Column(NamedTuple):
    """A column. The highest `rank` goes first; `least` is the width that it can shrink to, 0 if it cannot."""

    title: str
    rank: int
    least: int = 0
    cut: Cutter = cut


class Cell(NamedTuple):
    """A cell; `short` stands for `text` where the column has less than its full width."""

    text: str
    style: str = ""
    short: str = ""


def table(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], terminal: Terminal) -> list[str]:
    """The title line and one line a row. Columns in which no row says anything are left out."""
    used = [number for number in range(len(columns)) if any(row[number].text for row in rows)]
    full = {number: _full(columns[number], [row[number] for row in rows]) for number in used}
    widths = _fit(columns, full, terminal.width)
    titles = [_cell(_title(columns[n], room), columns[n], room, terminal) for n, room in widths.items()]
    lines = [titles, *([_cell(row[n], columns[n], room, terminal) for n, room in widths.items()] for row in rows)]
    return [(" " * _GAP).join(line).rstrip() for line in lines]


def _title(column: Column, room: int) -> Cell:
    title = column.title.upper()
    return Cell(title, "dim", title[:room])


def _full(column: Column, values: list[Cell]) -> int:
    return max(cells(column.title), *(cells(value.text) for value in values))


def _fit(columns: Sequence[Column], full: dict[int, int], width: int | None) -> dict[int, int]:
    """The width of each column that is shown, in their order."""
    if width is None:
        return full
    shown = sorted(full, key=lambda number: columns[number].rank)
    while len(shown) > 1 and _total([_least(columns[number], full[number]) for number in shown]) > width:
        shown.pop()
    widths = {number: _least(columns[number], full[number]) for number in shown}
    room = max(width - _total(list(widths.values())), 0)
    for number in shown:
        wanted = full[number] - widths[number]
        if wanted > room and columns[number].least <= _SIGN:
            continue
        widths[number] += min(wanted, room)
        room -= min(wanted, room)
    return {number: min(widths[number], width) for number in sorted(widths)}


def _least(column: Column, full: int) -> int:
    return min(column.least or full, full)


def _total(widths: list[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _cell(value: Cell, column: Column, room: int, terminal: Terminal) -> str:
    text = value.text
    if cells(text) > room:
        short = value.short and cells(value.short) <= room
        text = value.short if short else column.cut(text, room, terminal.signs.more)
    return terminal.paint(text, value.style) + " " * (room - cells(text))
