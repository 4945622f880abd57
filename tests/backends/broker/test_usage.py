"""Tokens are counted in whatever parts an answer comes."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.broker.usage import Meter, Tokens
from tests.messages_api.replies import Reply, events_of, message_of

MESSAGE = message_of(Reply(text='it says "usage": 9', input_tokens=100, cached_tokens=20, output_tokens=7), "x", 1)
STREAM = b"".join(events_of(MESSAGE))


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_a_stream_is_counted_however_it_is_cut(cuts: list[int]) -> None:
    meter = Meter("text/event-stream; charset=utf-8")
    for start, end in pairwise([0, *sorted(cuts), len(STREAM)]):
        meter.see(STREAM[start:end])
    assert meter.tokens() == Tokens(120, 7)


def test_a_stream_that_breaks_off_counts_what_it_had() -> None:
    meter = Meter("text/event-stream")
    meter.see(STREAM[: STREAM.index(b"content_block_start")])
    assert meter.tokens() == Tokens(120, 1)


def test_a_whole_message_is_counted() -> None:
    meter = Meter("application/json")
    text = json.dumps(MESSAGE).encode()
    meter.see(text[:50])
    meter.see(text[50:])
    assert meter.tokens() == Tokens(120, 7)
    assert meter.tokens() == Tokens(120, 7)


@pytest.mark.parametrize(
    "text",
    [
        b'{"usage": 3}',
        b'{"usage": {"input_tokens": "7"}}',
        b'{"usage": {"output_tokens": -1, "input_tokens": true}}',
        b'{"message": 3}',
        b"[" * 5000,
        b"\xff\xfe",
        b"null",
    ],
)
def test_odd_answers_count_nothing(text: bytes) -> None:
    whole, streamed = Meter("application/json"), Meter("text/event-stream")
    whole.see(text)
    streamed.see(b"data: " + text + b'  "usage"\n\n')
    assert whole.tokens() == streamed.tokens() == Tokens()


@given(st.binary(max_size=500))
def test_no_answer_makes_it_fail(text: bytes) -> None:
    for kind in ("application/json", "text/event-stream", "text/html", ""):
        meter = Meter(kind)
        meter.see(text)
        meter.tokens()


def test_an_endless_line_is_not_held() -> None:
    meter = Meter("text/event-stream")
    for _ in range(100):
        meter.see(b"data: " + b"x" * 10_000)
    assert len(meter._held) < 300_000
    meter.see(b"\n" + STREAM)
    assert meter.tokens() == Tokens(120, 7)
