"""Take the forge's token out of every text that came from outside, in whatever way it was written there."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from backends.model.errors import HeroError
from backends.model.text import safe_line, safe_text

MASK = "***"

_TOKEN = re.compile(r"[!-~]{1,1000}")
_LEAST_CORE = 6
"""Shortest piece of base64 that is certainly the token's."""
_PIECE = 12
"""Length from which a piece of the token is taken for it: the rest may have been cut off or eaten by an escape."""


def check_token(token: str) -> str:
    """`token` if a header can carry it; HeroError usage, which does not show it, otherwise."""
    if not _TOKEN.fullmatch(token):
        raise HeroError(
            "usage",
            "The forge's token holds a space, a line break or another character that no token has.",
            hint="Copy it again: one line, and nothing else in the file.",
        )
    return token


class Redactor:
    """Replaces the token in a text by `***`: plain, percent-encoded, and inside of base64 (as Basic sends it)."""

    def __init__(self, token: str) -> None:
        forms = [*_written(token), *_cores(token), *_pieces(token)] if token else []
        self._pattern = re.compile("|".join(forms), re.IGNORECASE) if forms else None

    def __call__(self, text: str) -> str:
        """`text` without the token."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def line(self, text: str, limit: int = 300) -> str:
        """One harmless line of `text` without the token.

        It is looked for before escapes are taken out, because they take a letter with them, and after, because
        they may stand in its middle.
        """
        clean = self(safe_text(self(text[: limit * 16])))
        return safe_line(clean.replace("\n", " ").replace("\t", " "), limit)


def _written(token: str) -> Iterator[str]:
    """Patterns of the token where any of its characters may be percent-encoded, once or several times over."""
    yield "".join(rf"(?:{re.escape(letter)}|%(?:25)*{ord(letter):02x})" for letter in token)


def _pieces(token: str) -> Iterator[str]:
    for whole in (token, *_inside_base64(token)):
        yield from (re.escape(whole[start : start + _PIECE]) for start in range(len(whole) - _PIECE + 1))


def _cores(token: str) -> Iterator[str]:
    for core in _inside_base64(token):
        if len(core) >= _LEAST_CORE:
            yield re.escape(core).replace(r"\+", "[+-]").replace("/", "[/_]")


def _inside_base64(token: str) -> Iterator[str]:
    """What the token looks like inside of base64, whatever stands before and after it there."""
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + token.encode()).decode().rstrip("=")
        # The first letters hold bits of what stands before; the last one may hold bits of what follows.
        core = whole[(before * 8 + 5) // 6 :]
        if (before + len(token)) % 3:
            core = core[:-1]
        yield core
