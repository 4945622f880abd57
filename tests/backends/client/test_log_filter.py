"""What may be typed after `/`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.client.log_filter import parse_filter


@pytest.mark.parametrize(
    ("typed", "line", "kept"),
    [
        ("error", "An ERROR here", True),
        ("ERROR", "an error here", False),
        ("a.c", "abc", False),
        ("~a.c", "abc", True),
        ("!error", "fine", True),
        ("! error", "an error", False),
        ("!~^GET", "GET /", False),
        ("~items/\\d+$", "GET /items/42", True),
    ],
)
def test_filters_keep_what_they_say(typed: str, line: str, kept: bool) -> None:
    matcher = parse_filter(typed)
    assert matcher is not None
    assert matcher.keeps(line) is kept


@pytest.mark.parametrize("typed", ["", "  ", "!", "!~", "~"])
def test_an_empty_filter_is_none(typed: str) -> None:
    assert parse_filter(typed) is None


@pytest.mark.parametrize("typed", ["~(", "~[a", "~*a", "~(?P<x", "~a{9999999999}"])
def test_a_wrong_regex_is_a_sentence_not_a_traceback(typed: str) -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        parse_filter(typed)


@pytest.mark.parametrize("typed", ["~(a+)+$", "~(a*)*b", "~(x+x+)+y", "~(\\w+\\s?)*$", "~(a{2,})+$"])
def test_a_regex_that_may_never_end_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="may never end"):
        parse_filter(typed)


def test_spans_are_where_the_line_matches() -> None:
    matcher = parse_filter("an")
    assert matcher is not None
    assert matcher.spans("Banana") == [(1, 3), (3, 5)]
    inverse = parse_filter("!an")
    assert inverse is not None
    assert inverse.spans("Banana") == []


@given(st.text(max_size=20), st.text(max_size=40))
def test_no_typed_text_breaks_the_filter(typed: str, line: str) -> None:
    try:
        matcher = parse_filter(typed)
    except ValueError:
        return
    if matcher is not None:
        matcher.keeps(line)
        spans = matcher.spans(line)
        assert all(0 <= start < stop <= len(line) for start, stop in spans)
