"""What an output stream can show: how wide it is, whether in colour, with which signs."""

from __future__ import annotations

import codecs
import os
from collections.abc import Mapping
from typing import NamedTuple, TextIO

from hero_tui.render.signs import ASCII, UNICODE, Signs

_STYLES = {
    "good": "32",
    "warn": "33",
    "bad": "31",
    "info": "36",
    "dim": "2",
    "bold": "1",
    "magenta": "35",
    "blue": "34",
}
SOURCES = ("info", "magenta", "warn", "blue", "good")
"""Styles that tell several logs apart, in this order."""

HEALTH_STYLE = {"healthy": "good", "starting": "warn", "unhealthy": "bad", "crashed": "bad", "unknown": "warn"}
DRIFT_STYLE = {"behind": "warn", "modified": "info", "missing": "bad", "pinned": "info"}
BUILD_STYLE = {"succeeded": "good", "failed": "bad", "running": "warn", "queued": "warn"}


class Terminal(NamedTuple):
    """`width` in cells, None where lines may be of any length; `live` where a line can be redrawn."""

    width: int | None = None
    colour: bool = False
    signs: Signs = UNICODE
    live: bool = False

    def paint(self, text: str, style: str) -> str:
        """`text` in a style; unchanged without colours."""
        if not self.colour or not style or not text:
            return text
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def terminal_of(stream: TextIO | None, environment: Mapping[str, str], *, no_colour: bool = False) -> Terminal:
    """The abilities of `stream`. COLUMNS wins over the terminal's own width; a file or pipe has no width."""
    if stream is None:
        return Terminal(signs=ASCII)
    live = stream.isatty() and environment.get("TERM") != "dumb"
    colour = live and not no_colour and not environment.get("NO_COLOR")
    return Terminal(_width(stream, environment), colour, UNICODE if _is_utf8(stream) else ASCII, live)


def _width(stream: TextIO, environment: Mapping[str, str]) -> int | None:
    columns = environment.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns) > 0:
        return int(columns)
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _is_utf8(stream: TextIO) -> bool:
    try:
        return codecs.lookup(stream.encoding or "ascii").name == "utf-8"
    except LookupError:
        return False
