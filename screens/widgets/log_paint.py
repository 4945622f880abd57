"""How the rows of a log line look: gutter with time and source, its own colours, matches, and JSON spread out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from itertools import pairwise

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from backends.client.log_filter import Matcher
from screens.widgets.celltext import clean, fit
from screens.widgets.log_buffer import LogLine
from screens.widgets.log_json import Token, spread
from screens.widgets.sgr import cut, overlay, plain, segments, wrap_points

SERIES = 8
PARTS = (
    "log--time",
    "log--gutter",
    "log--match",
    "log--current",
    "log--more",
    "log--mark",
    "log--status",
    "log--status-strong",
    "log--status-errors",
    "log--paused",
    "log--bar",
    "log--thumb",
    "log--tick-error",
    "log--tick-match",
    "log--json-key",
    "log--json-string",
    "log--json-number",
    "log--json-word",
    "log--json-sign",
    *(f"log--source-{number}" for number in range(1, SERIES + 1)),
)
_TIME_WIDTH = 13
_WIDEST_SOURCE = 14


@dataclass(frozen=True)
class LogLook:
    """What the rows have in common. `sources` gives each source its number, which picks its colour."""

    styles: Mapping[str, Style]
    base: Style
    width: int
    sources: Mapping[str, int]
    times: bool = False
    wrap: bool = False
    json: bool = False
    shift: int = 0
    matcher: Matcher | None = None
    zone: tzinfo | None = None

    @cached_property
    def source_width(self) -> int:
        """Cells of the source's name; 0 where there is but one source."""
        if len(self.sources) < 2:
            return 0
        widest = max(cell_len(clean(source)) for source in self.sources)
        return min(widest, _WIDEST_SOURCE, max(4, self.width // 5))

    @cached_property
    def gutter(self) -> int:
        """Cells left of the text."""
        return _TIME_WIDTH * self.times + (self.source_width + 3 if self.source_width else 0)

    @cached_property
    def room(self) -> int:
        """Cells for the text."""
        return max(1, self.width - self.gutter)


class LogRows:
    """One line laid out: its rows, each a stretch of one of its texts."""

    def __init__(self, line: LogLine, look: LogLook) -> None:
        self._line, self._look = line, look
        spread_out = spread(plain(line.text)) if look.json else None
        self._texts = [_json_row(row, look) for row in spread_out] if spread_out else [_own_row(line.text, look)]
        self._rows: list[tuple[int, int, int]] = []
        for number, painted in enumerate(self._texts):
            text = "".join(segment.text for segment in painted)
            points = [*wrap_points(text, look.room), len(text)] if look.wrap else [0, len(text)]
            self._rows += [(number, start, stop) for start, stop in pairwise(points)]

    def __len__(self) -> int:
        return len(self._rows)

    def paint(self, part: int, current: bool) -> list[Segment]:
        """Row `part`, exactly as wide as the look; `current` for the line that the person has gone to."""
        look = self._look
        number, start, stop = self._rows[min(part, len(self._rows) - 1)]
        painted = self._texts[number]
        body = _fitted(cut(painted, start, stop), 0, look) if look.wrap else _fitted(painted, look.shift, look)
        row = [*_gutter(self._line, look, part == 0), *body]
        return _highlighted(row, look) if current else row


def _fitted(painted: list[Segment], shift: int, look: LogLook) -> list[Segment]:
    """What can be seen of painted text from cell `shift` on, filled up to the room; a sign where there is more."""
    room = look.room
    if not all(segment.text.isascii() for segment in painted):
        whole = Strip(painted)
        body = whole.crop_extend(shift, shift + room, look.base)
        if whole.cell_length <= shift + room:
            return list(body)
        return [*body.crop(0, room - 1), _more(look)]
    length = sum(len(segment.text) for segment in painted)
    if length > shift + room:
        return [*cut(painted, shift, shift + room - 1), _more(look)]
    seen = cut(painted, shift, length) if shift else painted
    blank = " " * (room - max(0, length - shift))
    return [*seen, Segment(blank, look.base)] if blank else seen


def _more(look: LogLook) -> Segment:
    return Segment("›", look.base + look.styles["log--more"])


def _highlighted(row: list[Segment], look: LogLook) -> list[Segment]:
    """The row on the ground of the current line, but for what has a ground of its own."""
    plain_ground, ground = look.base.bgcolor, look.styles["log--current"]
    return [
        Segment(
            text,
            (style or look.base) + ground if style is None or style.bgcolor in (None, plain_ground) else style,
        )
        for text, style, _ in row
    ]


def _own_row(text: str, look: LogLook) -> list[Segment]:
    """The line in its own colours. Of a very long one that is not wrapped, only what can be seen is looked at.

    That is known where each character takes a cell: escapes take none, and a carriage return takes cells back.
    """
    if not look.wrap and text.isascii() and "\x1b" not in text and "\r" not in text:
        text = text[: look.shift + look.room + 1]
    return _with_matches(segments(text, look.base), plain(text), look)


def _json_row(tokens: list[Token], look: LogLook) -> list[Segment]:
    none = Style.null()
    painted = [
        Segment(plain(text), look.base + look.styles.get(f"log--json-{kind}", none)) for text, kind in tokens
    ]
    return _with_matches(painted, "".join(segment.text for segment in painted), look)


def _with_matches(painted: list[Segment], text: str, look: LogLook) -> list[Segment]:
    return overlay(painted, look.matcher.spans(text), look.styles["log--match"]) if look.matcher else painted


def paint_mark(text: str, look: LogLook) -> list[Segment]:
    """The rule under a marked line."""
    style = look.base + look.styles["log--mark"]
    return list(
        Strip([Segment(f"── {text} ".ljust(look.width, "─"), style)]).adjust_cell_length(look.width, style)
    )


def _gutter(line: LogLine, look: LogLook, first: bool) -> list[Segment]:
    if not look.gutter:
        return []
    parts = []
    if look.times:
        stamp = clock(line.time, look.zone) if first else ""
        parts.append(Segment(f"{stamp:{_TIME_WIDTH}}", look.base + look.styles["log--time"]))
    if look.source_width:
        place = look.sources.get(line.source, 0) % SERIES + 1
        name = fit(line.source if first else "", look.source_width)
        parts.append(Segment(name, look.base + look.styles[f"log--source-{place}"]))
        parts.append(Segment(" │ ", look.base + look.styles["log--gutter"]))
    return parts


def clock(time: float | None, zone: tzinfo | None) -> str:
    """The time of day to the millisecond; "" where there is none."""
    if time is None:
        return ""
    try:
        moment = datetime.fromtimestamp(time, zone)
    except (ValueError, OverflowError, OSError):
        return "?"
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}"
