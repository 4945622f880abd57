"""What is filled into commands and environments, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from backends.model.names import BadValue
from backends.model.placeholders import check_placeholders, fill, secrets_named

SOCKETS = {"web": "/s/web.sock", "rpc": "/s/{home}.sock"}


def filled(text: str, **more: object) -> str:
    return fill(text, sockets=SOCKETS, home="/h", var="/v", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{socket:web}", "/s/web.sock"),
        ("--a={home}/x:{var}", "--a=/h/x:/v"),
        ("{{home}} {{}}", "{home} {}"),
        ("{{{home}}}", "{/h}"),
        ("{socket:rpc}", "/s/{home}.sock"),
        ("{port}", "80"),
        ("", ""),
        ("$HOME `x` ; rm", "$HOME `x` ; rm"),
    ],
)
def test_placeholders_are_filled_once(text: str, result: str) -> None:
    assert filled(text, port=80) == result


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "}",
        "{home",
        "home}",
        "{home}}",
        "{}",
        "{hom}",
        "{home:x}",
        "{socket}",
        "{socket:}",
        "{socket:db}",
        "{ home }",
        "{secret:}",
        "{secret:a b}",
        "{secret:X}",
        "{HOME}",
        "{var.__class__}",
        "{0}",
    ],
)
def test_anything_else_in_braces_is_an_error(text: str) -> None:
    with pytest.raises(BadValue):
        filled(text)


def test_an_unknown_placeholder_gets_the_nearest_one() -> None:
    with pytest.raises(BadValue, match=r"`\{home\}`"):
        filled("{hme}")


def test_an_undeclared_socket_lists_the_declared_ones() -> None:
    with pytest.raises(BadValue, match="`rpc`, `web`"):
        filled("{socket:db}")


def test_a_port_that_there_is_not_is_an_error() -> None:
    with pytest.raises(HeroError) as caught:
        filled("{port}")
    assert caught.value.code == "not_found"


def test_secrets_are_filled_only_where_they_are_given_and_never_shown() -> None:
    assert filled("{secret:K}-{home}", secrets={"K": "{home}"}) == "{home}-/h"
    with pytest.raises(HeroError) as caught:
        filled("{secret:MISSING}", secrets={"K": "s3cr3t"})
    assert caught.value.code == "not_found"
    assert "s3cr3t" not in str(caught.value)


def test_the_secrets_of_an_environment_are_named() -> None:
    assert secrets_named({"A": "{secret:X}:{secret:Y}", "B": "{{secret:Z}}", "C": "{home}"}) == {"X", "Y"}
    with pytest.raises(BadValue):
        secrets_named({"A": "{"})


@given(st.text("{}ahomesckt:wb ", max_size=30))
def test_what_passes_the_check_can_be_filled(text: str) -> None:
    try:
        check_placeholders(text, SOCKETS, secrets_allowed=False)
    except BadValue:
        with pytest.raises(BadValue):
            filled(text)
        return
    assert isinstance(filled(text, port=1), str)


@given(st.text(max_size=30))
def test_text_with_doubled_braces_comes_out_as_it_was(text: str) -> None:
    assert filled(text.replace("{", "{{").replace("}", "}}")) == text
