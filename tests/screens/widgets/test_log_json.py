"""JSON in a log line is spread over rows, and whatever is none is left alone."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.widgets.log_json import ROWS, spread

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def text_of(line: str) -> list[str] | None:
    rows = spread(line)
    return None if rows is None else ["".join(text for text, _ in row) for row in rows]


def test_an_object_has_a_row_for_each_key() -> None:
    assert text_of('{"a": 1, "b": [true]}') == ["{", '  "a": 1,', '  "b": [', "    true", "  ]", "}"]


def test_what_stands_before_the_object_stays_in_the_first_row() -> None:
    assert text_of('[INFO] 10:00 {"a": 1}') == ["[INFO] 10:00 {", '  "a": 1', "}"]


def test_brackets_before_the_object_do_not_hide_it() -> None:
    assert text_of('worker {7} [main] [{"a": 1}]') == ["worker {7} [main] [", "  {", '    "a": 1', "  }", "]"]


@pytest.mark.parametrize("value", ["12345678901234567890.5", "1e999", "0.10", "-0", "1E5", "NaN"])
def test_numbers_are_shown_as_they_were_written(value: str) -> None:
    assert text_of(f'{{"n":{value}, "n" : 2}}') == ["{", f'  "n": {value},', '  "n": 2', "}"]


def test_empty_ones_inside_stay_in_their_row_and_escapes_of_letters_are_letters() -> None:
    assert text_of('{"a": [ ], "b":{}, "caf\\u00e9": "\\u001b\\ud800"}') == [
        "{",
        '  "a": [],',
        '  "b": {},',
        '  "café": "\\u001b\ud800"',
        "}",
    ]


@pytest.mark.parametrize("depth", [300, 900, 1500, 4000])
def test_any_depth_is_survived(depth: int) -> None:
    for line in ("[" * depth + "1" + "]" * depth, '{"a":' * depth + "1" + "}" * depth):
        rows = spread(line)
        assert rows is None or len(rows) == ROWS + 1


def test_each_kind_of_value_is_told_apart() -> None:
    rows = spread('{"key": "string", "n": -1.5e3, "w": null}')
    assert rows is not None
    kinds = {text: kind for row in rows for text, kind in row if text.strip()}
    assert (kinds['"key"'], kinds['"string"'], kinds["-1.5e3"], kinds["null"]) == (
        "key",
        "string",
        "number",
        "word",
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "plain",
        "}",
        "[INFO]",
        "{}",
        "[]",
        '{"a": 1',
        "{'a': 1}",
        "[" * 5000 + "]" * 5000,
        "{" + "9" * 9000 + "}",
    ],
)
def test_what_is_none_is_left_alone(line: str) -> None:
    assert spread(line) is None


def test_a_long_list_is_cut_and_says_so() -> None:
    rows = text_of(json.dumps(list(range(1000))))
    assert rows is not None
    assert len(rows) == ROWS + 1
    assert rows[-1] == "… 702 more rows"


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_nothing_is_lost_and_nothing_added(value: list[object]) -> None:
    rows = text_of(json.dumps(value))
    assert rows is not None
    if len(rows) <= ROWS:
        assert json.loads("\n".join(rows)) == value


@given(st.text())
def test_no_line_breaks_it(line: str) -> None:
    spread(line + "}")
