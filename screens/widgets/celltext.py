"""Text from outside cut to an exact number of terminal cells, harmless and aligned."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

from backends.model.text import safe_line

# Terminals disagree about the width of what these do to their neighbours: joiners, emoji selectors.
_UNSTEADY = re.compile("[\u034f\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_REPLACED = {"Zs": " ", "Co": None, "Cf": "", "Zl": " ", "Zp": " "}


@lru_cache(maxsize=8192)
def clean(text: str, limit: int = 400) -> str:
    """One harmless line of at most `limit` characters whose width every terminal agrees on."""
    flat = safe_line(text, limit)
    if flat.isascii() and flat.isprintable():
        return flat
    steady = unicodedata.normalize("NFC", _UNSTEADY.sub("", flat))
    if not steady.isprintable():
        steady = "".join(map(_printable, steady))
    # A combining mark with nothing before it would land on the neighbouring cell's last character.
    return f" {steady}" if steady and cell_len(steady[0]) == 0 else steady


def _printable(character: str) -> str:
    """The character itself, a space for other spaces, nothing for invisible ones, else the mark for unreadable."""
    if character.isprintable():
        return character
    replaced = _REPLACED.get(unicodedata.category(character), "\ufffd")
    return character if replaced is None else replaced


@lru_cache(maxsize=8192)
def fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells: padded with spaces, or cut with an ellipsis at the end."""
    if width <= 0:
        return ""
    safe = clean(text)
    if cell_len(safe) > width:
        return set_cell_size(safe, width - 1) + "…"
    return set_cell_size(safe, width)


@lru_cache(maxsize=8192)
def fit_middle(text: str, width: int) -> str:
    """`text` in exactly `width` cells, cut in the middle: the ends of branch names tell them apart."""
    safe = clean(text)
    if width < 5 or cell_len(safe) <= width:
        return fit(text, width)
    tail_width = (width - 1) // 2
    tail = ""
    for character in reversed(safe):
        if cell_len(character + tail) > tail_width:
            break
        tail = character + tail
    return set_cell_size(safe, width - 1 - cell_len(tail)) + "…" + tail


def fit_right(text: str, width: int) -> str:
    """`text` right-aligned in exactly `width` cells."""
    safe = clean(text)
    missing = width - cell_len(safe)
    return " " * missing + safe if missing > 0 else fit(text, width)


@lru_cache(maxsize=8192)
def short_branch(branch: str, width: int) -> str:
    """A branch name for a narrow cell: `development_mik` becomes `dev_mik`, `…mik`, `mik`, before more is cut."""
    safe = clean(branch)
    start, mark, owner = safe.partition("_")
    if cell_len(safe) <= width or start != "development":
        return fit_middle(safe, width)
    if cell_len(owner) + 4 <= width or not mark:
        return fit_middle(f"dev{mark}{owner}", width)
    return fit(owner if cell_len(owner) == width else f"…{owner}", width)


def first_of(lines: Sequence[str], most: int = 8) -> list[str]:
    """The first of many lines, and how many more there are: what a question names."""
    more = len(lines) - most
    return list(lines) if more <= 0 else [*lines[:most], f"and {more} more"]


def coarse_age(seconds: float) -> str:
    """An age of at most three characters (`now`, `12m`, `3h`, `5d`, `8w`, `2y`), so that it seldom changes."""
    if seconds < 60:
        return "now"
    for limit, size, unit in ((3600, 60, "m"), (172800, 3600, "h"), (1209600, 86400, "d")):
        if seconds < limit:
            return f"{int(seconds // size)}{unit}"
    weeks = int(seconds // 604800)
    return f"{weeks}w" if weeks < 100 else f"{min(99, weeks // 52)}y"


def byte_count(count: float) -> str:
    """Bytes for people: `12 B`, `3.4 MB`; decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Elapsed time for people: `4s`, `2m05s`, `1h12m`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    return f"{whole // 3600}h{whole // 60 % 60:02d}m"
