"""A log line that is JSON, or ends in it, spread over rows: a key each, every kind of value in its style."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

ROWS = 300
"""Rows of one line that are shown."""
INDENT = 2
Token = tuple[str, str]
"""Text, and what it is: `key`, `string`, `number`, `word` (true, false, null), `sign`, or the `text` before."""

_BEGINNINGS = 16
"""Brackets of a line that are tried: what stands before the object may have some, too."""
_BEGIN = re.compile(r"[\[{]")
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d[\d.eE+-]*)'
    r"|(?P<word>-?[A-Za-z]+)|(?P<empty>\[\s*\]|\{\s*\})|(?P<open>[\[{])|(?P<close>[\]}])|(?P<comma>,)|(?P<colon>:)"
)


def spread(text: str) -> list[list[Token]] | None:
    """The rows of a line, None for one without an object or list. What stands before that is in the first row.

    Numbers and keys are as they were written: what would be read of them may be another one.
    """
    begin = _beginning(text)
    if begin is None:
        return None
    rows = list(_rows(text, begin))
    if begin:
        rows[0].insert(0, (text[:begin], "text"))
    more = len(rows) - ROWS
    return [*rows[:ROWS], [(f"… {more:,} more rows", "sign")]] if more > 0 else rows


def _beginning(text: str) -> int | None:
    """Where the object or list that the line ends in begins; None where there is none with something in it."""
    if not text.rstrip().endswith(("}", "]")):
        return None
    for match in islice(_BEGIN.finditer(text), _BEGINNINGS):
        try:
            found = json.loads(text[match.start() :])
        except (ValueError, RecursionError):
            continue
        return match.start() if found else None
    return None


def _rows(text: str, begin: int) -> Iterator[list[Token]]:
    row, depth = list[Token](), 0
    for match in _TOKEN.finditer(text, begin):
        kind, token = str(match.lastgroup), match[0]
        if kind == "close":
            depth -= 1
            yield row
            row = _indented(depth)
        row.append(_shown(kind, token))
        depth += kind == "open"
        if kind in ("open", "comma"):
            yield row
            row = _indented(depth)
    yield row


def _indented(depth: int) -> list[Token]:
    return [(" " * (INDENT * depth), "sign")] if depth else []


def _shown(kind: str, token: str) -> Token:
    if kind in ("key", "string"):
        return (json.dumps(json.loads(token), ensure_ascii=False) if "\\" in token else token), kind
    if kind in ("number", "word"):
        return token, kind
    return {"colon": ": ", "empty": token[0] + token[-1]}.get(kind, token), "sign"
