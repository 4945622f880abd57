"""What of a request and of its answer passes the relay."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.broker.headers import credential_in, for_api, for_caller, is_relayed
from backends.broker.store import OrgKey

KEY = OrgKey("ORG_CLAUDE_KEY_1", "sk-ant-api03-key", "0", datetime(2026, 1, 1, tzinfo=UTC), "", 1)
TOKEN = OrgKey("ORG_CLAUDE_KEY_1", "sk-ant-oat01-token", "0", datetime(2026, 1, 1, tzinfo=UTC), "", 1)
PASS = b"hero-pass-xyz"

names = st.sampled_from(
    [b"x-api-key", b"authorization", b"cookie", b"connection", b"te", b"anthropic-beta", b"x-thing", b"host"]
)
values = st.one_of(
    st.binary(max_size=30), st.just(PASS), st.just(b"Bearer " + PASS), st.just(b"x-thing, keep-alive")
)
headers = st.lists(st.tuples(names, values))


@given(headers, st.sampled_from([KEY, TOKEN]))
def test_exactly_one_credential_goes_to_the_api_and_it_is_the_key(
    sent: list[tuple[bytes, bytes]], key: OrgKey
) -> None:
    found = for_api(sent, key)
    credentials = [(name, value) for name, value in found if name in (b"x-api-key", b"authorization")]
    wanted = (b"authorization", b"Bearer sk-ant-oat01-token") if key.oauth else (b"x-api-key", b"sk-ant-api03-key")
    assert credentials == [wanted]
    left = {name for name, _ in found}
    assert not left & {b"cookie", b"connection", b"te", b"host", b"content-length"}
    if any(name == b"connection" and b"x-thing" in value for name, value in sent):
        assert b"x-thing" not in left


@given(headers)
def test_no_header_makes_the_search_for_a_pass_fail(sent: list[tuple[bytes, bytes]]) -> None:
    assert isinstance(credential_in(sent), str)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ([(b"x-api-key", b" hero ")], "hero"),
        ([(b"authorization", b"Bearer hero")], "hero"),
        ([(b"authorization", b"bearer  hero")], "hero"),
        ([(b"authorization", b"Basic hero")], ""),
        ([(b"x-api-key", b""), (b"authorization", b"Bearer hero")], "hero"),
        ([], ""),
    ],
)
def test_a_pass_is_found_in_either_header(sent: list[tuple[bytes, bytes]], found: str) -> None:
    assert credential_in(sent) == found


def test_an_answer_loses_what_is_between_neighbours_and_what_would_be_kept() -> None:
    sent = [
        (b"Content-Type", b"text/event-stream"),
        (b"Set-Cookie", b"a=b"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Connection", b"close, X-Own"),
        (b"X-Own", b"1"),
        (b"Retry-After", b"3"),
    ]
    assert for_caller(sent) == [(b"content-type", b"text/event-stream"), (b"retry-after", b"3")]


@given(st.binary(max_size=40))
def test_no_path_leads_out_of_v1(path: bytes) -> None:
    if is_relayed(b"/v1/" + path):
        assert b".." not in path.split(b"/")
        assert not set(path) & set(b"\\%?# \r\n\0")


@pytest.mark.parametrize("path", [b"/v1/messages", b"/v1/messages/count_tokens", b"/v1/models/claude-opus-5.5"])
def test_paths_of_the_api_are_relayed(path: bytes) -> None:
    assert is_relayed(path)
