"""How long a key rests, whatever the API's headers hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.broker.cooling import DEFAULT_SECONDS, LONGEST_SECONDS, rest_of

NOW = 1_795_000_000.0
RESET = "anthropic-ratelimit-requests-reset"
NAMES = ("retry-after", "anthropic-ratelimit-unified-reset", RESET, "anthropic-ratelimit-requests-remaining")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, DEFAULT_SECONDS),
        ({"retry-after": "17"}, 17),
        ({"retry-after": "0"}, 1),
        ({"retry-after": "-5"}, DEFAULT_SECONDS),
        ({"retry-after": "soon"}, DEFAULT_SECONDS),
        ({"retry-after": "nan"}, DEFAULT_SECONDS),
        ({"retry-after": "inf"}, DEFAULT_SECONDS),
        ({"retry-after": "9" * 40}, LONGEST_SECONDS),
        ({"retry-after": "Wed, 18 Nov 2026 11:35:00 GMT"}, 1700),
        ({"anthropic-ratelimit-unified-reset": str(int(NOW) + 300)}, 300),
        ({"retry-after": "5", "anthropic-ratelimit-unified-reset": str(int(NOW) + 300)}, 5),
        ({RESET: "2026-11-18T11:11:40Z", "anthropic-ratelimit-requests-remaining": "0"}, 300),
        ({RESET: "2026-11-18T11:11:40Z", "anthropic-ratelimit-requests-remaining": "3"}, DEFAULT_SECONDS),
        ({RESET: "2001-01-01T00:00:00Z", "anthropic-ratelimit-requests-remaining": "0"}, 1),
    ],
)
def test_a_key_rests_as_long_as_the_api_says(headers: dict[str, str], seconds: float) -> None:
    assert rest_of(headers, NOW) == pytest.approx(seconds, abs=1)


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=40)))
def test_no_header_makes_it_fail_or_rest_for_ever(headers: dict[str, str]) -> None:
    assert 1.0 <= rest_of(headers, NOW) <= LONGEST_SECONDS
