"""Signatures: found among the headers, taken only whole, compared with every secret that holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.box.edge.signature import BARE, PREFIXED, BadSignature, claimed_signature, is_signed, sign

SIGNATURE = sign("secret", b"body")
HEADERS = st.sampled_from([*BARE, PREFIXED, "x-hub-signature", "x-other"])


@pytest.mark.parametrize("name", BARE)
def test_a_bare_signature_is_found(name: str) -> None:
    assert claimed_signature({name: SIGNATURE}) == SIGNATURE


def test_a_prefixed_signature_is_found() -> None:
    assert claimed_signature({PREFIXED: f"sha256={SIGNATURE}"}) == SIGNATURE


def test_all_signatures_together_are_one() -> None:
    assert claimed_signature({PREFIXED: f"sha256={SIGNATURE}"} | dict.fromkeys(BARE, SIGNATURE)) == SIGNATURE


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-hub-signature": "sha1=" + "0" * 40},
        {BARE[0]: ""},
        {PREFIXED: "sha256="},
        {PREFIXED: SIGNATURE},
        {PREFIXED: f"SHA256={SIGNATURE}"},
        {BARE[0]: f"sha256={SIGNATURE}"},
        {BARE[0]: SIGNATURE.upper()},
        {BARE[0]: SIGNATURE[:-1]},
        {BARE[0]: SIGNATURE + "0"},
        {BARE[0]: f" {SIGNATURE}"},
        {BARE[0]: f"{SIGNATURE}\n"},
        {BARE[0]: f"{SIGNATURE}, {SIGNATURE}"},
        {BARE[0]: SIGNATURE, BARE[1]: ""},
        {BARE[0]: SIGNATURE, BARE[1]: "0" * 64},
        {BARE[0]: SIGNATURE, PREFIXED: "sha256=" + "0" * 64},
        {BARE[0]: "\u0661" * 64},
    ],
)
def test_a_missing_empty_malformed_or_contradicting_signature_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        claimed_signature(headers)


@given(st.dictionaries(HEADERS, st.one_of(st.text(), st.just(SIGNATURE), st.just(f"sha256={SIGNATURE}"))))
def test_whatever_headers_say_the_answer_is_64_hex_digits_or_a_refusal(headers: dict[str, str]) -> None:
    try:
        found = claimed_signature(headers)
    except BadSignature:
        return
    assert len(found) == 64
    assert set(found) <= set("0123456789abcdef")


@given(st.text(min_size=1), st.binary())
def test_what_was_signed_with_a_secret_is_signed_with_it(secret: str, content: bytes) -> None:
    assert is_signed(sign(secret, content), content, ["another", secret])


@given(st.binary(), st.binary())
def test_a_signature_holds_for_its_bytes_alone(content: bytes, other: bytes) -> None:
    assert is_signed(sign("secret", content), other, ["secret"]) == (content == other)


@given(st.text(), st.binary())
def test_no_other_text_is_a_signature(claim: str, content: bytes) -> None:
    assert not is_signed(claim, content, ["secret"])


def test_nothing_is_signed_where_no_secret_holds() -> None:
    assert not is_signed(SIGNATURE, b"body", [])
