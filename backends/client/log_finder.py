"""Which lines in a piece of a file are wanted: a look at the whole piece, then, where need be, at each line."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Protocol

from backends.client.log_filter import Matcher
from backends.client.log_segment import FOLD
from backends.model.log_text import Search
from backends.model.text import safe_text

_GROUP = 64
"""Lines that are looked at together first."""
_BORDERS = re.compile(r"\^|\$|\\[AbBZ]|\(\?[=!<]")
"""What of a pattern asks where a line begins or ends, or what is beside a match."""
_COLOUR = re.compile(rb"\x1b\[[0-9;:]*m")
_COLOUR_TEXT = re.compile(r"\x1b\[[0-9;:]*m")


class Finder(Protocol):
    """Tells which lines are wanted. `data` is made of whole lines and begins at offset `base` of its file.

    `picks` is False for one that wants something of every file.
    """

    picks: bool

    def hits(self, data: bytes, base: int) -> list[int]:
        """Where in `data` the wanted lines begin."""

    def count(self, data: bytes, base: int) -> int:
        """How many there are."""

    def may_hit(self, data: bytes) -> bool:
        """False only if no line that lies wholly in `data` is wanted; much cheaper than to count."""


def beginnings(data: bytes, base: int) -> list[int]:
    """Where in `data` lines begin."""
    starts = [0, *accumulate(map(_with_newline, data.split(b"\n")))]
    starts.pop()
    if starts[-1] == len(data):
        starts.pop()
    folds = _folds(data, base)
    return sorted({*starts, *folds}) if folds else starts


def _with_newline(line: bytes) -> int:
    return len(line) + 1


def _folds(data: bytes, base: int) -> list[int]:
    """Where in `data` a line begins because the one before it was too long."""
    first = -base % FOLD + FOLD
    return [place for place in range(first, len(data), FOLD) if data.find(b"\n", place - FOLD, place) < 0]


class EveryLine:
    """Wants all lines."""

    picks = False

    def hits(self, data: bytes, base: int) -> list[int]:
        """See `Finder`."""
        return beginnings(data, base)

    def count(self, data: bytes, base: int) -> int:
        """See `Finder`."""
        return data.count(b"\n") + (not data.endswith(b"\n")) + len(_folds(data, base)) if data else 0

    def may_hit(self, data: bytes) -> bool:
        """See `Finder`."""
        return bool(data)


class LineTest:
    """Whether lines match a filter, whatever its sign; many at once cost less than one after the other."""

    def __init__(self, matcher: Matcher) -> None:
        self._search = matcher.pattern.search
        self.quick = _quick_look(matcher)
        self.minds_borders = _BORDERS.search(matcher.pattern.pattern) is not None

    def matching(self, texts: Sequence[str]) -> list[bool]:
        """For each line, which has neither colours nor an end, whether it matches."""
        search, quick, found = self._search, self.quick, list[bool]()
        if quick is None:
            return [search(text) is not None for text in texts]
        for start in range(0, len(texts), _GROUP):
            group = texts[start : start + _GROUP]
            if quick("\n".join(group)):
                found += [quick(text) and search(text) is not None for text in group]
            else:
                found += [False] * len(group)
        return found


class MatchingLines:
    """Wants the lines that `matcher` keeps."""

    def __init__(self, matcher: Matcher) -> None:
        self._test = LineTest(matcher)
        self._inverse = matcher.inverse
        self.picks = not matcher.inverse

    def hits(self, data: bytes, base: int) -> list[int]:
        """See `Finder`."""
        if not data or not self.may_hit(data):
            return []
        starts = beginnings(data, base)
        matching = self._test.matching(_texts(data, starts))
        return [begin for begin, match in zip(starts, matching, strict=True) if match is not self._inverse]

    def count(self, data: bytes, base: int) -> int:
        """See `Finder`."""
        every = EveryLine().count(data, base) if self._inverse else 0
        if not self._may_match(data):
            return every
        if b"\x1b" in data or b"\r" in data or _folds(data, base):
            return len(self.hits(data, base))
        lines = data.removesuffix(b"\n").decode(errors="replace").split("\n")
        matching = sum(self._test.matching(lines))
        return every - matching if self._inverse else matching

    def may_hit(self, data: bytes) -> bool:
        """See `Finder`."""
        return self._inverse or self._may_match(data)

    def _may_match(self, data: bytes) -> bool:
        if self._test.quick is None or (self._test.minds_borders and _may_fold(data)):
            return True
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
            if b"\r" in data:  # what it has overwritten may match, or hide a match
                return True
        if b"\x1b" in data:
            data = _COLOUR.sub(b"", data)
        text = data.decode(errors="replace")
        if "\x1b" in text:  # what is not seen of other escapes may stand within a match
            text = "\n".join(safe_text(line) if "\x1b" in line else line for line in text.split("\n"))
        return self._test.quick(text)


def _may_fold(data: bytes) -> bool:
    """Whether a line in it may be too long for one, wherever it begins in its file."""
    half = FOLD // 2
    return any(data.find(b"\n", place, place + half) < 0 for place in range(0, len(data) - half + 1, half))


def _texts(data: bytes, starts: list[int]) -> list[str]:
    """The lines as they are searched: without colours and what carriage returns have overwritten."""
    ends = [*starts[1:], len(data)]
    texts = [
        data[begin:end].decode(errors="replace").rstrip("\n") for begin, end in zip(starts, ends, strict=True)
    ]
    if b"\x1b" in data or b"\r" in data:  # each line by itself: what its neighbours are must not matter
        return [_uncovered(text) if "\x1b" in text or "\r" in text else text for text in texts]
    return texts


def _uncovered(text: str) -> str:
    """What is seen of a line, all of it: a person may have come to its end by wrapping it."""
    return "".join(map(safe_text, _COLOUR_TEXT.split(text.rstrip("\r").rpartition("\r")[2])))


def _quick_look(matcher: Matcher) -> Callable[[str], bool] | None:
    """Tells whether there can be a match in lines without escapes; None where only a look at each line does.

    pydantic's engine finds a few words at gigabytes a second, several times as quickly as `in` or `re`. What it
    does not understand, `re` looks for in each line.
    """
    pattern = matcher.pattern.pattern
    search = Search(pattern if matcher.exact else f"(?i:{pattern})", plain=False)
    return None if search.literal else search.may_find_in
