"""A log line that is JSON, or ends in it, spread over rows: a key each, every kind of value in its style."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

ROWS = 300
"""Rows of one line that are shown."""
INDENT = 2
Token = tuple[str, str]
"""Text, and what it is: `key`, `string`, `number`, `word` (true, false, null), `sign`, or the `text` before."""

_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=:)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)|(?P<word>[A-Za-z]+)'
    r"|(?P<sign>[^\w\"-]+|-)"
)


def spread(text: str) -> list[list[Token]] | None:
    """The rows of a line, None for one without an object or list. What stands before that is in the first row."""
    if not text.rstrip().endswith(("}", "]")):
        return None
    begins = sorted(place for place in (text.find("{"), text.find("[")) if place >= 0)
    begin, found = next(((place, found) for place in begins if (found := _parsed(text[place:]))), (0, None))
    if not found:
        return None
    first, *others = json.dumps(found, indent=INDENT, ensure_ascii=False).split("\n")
    rows = [
        [*([(text[:begin], "text")] if begin else []), *_tokens(first)],
        *(list(_tokens(row)) for row in others[: ROWS - 1]),
    ]
    if len(others) >= ROWS:
        rows.append([(f"… {len(others) - ROWS + 1:,} more rows", "sign")])
    return rows


def _parsed(text: str) -> Any:
    """The object or list, None where it is none that can be read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _tokens(row: str) -> Iterator[Token]:
    indent = len(row) - len(row.lstrip(" "))
    if indent:
        yield row[:indent], "sign"
    for match in _TOKEN.finditer(row, indent):
        yield match[0], str(match.lastgroup)
