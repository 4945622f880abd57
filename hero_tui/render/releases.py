"""Published archives as a table, and the commits between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hero_tui.render.ages import age
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, cut_middle, size

_COLUMNS = (
    Column("tag", 0, 12, cut_middle),
    Column("age", 2),
    Column("author", 3, 6, cut),
    Column("size", 5),
    Column("platforms", 6, 9, cut),
    Column("loads", 7),
    Column("wrong", 1, 1),
    Column("subject", 4, 12, cut),
)
_COMMITS = (Column("commit", 0), Column("age", 2), Column("author", 3, 6, cut), Column("subject", 1, 12, cut))


def release_lines(releases: Sequence[Mapping[str, Any]], terminal: Terminal, now: float) -> list[str]:
    """One line a release, in their order."""
    return table(_COLUMNS, [_row(one, terminal, now) for one in releases], terminal)


def commit_lines(commits: Sequence[Mapping[str, Any]], terminal: Terminal, now: float) -> list[str]:
    """One line a commit, in their order."""
    rows = [
        (
            Cell(clean(one["commit"][:8]), "info"),
            Cell(age(one["time"], now)),
            Cell(clean(one["author"])),
            Cell(clean(one["subject"])),
        )
        for one in commits
    ]
    return table(_COMMITS, rows, terminal)


def _row(one: Mapping[str, Any], terminal: Terminal, now: float) -> tuple[Cell, ...]:
    downloads = one["downloads"]
    wrong = "" if one["complete"] else f"{terminal.signs.bad} incomplete"
    return (
        Cell(clean(one["tag"]), "info"),
        Cell(age(one["published_at"], now)),
        Cell(clean(one["author"])),
        Cell(size(one["size"])),
        Cell(", ".join(map(clean, one["platforms"])), "dim"),
        Cell(str(downloads) if downloads else "", "dim"),
        Cell(wrong, "bad", terminal.signs.bad),
        Cell(clean(one["subject"])),
    )
