"""One log line: from raw bytes to harmless text, its time, and whether a search finds it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

from backends.model.text import safe_text

LINE_LIMIT = 8192
"""Bytes of one line that are shown."""
PATTERN_LIMIT = 200
"""Characters of a search that are taken as a regular expression."""

_COLOUR = re.compile(r"(\x1b\[[0-9;:]{0,64}m)")
_RESET = "\x1b[0m"
_RESETS = (_RESET, "\x1b[m")
_BEFORE_TIME = r"(?:\x1b\[[0-9;:]{0,64}m|\[)*"
_ISO = re.compile(
    _BEFORE_TIME + r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:[.,]([0-9]{1,9}))?"
    r"(?: ?(Z|UTC)|([+-][0-9]{2}):?([0-9]{2}))?(?![0-9])"
)
_EPOCH = re.compile(_BEFORE_TIME + r"(?:([0-9]{10}(?:\.[0-9]{1,9})?)|([0-9]{13}))(?![0-9.])")
_PLAIN = re.compile(r"[\w\s\"'/,:;=<>@%&#~`!-]*")
_WHOLE_TEXT = re.compile(r"\\[Az]")


def shown(raw: bytes) -> str:
    """`raw` as people may see it: at most LINE_LIMIT bytes, colours (SGR) kept, everything else harmless.

    A line that was redrawn with carriage returns is what stands at the end. Colours end with the line.
    """
    cut = len(raw) > LINE_LIMIT
    text = raw[:LINE_LIMIT].decode(errors="replace").rstrip("\r\n").rpartition("\r")[2]
    parts = _COLOUR.split(text)
    parts[::2] = [safe_text(part) for part in parts[::2]]
    if len(text) * 3 > LINE_LIMIT:  # what replaces one byte may take three
        parts, shortened = _shortened(parts)
        cut = cut or shortened
    open_colour = len(parts) > 1 and parts[-2] not in _RESETS
    return "".join(parts) + ("…" if cut else "") + (_RESET if open_colour else "")


def _shortened(parts: list[str]) -> tuple[list[str], bool]:
    """As many of `parts` (text and colours in turn) as fit, colours whole, and whether any was left out."""
    left, kept = LINE_LIMIT, list[str]()
    for number, part in enumerate(parts):
        encoded = part.encode()
        if len(encoded) > left:
            return kept if number % 2 else [*kept, encoded[:left].decode(errors="ignore")], True
        left -= len(encoded)
        kept.append(part)
    return kept, False


def without_colour(text: str) -> str:
    """What `shown` gave, without its colours."""
    return _COLOUR.sub("", text) if "\x1b" in text else text


def time_of(text: str) -> float | None:
    """Seconds since the epoch that the line begins with (ISO-8601 or epoch), None where it tells none.

    A time without a zone is this machine's local time.
    """
    if match := _ISO.match(text):
        date, clock, fraction, utc, hours, minutes = match.groups()
        whole = _moment(f"{date}T{clock}", "+00:00" if utc else f"{hours}:{minutes}" if hours else "")
        return None if whole is None else whole + (float(f"0.{fraction}") if fraction else 0.0)
    if match := _EPOCH.match(text):
        return float(match[1]) if match[1] else int(match[2]) / 1000
    return None


@lru_cache(maxsize=256)
def _moment(local: str, zone: str) -> float | None:
    try:
        when = datetime.fromisoformat(local)
        if zone:
            sign = -1 if zone[0] == "-" else 1
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
            when = when.replace(tzinfo=timezone(sign * offset))
        return when.timestamp()
    except (ValueError, OverflowError, OSError):
        return None


class Search:
    """Whether a line has what a person looks for: a regular expression, or literal text where it is none.

    The engine is the linear-time one of pydantic-core, because a teammate's pattern on a hostile log must not
    be able to hold the daemon for hours, as it can with `re`; so there are no back-references or look-arounds.
    """

    def __init__(self, pattern: str, *, plain: bool = True):
        """`plain`: letters and the like are compared as they are, which is less work than to compile them."""
        self._literal = pattern
        self._line: SchemaValidator | None = None
        self._chunk: SchemaValidator | None = None
        if (plain and _PLAIN.fullmatch(pattern)) or len(pattern) > PATTERN_LIMIT:
            return
        try:
            self._line = _compiled(pattern)
            self._chunk = None if _WHOLE_TEXT.search(pattern) else _compiled(f"(?m:{pattern})")
        except SchemaError:
            self._line = None

    @property
    def literal(self) -> bool:
        """Whether the pattern is taken letter by letter."""
        return self._line is None

    def finds(self, text: str) -> bool:
        """Whether the line `text` (as `shown` gave it) matches, colours aside."""
        plain = without_colour(text)
        return self._literal in plain if self._line is None else self._line.isinstance_python(plain)

    def may_find(self, chunk: bytes) -> bool:
        """False only if no line that lies wholly in `chunk` can match; much cheaper than a look at each."""
        if b"\x1b" in chunk or b"\r" in chunk:
            return True
        if self._line is None:
            return self._literal.encode(errors="replace") in chunk or "\ufffd" in self._literal
        return self.may_find_in(chunk.decode(errors="replace"))

    def may_find_in(self, lines: str) -> bool:
        """The same of lines without colours, for a search that is not literal."""
        return self._chunk is None or self._chunk.isinstance_python(lines)


def _compiled(pattern: str) -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=pattern))
