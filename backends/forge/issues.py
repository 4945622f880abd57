"""Issues of a repository and what is said on them; a comment of ours is known by a mark that no reader sees."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from backends.model.errors import HeroError
from backends.model.text import safe_line, safe_text

TEXT_LIMIT = 100_000
"""Most characters of an issue's body or of a comment that are read."""
COMMENT_LIMIT = 60_000
"""Most characters of a comment that is written; forges' databases take 65535 bytes at least."""
NEWEST_LIMIT = 200
"""Most comments that are given at once."""
NUMBER_LIMIT = 1_000_000_000

_BEGIN = "<!-- hero:"
_MARK = re.compile(r"<!-- hero:([a-z0-9-]{1,64}) -->")
_KEY = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue. Every text came from outside: it is safe to show, and says whatever its writer wanted.

    `url` is its page, "" where the forge has none.
    """

    repo: str
    number: int
    title: str
    body: str
    state: Literal["open", "closed"]
    author: str
    labels: tuple[str, ...]
    url: str
    comments_count: int


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; its texts are as an issue's. `key` is what it was written under, "" where we did not write it."""

    id: str
    author: str
    body: str
    created_at: datetime
    url: str
    key: str = ""


def check_number(number: int) -> int:
    """`number` if an issue may have it. Raises HeroError usage."""
    if not 1 <= number <= NUMBER_LIMIT:
        raise HeroError("usage", f"There is no issue {number}.", hint="Issues are numbered from 1.")
    return number


def check_newest(newest: int) -> int:
    """`newest` if so many comments may be asked for. Raises HeroError usage."""
    if not 1 <= newest <= NEWEST_LIMIT:
        raise HeroError("usage", f"{newest} comments cannot be asked for.", hint=f"At most {NEWEST_LIMIT} can.")
    return newest


def marked(text: str, key: str) -> str:
    """`text` as it is written under `key`. Raises HeroError usage for an empty text or a key that cannot be."""
    if not _KEY.fullmatch(key):
        raise HeroError(
            "usage", f"{safe_line(key, 100)!r} is no key of a comment.", hint="1 to 64 of a-z, 0-9, -."
        )
    if not text.strip():
        raise HeroError("usage", "A comment without a text cannot be written.")
    return f"{shortened(text, COMMENT_LIMIT)}\n\n<!-- hero:{key} -->"


def unmarked(text: str) -> tuple[str, str]:
    """The text of a comment as it is read, safe and shortened, and the key that it was written under ("" none)."""
    # Searched by hand: a pattern that begins with any number of spaces is slow on a text that is nothing else.
    whole = text.rstrip()
    start = whole.rfind(_BEGIN)
    found = _MARK.fullmatch(whole, start) if start >= 0 else None
    return (shortened(whole[:start].rstrip()), found[1]) if found else (shortened(text), "")


def shortened(text: str, limit: int = TEXT_LIMIT) -> str:
    """`text`, safe to show, of at most `limit` characters; what was cut is told by an ellipsis."""
    safe = safe_text(text[:limit].encode(errors="replace").decode())
    return safe if len(text) <= limit else f"{safe[: limit - 1]}…"


def absent(repo: str, number: int) -> HeroError:
    """The error for an issue that is not there."""
    return HeroError(
        "not_found",
        f"{repo} has no issue {number}.",
        hint="Is it another repository's? Are issues switched on in this one?",
    )
