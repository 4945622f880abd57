"""`[router]` of box.toml: an address that a person can open, and nothing that leads elsewhere."""

from __future__ import annotations

import pytest

from backends.model.boxfile import BoxFile
from backends.model.tomlfile import InvalidFile, parse

HEAD = 'schema = 1\nname = "dev"\ncreated = 2026-11-21T10:00:00Z\n'


def address(url: str) -> str:
    return parse(BoxFile, f'{HEAD}[router]\nurl = "{url}"\n', "box.toml").router.url


@pytest.mark.parametrize("url", ["", "https://box.example", "http://127.0.0.1:8080", "http://[::1]:80"])
def test_an_address_of_a_host_is_taken(url: str) -> None:
    assert address(url) == url


def test_the_last_slash_goes_and_no_table_means_no_router() -> None:
    assert address("https://box.example/") == "https://box.example"
    assert parse(BoxFile, HEAD, "box.toml").router.url == ""


@pytest.mark.parametrize(
    "url",
    [
        *("box.example", "//box", "ftp://box", "javascript:alert(1)", "https://", "https://b ox"),
        *("https://box/x", "https://box?x", "https://box/#x", "https://box:99999", "https://box:0"),
    ],
)
def test_what_is_no_address_of_a_host_is_refused(url: str) -> None:
    with pytest.raises(InvalidFile):
        address(url)


def test_a_password_is_refused_and_not_shown() -> None:
    with pytest.raises(InvalidFile) as refused:
        address("https://me:s3cret@box.example")
    assert "s3cret" not in str(refused.value)
