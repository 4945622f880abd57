"""Log lines as text: which log, and what it said, with its own colours only where there are colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from backends.model.text import safe_text
from hero_tui.render.terminal import SOURCES, Terminal
from hero_tui.render.text import clean, pad

_COLOUR = re.compile(r"(\x1b\[[0-9;:]{0,64}m)")
_RESET = "\x1b[0m"


class LogPrinter:
    """Turns log lines into text; with `named`, each says which log it is from."""

    def __init__(self, terminal: Terminal, sources: Iterable[str], *, named: bool):
        self._terminal = terminal
        self._named = named
        self._styles: dict[str, str] = {}
        self._width = 0
        for source in sources:
            self._style(source)

    def lines(self, lines: Iterable[Mapping[str, Any]]) -> list[str]:
        """One text a line."""
        found = list(lines)
        for line in found:
            self._style(line["source"])
        return [self._line(line) for line in found]

    def _line(self, line: Mapping[str, Any]) -> str:
        text = shown(line["text"], colour=self._terminal.colour)
        if not self._named:
            return text
        name = self._terminal.paint(pad(clean(line["source"]), self._width), self._style(line["source"]))
        return f"{name}  {text}"

    def _style(self, source: str) -> str:
        if source not in self._styles:
            self._styles[source] = SOURCES[len(self._styles) % len(SOURCES)]
            self._width = max(self._width, len(clean(source)))
        return self._styles[source]


def shown(text: str, *, colour: bool) -> str:
    """A line's text, harmless; its colours (SGR) stay with `colour`, and end with the line."""
    if text.isprintable():
        return text
    parts = _COLOUR.split(text.replace("\n", " "))
    parts[::2] = [safe_text(part).replace("\t", "    ") for part in parts[::2]]
    if colour and len(parts) > 1:
        return "".join(parts) + _RESET
    return "".join(parts[::2])
