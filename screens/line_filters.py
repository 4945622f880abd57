"""What a poor terminal gets instead: ASCII for every sign, and bold, underline and reverse for colours."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from screens.widgets.glyphs import in_ascii

_PLAIN = Style.from_color(RichColor.parse("default"), RichColor.parse("default"))
_REVERSED = Style(reverse=True)


class AsciiOnly(LineFilter):
    """Every character that is not ASCII becomes ASCII of the same width, whoever drew it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line in ASCII."""
        return [
            Segment(_ascii(text) if not text.isascii() else text, style, control)
            for text, style, control in segments
        ]


@lru_cache(maxsize=4096)
def _ascii(text: str) -> str:
    return "".join(in_ascii(character) * max(0, cell_len(character)) for character in text)


class NoColours(LineFilter):
    """No colours at all; what stands on a loud ground (cursor, button, match) is drawn in reverse instead."""

    def __init__(self, loud: Iterable[str]) -> None:
        super().__init__()
        self._loud = frozenset(Color.parse(name).rgb for name in loud)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same line without colours."""
        return [
            Segment(text, None if style is None else self._plain(style), control)
            for text, style, control in segments
        ]

    def _plain(self, style: Style) -> Style:
        ground = style.bgcolor
        plain = style + _PLAIN
        if ground is None or ground.is_default:
            return plain
        if ground.number is not None:  # one of the terminal's own, of which themes use only loud ones and black
            return plain + _REVERSED if ground.number else plain
        return plain + _REVERSED if tuple(ground.get_truecolor()) in self._loud else plain
