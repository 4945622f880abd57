"""How one row of the log view looks: gutter with time and source, the line with its colours and matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from screens.widgets.celltext import fit
from screens.widgets.log_buffer import LogLine
from screens.widgets.log_filter import Matcher
from screens.widgets.sgr import cut, overlay, plain, segments, wrap_points

SERIES = 8
PARTS = (
    "log--time",
    "log--gutter",
    "log--match",
    "log--current",
    "log--more",
    "log--status",
    "log--status-strong",
    "log--paused",
    *(f"log--source-{number}" for number in range(1, SERIES + 1)),
)
_TIME_WIDTH = 13
_WIDEST_SOURCE = 14


@dataclass(frozen=True)
class LogLook:
    """What the rows have in common. `sources` gives each source its place, which picks its colour."""

    styles: Mapping[str, Style]
    base: Style
    width: int
    sources: Mapping[str, int]
    times: bool = False
    matcher: Matcher | None = None
    zone: tzinfo | None = None

    @property
    def source_width(self) -> int:
        """Cells of the source's name; 0 where there is but one source."""
        if len(self.sources) < 2:
            return 0
        return min(max(len(source) for source in self.sources), _WIDEST_SOURCE, max(4, self.width // 5))

    @property
    def gutter(self) -> int:
        """Cells left of the text."""
        return _TIME_WIDTH * self.times + (self.source_width + 3 if self.source_width else 0)

    @property
    def room(self) -> int:
        """Cells for the text."""
        return max(1, self.width - self.gutter)


def paint_row(line: LogLine, look: LogLook, part: int, shift: int, wrapped: bool, current: bool) -> Strip:
    """Row `part` of a line when wrapped, else the line from cell `shift` on; exactly `look.width` wide."""
    ground = look.base + look.styles["log--current"] if current else look.base
    text = plain(line.text)
    painted = segments(line.text, ground)
    if look.matcher is not None:
        painted = overlay(painted, look.matcher.spans(text), look.styles["log--match"])
    if wrapped:
        points = [*wrap_points(text, look.room), len(text)]
        painted = cut(painted, points[part], points[part + 1])
        body = Strip(painted).adjust_cell_length(look.room, ground)
    else:
        whole = Strip(painted)
        body = whole.crop_extend(shift, shift + look.room, ground)
        if whole.cell_length > shift + look.room:
            more = Segment("›", ground + look.styles["log--more"])
            body = Strip([*body.crop(0, look.room - 1), more], look.room)
    return Strip.join([_gutter(line, look, part == 0, ground), body])


def _gutter(line: LogLine, look: LogLook, first: bool, ground: Style) -> Strip:
    parts = []
    if look.times:
        stamp = _clock(line.time, look.zone) if first else ""
        parts.append(Segment(f"{stamp:{_TIME_WIDTH}}", ground + look.styles["log--time"]))
    if look.source_width:
        place = look.sources.get(line.source, 0) % SERIES + 1
        name = fit(line.source if first else "", look.source_width)
        parts.append(Segment(name, ground + look.styles[f"log--source-{place}"]))
        parts.append(Segment(" │ ", ground + look.styles["log--gutter"]))
    return Strip(parts, look.gutter)


def _clock(time: float | None, zone: tzinfo | None) -> str:
    if time is None:
        return ""
    try:
        moment = datetime.fromtimestamp(time, zone)
    except (ValueError, OverflowError, OSError):
        return "?"
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
