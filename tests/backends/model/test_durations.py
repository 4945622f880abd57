"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from backends.model.durations import LARGEST, LONGEST, Bytes, Seconds, parse_bytes, parse_seconds
from backends.model.names import BadValue

UNITS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("30m", 1800), ("1h30m", 5400), ("500ms", 0.5), ("1.5s", 1.5), ("2d", 172800), ("0s", 0)],
)
def test_usual_durations(text: str, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "10", "s", "10 s", "-1s", "1m1h", "1s1s", "1e3s", "1.5h", "nan", "٣s", "9999d", "10s\n", "1S"]
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadValue, match="duration"):
        parse_seconds(text)


@given(st.fixed_dictionaries({}, optional={unit: st.integers(0, 99) for unit in UNITS}))
def test_a_duration_is_the_sum_of_its_parts(parts: dict[str, int]) -> None:
    text = "".join(f"{parts[unit]}{unit}" for unit in UNITS if unit in parts)
    if text:
        assert parse_seconds(text) == pytest.approx(sum(n * UNITS[unit] for unit, n in parts.items()))


@given(st.text("0123456789dhms.", max_size=12))
def test_a_duration_is_refused_or_between_zero_and_a_year(text: str) -> None:
    try:
        seconds = parse_seconds(text)
    except BadValue:
        return
    assert 0 <= seconds <= LONGEST


@given(st.integers(1, 1023), st.sampled_from(["", "K", "M", "G", "T"]))
def test_sizes_are_powers_of_1024(number: int, unit: str) -> None:
    assert parse_bytes(f"{number}{unit}") == number * 1024 ** ["", "K", "M", "G", "T"].index(unit)


@pytest.mark.parametrize("text", ["", "G", "0", "2g", "1.5G", "2GB", "-1", "2 G", "1025T", "2G\n"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(BadValue, match="size"):
        parse_bytes(text)


class Both(BaseModel, strict=True):
    time: Seconds = 1.0
    size: Bytes = 1


def test_fields_take_texts_and_in_code_numbers() -> None:
    assert Both.model_validate({"time": "1m", "size": "1K"}) == Both(time=60, size=1024)


@pytest.mark.parametrize(
    "data",
    [
        {"time": True},
        {"time": -1},
        {"time": float("nan")},
        {"time": float("inf")},
        {"time": [1]},
        {"time": None},
        {"size": True},
        {"size": 0},
        {"size": 1.5},
        {"size": LARGEST + 1},
        {"size": {}},
    ],
)
def test_fields_refuse_everything_else(data: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Both.model_validate(data)
