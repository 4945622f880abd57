"""Counts the tokens of an answer while it passes by: the `usage` of a JSON answer, or of its stream's events."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

_LINE_LIMIT = 256 * 1024
"""Bytes of one event of a stream; a longer one has no `usage` that we would want."""
_JSON_LIMIT = 2 << 20
"""Bytes of a JSON answer; a longer one is passed on and not counted."""
_MOST = 1 << 40
_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class Tokens(NamedTuple):
    """As the API counted them; `input` with what was written to and read from its cache."""

    input: int = 0
    output: int = 0


class Meter:
    """Sees every byte of one answer, and never changes or holds up one. `content_type` is the answer's."""

    def __init__(self, content_type: str):
        self._streamed = content_type.startswith("text/event-stream")
        self._counts = content_type.startswith(("text/event-stream", "application/json"))
        self._held = bytearray()
        self._skipping = False
        self._fields: dict[str, int] = {}

    def see(self, part: bytes) -> None:
        """Bytes that pass by."""
        if not self._counts:
            return
        if self._streamed:
            self._see_lines(part)
            return
        self._held += part
        if len(self._held) > _JSON_LIMIT:
            self._counts = False
            self._held.clear()

    def tokens(self) -> Tokens:
        """What was used, as far as it was told."""
        if self._counts and not self._streamed and self._held:
            self._read(bytes(self._held))
            self._held.clear()
        return Tokens(sum(self._fields.get(name, 0) for name in _INPUT), self._fields.get("output_tokens", 0))

    def _see_lines(self, part: bytes) -> None:
        *ended, rest = part.split(b"\n")
        for line in ended:
            self._end_line(line)
        self._held += rest
        if len(self._held) > _LINE_LIMIT:
            self._held.clear()
            self._skipping = True

    def _end_line(self, line: bytes) -> None:
        if self._held:
            line = bytes(self._held) + line
            self._held.clear()
        if self._skipping:
            self._skipping = False
        elif line.startswith(b"data:") and b'"usage"' in line:
            self._read(line[5:])

    def _read(self, text: bytes) -> None:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(found, dict):
            message = found.get("message")
            self._take(found.get("usage"))
            self._take(message.get("usage") if isinstance(message, dict) else None)

    def _take(self, usage: Any) -> None:
        """The numbers of one `usage`; later ones stand for the whole message, so they replace earlier ones."""
        if not isinstance(usage, dict):
            return
        for name in (*_INPUT, "output_tokens"):
            value = usage.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST:
                self._fields[name] = value
