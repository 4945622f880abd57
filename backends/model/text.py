"""Make text from outside harmless before a person's terminal sees it."""

from __future__ import annotations

import re

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC … BEL or ST
    r"|\x1b[PX^_].*?(?:\x1b\\|$)"  # DCS, SOS, PM, APC
    r"|\x1b\[[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # the two-byte ones
    r"|\x9b[0-?]*[ -/]*[@-~]?"
)
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"  # halves of a character, which no terminal can be sent
)


def safe_text(text: str) -> str:
    """`text` without terminal escapes, control and bidirectional-override characters (newline and tab stay)."""
    return _CONTROL.sub("\ufffd", _ESCAPES.sub("", text))


def safe_line(text: str, limit: int = 2000) -> str:
    """One printable line of at most `limit` characters."""
    flat = safe_text(text[: limit * 4]).replace("\n", " ").replace("\t", " ")
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"
