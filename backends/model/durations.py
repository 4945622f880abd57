"""Durations ("1h30m") and sizes ("2G") as people write them in files; parsing needs no pydantic."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from backends.model.names import BadValue

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

_UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(
    r"(?:(?P<d>[0-9]{1,9})d)?(?:(?P<h>[0-9]{1,9})h)?(?:(?P<m>[0-9]{1,9})m)?"
    r"(?:(?P<s>[0-9]{1,9}(?:\.[0-9]{1,9})?)s)?(?:(?P<ms>[0-9]{1,12})ms)?"
)
_SIZE = re.compile(r"([0-9]{1,15})([KMGT]?)")
_SIZE_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}

LONGEST = 366 * 86400.0
"""Longest duration, in seconds: a year. Timers of the standard library overflow on much more."""

LARGEST = 2**50
"""Largest size, in bytes: a pebibyte."""


def parse_seconds(text: str) -> float:
    """Seconds of a text like "10s", "30m", "1h30m", "500ms"; BadValue otherwise.

    Units d, h, m, s, ms: each at most once, in this order; only seconds may have a fraction.
    """
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise BadValue(text, 'a duration like "10s", "30m", "1h30m" or "500ms"')
    seconds = sum(float(match[unit]) * factor for unit, factor in _UNITS.items() if match[unit])
    if seconds > LONGEST:
        raise BadValue(text, "a duration of at most a year")
    return seconds


def parse_bytes(text: str) -> int:
    """Bytes of a text like "512M" or "2G" (K, M, G, T are powers of 1024; no unit: bytes); BadValue otherwise."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise BadValue(text, 'a size like "512M" or "2G"')
    size = int(match[1]) * _SIZE_UNITS[match[2]]
    if not 0 < size <= LARGEST:
        raise BadValue(text, "a size between 1 byte and 1024T")
    return size


def _seconds(value: object) -> float:
    if isinstance(value, str):
        return parse_seconds(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST:
        raise BadValue(value, 'a duration like "10s", "30m", "1h30m" or "500ms"')
    return float(value)


def _bytes(value: object) -> int:
    if isinstance(value, str):
        return parse_bytes(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST:
        raise BadValue(value, 'a size like "512M" or "2G"')
    return value


@dataclass(frozen=True)
class _Reads:
    """Tells pydantic to read a field through `read`; its import waits until a model asks."""

    read: Callable[[object], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(self.read, handler(source))


Seconds = Annotated[float, _Reads(_seconds)]
"""A field in seconds: a duration text in files, a plain number of seconds also in code."""

Bytes = Annotated[int, _Reads(_bytes)]
"""A field in bytes: a size text in files, a plain number of bytes also in code."""
