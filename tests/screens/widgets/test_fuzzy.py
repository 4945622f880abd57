"""Fuzzy search finds exactly the subsequences and ranks what a person means first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.widgets.fuzzy import Match, match

TEXT = st.text(alphabet="abcABC_-/ ıİß漢", max_size=24)
WORD = st.text(alphabet="abcABC_-/ß漢", min_size=1, max_size=5)


def is_subsequence(word: str, text: str) -> bool:
    letters = iter(text)
    return all(letter in letters for letter in word)


def found(query: str, text: str) -> Match:
    result = match(query, text)
    assert result is not None
    return result


@given(WORD, TEXT)
def test_a_lower_case_word_matches_exactly_the_texts_that_hold_it(word: str, text: str) -> None:
    word = word.lower()
    folded = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    assert (match(word, text) is not None) == is_subsequence(word, folded)


@given(WORD, TEXT)
def test_the_spans_spell_the_query(word: str, text: str) -> None:
    result = match(word, text)
    if result is not None:
        spelled = "".join(text[start:stop] for start, stop in result.spans)
        assert spelled.lower() == word.lower()
        assert all(start < stop for start, stop in result.spans)
        assert list(result.spans) == sorted(result.spans)


@given(TEXT)
def test_an_empty_query_matches_everything(text: str) -> None:
    assert match("", text) == match("  ", text) == Match(0, ())


@given(WORD, TEXT)
def test_a_longer_query_never_finds_more(word: str, text: str) -> None:
    if match(word, text) is None:
        assert match(word + "a", text) is None
        assert match(f"{word} b", text) is None


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("dev", "development", "wide_event"),
        ("dm", "development_mik", "admin"),
        ("mik", "development_mik", "minikube"),
        ("rout", "hero_router", "r_o_u_t"),
        ("slides", "hero_slides", "side_lines_desk"),
        ("mik", "mik", "development_mik"),
        ("fb", "fooBar", "fabric"),
        ("v2", "api-v2", "v12x2"),
    ],
)
def test_what_a_person_means_ranks_first(query: str, better: str, worse: str) -> None:
    other = match(query, worse)
    assert other is None or found(query, better).score > other.score


def test_words_may_come_in_any_order() -> None:
    assert match("mik dev", "development_mik") is not None
    assert match("mik xyz", "development_mik") is None


def test_capitals_match_only_themselves() -> None:
    assert match("Dev", "development") is None
    assert match("Dev", "Development") is not None


def test_initials_are_marked_where_the_words_start() -> None:
    assert found("dm", "development_mik").spans == ((0, 1), (12, 13))
