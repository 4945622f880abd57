"""Fuzzy search: does a query match a text, how well, and where; pure."""

from __future__ import annotations

from dataclasses import dataclass

_START = 12
_BOUNDARY = 10
_CAMEL = 8
_RUN = 6
_HIT = 4
_GAP = 3
_SKIP_LIMIT = 12
_EDGES = frozenset(" _-./:@#")


@dataclass(frozen=True, slots=True)
class Match:
    """How well a text matches (higher is better) and the spans of characters that did."""

    score: int
    spans: tuple[tuple[int, int], ...]


def match(query: str, text: str) -> Match | None:
    """Each word of `query` must be in `text` as a subsequence; an empty query matches everything with 0.

    Starts of words, and characters that follow each other, count more. Capitals match only themselves.
    """
    words = query.split()
    if not words:
        return Match(0, ())
    folded = _fold(text)
    score, places = 0, set()
    for word in words:
        found = _match_word(word, text if word != _fold(word) else folded, text)
        if found is None:
            return None
        score += found[0]
        places.update(found[1])
    return Match(score - min(len(text), 60) // 8, _spans(sorted(places)))


def _fold(text: str) -> str:
    """Lower case, character by character, so that places in it are places in `text`."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


def _match_word(word: str, haystack: str, text: str) -> tuple[int, list[int]] | None:
    """The best of: the word in one piece at the best place, or its tightest subsequence."""
    places = _tightest(word, haystack)
    if places is None:
        return None
    best = _score(places, text), places
    start = haystack.find(word)
    for _ in range(8):
        if start < 0:
            break
        piece = list(range(start, start + len(word)))
        best = max(best, (_score(piece, text), piece), key=lambda pair: pair[0])
        start = haystack.find(word, start + 1)
    initials = _initials(word, haystack, text)
    if initials is not None:
        best = max(best, (_score(initials, text), initials), key=lambda pair: pair[0])
    return best


def _tightest(word: str, haystack: str) -> list[int] | None:
    """The first subsequence going forward, tightened by going back from its end."""
    end = -1
    for character in word:
        end = haystack.find(character, end + 1)
        if end < 0:
            return None
    places = []
    place = end + 1
    for character in reversed(word):
        place = haystack.rfind(character, 0, place)
        places.append(place)
    return places[::-1]


def _initials(word: str, haystack: str, text: str) -> list[int] | None:
    """The word on starts of words alone (`dm` on `development_mik`), if it is all there."""
    places, place = [], 0
    for character in word:
        while place < len(haystack) and not (haystack[place] == character and _bonus(text, place)):
            place += 1
        if place == len(haystack):
            return None
        places.append(place)
        place += 1
    return places


def _bonus(text: str, place: int) -> int:
    """What it is worth to match at this place: the start of the text, of a word, of a camelCase part."""
    if place == 0:
        return _START
    before, here = text[place - 1], text[place]
    if before in _EDGES:
        return _BOUNDARY
    if (before.islower() and here.isupper()) or (not before.isdigit() and here.isdigit()):
        return _CAMEL
    return 0


def _score(places: list[int], text: str) -> int:
    """Each hit counts; in a run every character counts like the run's start; a gap costs by its length."""
    score, run = 0, 0
    before = -1
    for place in places:
        if before >= 0 and place == before + 1:
            run = max(run, _RUN)
            score += _HIT + max(run, _bonus(text, place))
        else:
            run = _bonus(text, place)
            score += _HIT + run
            if before >= 0:
                score -= _GAP + min(place - before - 1, _SKIP_LIMIT)
        before = place
    return score


def _spans(places: list[int]) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    for place in places:
        if spans and spans[-1][1] == place:
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
    return tuple(spans)
