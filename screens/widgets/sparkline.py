"""A row of numbers as a row of heights, one cell each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from screens.widgets.glyphs import UNICODE, Glyphs

_LEAST_SPAN = 0.5
"""Of the highest value: the difference that takes all eight heights, at least."""


def sparkline(values: Sequence[float], width: int, glyphs: Glyphs = UNICODE) -> str:
    """The last `width` of `values`, the newest at the right edge, from the lowest of them to the highest.

    Values that hardly differ stand in the middle: a tenth more is no peak.
    """
    shown = values[-width:] if width > 0 else ()
    if not shown:
        return " " * max(0, width)
    lowest, highest = min(shown), max(shown)
    span = max(highest - lowest, highest * _LEAST_SPAN)
    if not math.isfinite(span):
        return " " * width
    floor = (lowest + highest - span) / 2
    top = len(glyphs.levels) - 1
    heights = [round((value - floor) / span * top) if span > 0 else 0 for value in shown]
    return "".join(glyphs.levels[max(0, min(top, height))] for height in heights).rjust(width)
