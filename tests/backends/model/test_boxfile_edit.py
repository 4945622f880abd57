"""The client id comes into box.toml and out of it again, and nothing else changes."""

from __future__ import annotations

import pytest

from backends.model.boxfile import BoxFile
from backends.model.boxfile_edit import set_oauth_client
from backends.model.errors import HeroError
from backends.model.tomlfile import InvalidFile, parse

HEAD = 'schema = 1  # of the file\nname = "box"\ncreated = 2026-11-21T10:00:00Z\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '\n[web]\noauth_client = "c"\n'),
        ("# last\n", '# last\n\n[web]\noauth_client = "c"\n'),
        ("[web]\n", '[web]\noauth_client = "c"\n'),
        ("[web]  # mine\ntabs   = 3\n\n[host]\n", '[web]  # mine\ntabs   = 3\noauth_client = "c"\n\n[host]\n'),
        ("[web]\n  oauth_client = 'old'  # why\n", '[web]\n  oauth_client = "c"  # why\n'),
        ('web.oauth_client = "old"\n', 'web.oauth_client = "c"\n'),
        ("[web]\ntabs = 3", '[web]\ntabs = 3\noauth_client = "c"\n'),
    ],
)
def test_only_the_id_is_written(before: str, after: str) -> None:
    assert set_oauth_client(HEAD + before, "c", "box.toml") == HEAD + after


def test_lines_end_as_the_others_do() -> None:
    text = f"{HEAD}[web]\ntabs = 3\n".replace("\n", "\r\n")
    assert set_oauth_client(text, "c", "box.toml") == f'{text}oauth_client = "c"\r\n'


@pytest.mark.parametrize("client", ["c", '"\\', "\x7e!#="])
def test_any_id_that_a_forge_may_give_is_read_back(client: str) -> None:
    text = set_oauth_client(HEAD, client, "box.toml")
    assert parse(BoxFile, text, "box.toml").web.oauth_client == client
    assert set_oauth_client(text, client, "box.toml") is text


def test_taken_out_the_rest_stays() -> None:
    text = HEAD + '[web]\n# why\noauth_client = "c"\ntabs = 3\n'
    assert set_oauth_client(text, "", "box.toml") == HEAD + "[web]\n# why\ntabs = 3\n"
    assert set_oauth_client(HEAD, "", "box.toml") is HEAD


@pytest.mark.parametrize("line", ["web = { tabs = 3 }\n", "web.tabs = 3\n"])
def test_a_form_that_cannot_be_kept_is_left_alone(line: str) -> None:
    with pytest.raises(HeroError, match="left as it is"):
        set_oauth_client(HEAD + line, "c", "box.toml")


def test_a_file_that_does_not_hold_is_not_edited() -> None:
    with pytest.raises(InvalidFile):
        set_oauth_client(f"{HEAD}[web]\ntabs = 0\n", "c", "box.toml")
