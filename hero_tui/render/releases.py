"""Published archives as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hero_tui.render.ages import age
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, cut_middle, size

_COLUMNS = (
    Column("tag", 0, 12, cut_middle),
    Column("age", 1),
    Column("author", 2, 6, cut),
    Column("size", 4),
    Column("platforms", 5, 9, cut),
    Column("subject", 3, 12, cut),
)


def release_lines(releases: Sequence[Mapping[str, Any]], terminal: Terminal, now: float) -> list[str]:
    """One line a release, in their order."""
    return table(_COLUMNS, [_row(one, now) for one in releases], terminal)


def _row(one: Mapping[str, Any], now: float) -> tuple[Cell, ...]:
    return (
        Cell(clean(one["tag"]), "info"),
        Cell(age(one["published_at"], now)),
        Cell(clean(one["author"])),
        Cell(size(one["size"])),
        Cell(", ".join(map(clean, one["platforms"])), "dim"),
        Cell(clean(one["subject"])),
    )
