"""Every message survives its line, and no line from outside does more than raise a clear error."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import CODES, HeroError
from backends.rpc import wire
from backends.rpc.wire import Failure, Message, Notification, Request, Result, RpcError, decode, encode

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
params = st.dictionaries(st.text(), values, max_size=4)
ids = st.integers() | st.text()
plain = st.text(st.characters(categories=["L", "N", "P", "Zs"]))
messages = st.one_of(
    st.builds(Request, ids, st.text(), params),
    st.builds(Notification, st.text(), params),
    st.builds(Result, ids, values),
)


@given(messages)
def test_a_message_survives_its_line(message: Message) -> None:
    line = encode(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == message


@given(ids, st.sampled_from(sorted(CODES)), plain, plain, params)
def test_an_error_survives_its_line(id: wire.Id, code: str, message: str, hint: str, data: dict[str, Any]) -> None:
    found = decode(encode(Failure(id, HeroError(code, message, hint=hint, data=data))))
    assert isinstance(found, Failure)
    assert found.id == id
    error = found.error
    assert (error.code, error.message, error.hint, error.data) == (code, message, hint, data)


@given(st.binary())
def test_any_bytes_make_a_message_or_a_clear_error(line: bytes) -> None:
    with suppress(HeroError):
        decode(line)


@given(values)
def test_any_json_makes_a_message_or_a_clear_error(value: Any) -> None:
    with suppress(HeroError):
        decode(json.dumps(value).encode())


@given(st.fixed_dictionaries({"jsonrpc": st.just("2.0")}, optional={
    "id": values, "method": values, "params": values, "result": values, "error": values,
}))  # fmt: skip
def test_any_mixture_of_members_makes_a_message_or_a_clear_error(found: dict[str, Any]) -> None:
    with suppress(HeroError):
        decode(json.dumps(found).encode())


def refused(line: str | bytes) -> RpcError:
    with pytest.raises(RpcError) as caught:
        decode(line.encode() if isinstance(line, str) else line)
    return caught.value


@pytest.mark.parametrize(
    "line", [b"", b"garbage", b"{", b"\xff\xfe{}", b"{}{}", b'{"jsonrpc": "2.0", "id": NaN}', b"[" * 100_000]
)
def test_what_is_no_json_is_a_parse_error(line: bytes) -> None:
    assert refused(line).number == -32700


@pytest.mark.parametrize(
    "line",
    [
        "1",
        "null",
        '"text"',
        "{}",
        '{"id": 1, "method": "m"}',
        '{"jsonrpc": "1.0", "id": 1, "method": "m"}',
        '{"jsonrpc": "2.0", "id": 1}',
        '{"jsonrpc": "2.0", "id": 1, "method": 7}',
        '{"jsonrpc": "2.0", "id": null, "method": "m"}',
        '{"jsonrpc": "2.0", "id": 1.5, "method": "m"}',
        '{"jsonrpc": "2.0", "id": true, "method": "m"}',
        '{"jsonrpc": "2.0", "id": [], "method": "m"}',
    ],
)
def test_json_that_is_no_request_is_an_invalid_request(line: str) -> None:
    assert refused(line).number == -32600


def test_a_batch_is_refused_with_the_way_to_do_it() -> None:
    error = refused('[{"jsonrpc": "2.0", "id": 1, "method": "m"}]')
    assert error.number == -32600
    assert "one object a line" in error.hint


def test_parameters_by_position_are_refused_under_the_id_of_the_request() -> None:
    error = refused('{"jsonrpc": "2.0", "id": "x", "method": "m", "params": [1]}')
    assert (error.number, error.id) == (-32602, "x")


def test_absent_parameters_are_none_given() -> None:
    assert decode(b'{"jsonrpc": "2.0", "id": 1, "method": "m"}') == Request(1, "m", {})


@pytest.mark.parametrize(
    "line",
    [
        '{"jsonrpc": "2.0", "result": 1}',
        '{"jsonrpc": "2.0", "id": 1, "result": 1, "error": {}}',
        '{"id": 1, "result": 1}',
        '{"jsonrpc": "2.0", "id": 1, "error": "text"}',
        '{"jsonrpc": "2.0", "id": 1, "error": {"code": "x", "message": "m"}}',
        '{"jsonrpc": "2.0", "id": 1, "error": {"code": 1}}',
    ],
)
def test_a_bad_reply_is_never_taken_for_a_request(line: str) -> None:
    with pytest.raises(wire.BadReplyError):
        decode(line.encode())


def test_an_error_of_a_foreign_server_keeps_its_sentence() -> None:
    found = decode(b'{"jsonrpc": "2.0", "id": 1, "error": {"code": 4711, "message": "no"}}')
    assert isinstance(found, Failure)
    assert (found.error.code, found.error.message) == ("failed", "no")


def test_an_error_without_our_data_is_known_by_its_number() -> None:
    found = decode(b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32009, "message": "no", "data": 5}}')
    assert isinstance(found, Failure)
    assert found.error.code == "denied"


def test_one_of_jsonrpcs_own_errors_keeps_its_number() -> None:
    found = decode(encode(Failure(1, RpcError(wire.METHOD_NOT_FOUND, "no such"))))
    assert isinstance(found, Failure)
    assert isinstance(found.error, RpcError)
    assert found.error.number == -32601


def test_terminal_escapes_in_an_error_do_not_get_through() -> None:
    found = decode(encode(Failure(1, HeroError("failed", "a\x1b[31mb\x9b2J", hint="\x1b]0;t\x07h"))))
    assert isinstance(found, Failure)
    assert "\x1b" not in str(found.error)
    assert "\x9b" not in str(found.error)


@pytest.mark.parametrize("value", [object(), {1, 2}, math.nan, b"bytes"])
def test_what_json_cannot_say_is_an_internal_error(value: object) -> None:
    with pytest.raises(HeroError) as caught:
        encode(Result(1, value))
    assert caught.value.code == "internal"


def test_a_value_that_is_nested_too_deeply_is_an_internal_error() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(HeroError) as caught:
        encode(Result(1, value))
    assert caught.value.code == "internal"


def test_a_line_of_17_mib_is_not_sent() -> None:
    with pytest.raises(HeroError) as caught:
        encode(Result(1, "x" * (17 * 1024 * 1024)))
    assert "16,777,216" in caught.value.message


def test_an_error_whose_data_cannot_be_sent_is_sent_without() -> None:
    found = decode(wire.encode_failure(1, HeroError("busy", "wait", data={"x": object()})))
    assert isinstance(found, Failure)
    assert (found.error.code, found.error.message, found.error.data) == ("busy", "wait", {})


def test_a_file_name_that_is_no_utf8_arrives_as_it_left() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert decode(encode(Result(1, name))) == Result(1, name)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 41, "-" + "9" * 400])
def test_a_number_that_nobody_can_reckon_with_is_no_json_of_ours(number: str) -> None:
    assert refused(f'{{"jsonrpc": "2.0", "id": 1, "method": "m", "params": {{"a": {number}}}}}').number == -32700
