"""The question that somebody is to answer, with its answers by number; the chosen one stands out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from backends.model.text import safe_text
from screens.widgets.celltext import clean

_LONGEST = 20_000

Colours = Callable[[str], str]
"""From a name of the theme to its colour as rich takes it."""


def question_text(text: str, colours: Colours, *, tool: str = "") -> Text:
    """The words of a question, harmless; after the name of the tool that a permission is asked for."""
    said = Text(safe_text(text[:_LONGEST]).strip())
    if not tool:
        return said
    return Text.assemble((f"{clean(tool)} ", f"bold {colours('primary')}"), said)


def options_text(options: Sequence[str], chosen: int, colours: Colours, *, narrow: bool = False) -> Text:
    """`1 first   2 second`, a line each where it is not `narrow`; `chosen` counts from 1."""
    lines = []
    for number, option in enumerate(options, 1):
        hot = number == chosen
        style = f"bold reverse {colours('primary')}" if hot else ""
        key = (f" {number % 10} ", style or f"bold {colours('primary')}")
        lines.append(Text.assemble(key, (f" {clean(option)} ", style)))
    return Text("  " if narrow else "\n").join(lines)


def keys_text(hints: Sequence[tuple[str, str]], colours: Colours) -> Text:
    """`y allow   n deny`: keys and what they do."""
    parts = [
        Text.assemble((key, f"bold {colours('primary')}"), (f" {what}", colours("quiet"))) for key, what in hints
    ]
    return Text("   ").join(parts)
