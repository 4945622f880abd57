"""The log's scroll bar, one cell wide: where one is, and where in all of the log errors and matches are."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from rich.segment import Segment

from screens.widgets.log_paint import LogLook

ERROR, MATCH = "━", "─"
"""Signs that differ in more than their colour."""


@dataclass(frozen=True, slots=True)
class LogBar:
    """What the bar shows. `first` and `last`: the shares of the log above what is seen, and down to its end."""

    first: float = 0.0
    last: float = 1.0
    errors: Set[int] = frozenset()
    matches: Set[int] = frozenset()

    def cells(self, height: int) -> list[tuple[str, str, bool]]:
        """Sign, style, and whether one is there, from the top down."""
        begin = min(height - 1, int(self.first * height))
        end = max(begin + 1, min(height, round(self.last * height)))
        return [(*self._sign(row), begin <= row < end and end - begin < height) for row in range(height)]

    def _sign(self, row: int) -> tuple[str, str]:
        if row in self.errors:
            return ERROR, "log--tick-error"
        return (MATCH, "log--tick-match") if row in self.matches else (" ", "log--bar")


def paint_bar(cell: tuple[str, str, bool], look: LogLook) -> Segment:
    """One row of the bar."""
    sign, style, here = cell
    ground = look.base + look.styles["log--bar"]
    if here:
        ground += look.styles["log--thumb"]
    return Segment(sign, ground + look.styles[style] if style != "log--bar" else ground)
