"""What of the screen is dirty, rendered as pieces of lines: nothing else is looked at."""

from __future__ import annotations

from collections.abc import Iterable

from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Span = tuple[int, int, int]
"""A line, the first cell in it, and the one after the last."""
Piece = tuple[int, int, Strip]
"""Where it begins, on which line, and what stands there."""


def pieces(spans: Iterable[Span], widgets: Iterable[tuple[Widget, tuple[Region, Region]]]) -> list[Piece]:
    """What stands in `spans`, from the top down. Each widget comes with its region and what it is clipped to.

    The widgets in front come first: a cell belongs to the first one that covers it.
    """
    wanted: dict[int, list[tuple[int, int]]] = {}
    for y, start, stop in spans:
        wanted.setdefault(y, []).append((start, stop))
    found: list[Piece] = []
    for widget, (region, clip) in widgets:
        if not wanted:
            break
        shown = region.intersection(clip)
        lines = [y for y in wanted if shown.y <= y < shown.bottom and _meets(wanted[y], shown)]
        if lines:
            top, bottom = min(lines), max(lines) + 1
            strips = widget.render_lines(Region(0, top - region.y, region.width, bottom - top))
            for y in lines:
                wanted[y] = _cover(found, y, wanted[y], shown, region.x, strips[y - top])
                if not wanted[y]:
                    del wanted[y]
    return sorted(found, key=lambda piece: (piece[1], piece[0]))


def _meets(spans: list[tuple[int, int]], shown: Region) -> bool:
    return any(start < shown.right and stop > shown.x for start, stop in spans)


def _cover(
    found: list[Piece], y: int, spans: list[tuple[int, int]], shown: Region, left: int, strip: Strip
) -> list[tuple[int, int]]:
    """Take what this widget has of the spans; what is left of them is behind it."""
    rest = []
    for start, stop in spans:
        first, last = max(start, shown.x), min(stop, shown.right)
        if first >= last:
            rest.append((start, stop))
            continue
        whole = first == left and last == left + strip.cell_length
        found.append((first, y, strip if whole else strip.crop(first - left, last - left)))
        rest += [part for part in ((start, first), (last, stop)) if part[0] < part[1]]
    return rest
