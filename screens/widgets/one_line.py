"""How the one-line widgets (status, progress, key hints) become a strip: styled parts, cut to the width."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

Part = tuple[str, str]
"""A text and the component class that styles it; an empty class is the widget's own style."""


def paint_parts(widget: Widget, parts: Sequence[Part], right: Sequence[Part] = ()) -> Strip:
    """`parts` from the left and `right` at the right edge, in exactly the widget's width; the left yields."""
    base = widget.rich_style
    width = widget.size.width

    def painted(group: Sequence[Part]) -> list[Segment]:
        return [
            Segment(text, base + widget.get_component_rich_style(name, partial=True) if name else base)
            for text, name in group
            if text
        ]

    end = Strip(painted(right))
    if end.cell_length >= width:
        end = end.crop(0, width)
    start = Strip(painted(parts)).adjust_cell_length(width - end.cell_length, base)
    return Strip.join([start, end])
