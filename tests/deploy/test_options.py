"""What the bootstrap takes and refuses on its command line, and that it shows no secret."""

from __future__ import annotations

import os

import pytest

from deploy.setup.options import read_options
from deploy.setup.step import Stopped

TEAM = "https://git.example/lhumina_code/hero_team.git"


def given(text: str) -> int:
    """A descriptor to read `text` from."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    return reading


@pytest.mark.parametrize(
    ("team", "forge", "expected"),
    [
        (TEAM, "", ("https://git.example", "lhumina_code/hero_team")),
        ("http://127.0.0.1:3000/a/b", "", ("http://127.0.0.1:3000", "a/b")),
        ("https://git.example/forge/a/b.git", "https://git.example/forge/", ("https://git.example/forge", "a/b")),
        ("https://git.example/a/b.c/", "", ("https://git.example", "a/b.c")),
    ],
)
def test_the_address_of_the_team_repo_tells_the_forge(team: str, forge: str, expected: tuple[str, str]) -> None:
    options = read_options(["--team", team, "--forge", forge], is_box=False)
    assert (options.forge, options.team_repo) == expected


@pytest.mark.parametrize(
    "team",
    [
        "git@git.example:a/b",
        "https://me:pw@git.example/a/b",
        "https://git.example/a",
        "file:///a/b",
        "https:///a/b",
        "x",
    ],
)
def test_another_address_is_refused(team: str) -> None:
    with pytest.raises(Stopped) as caught:
        read_options(["--team", team], is_box=False)
    assert "pw" not in str(caught.value)


def test_a_new_machine_needs_a_team_and_a_box_does_not() -> None:
    with pytest.raises(Stopped, match="Which team"):
        read_options([], is_box=False)
    assert read_options([], is_box=True).forge == ""


@pytest.mark.parametrize("host", ["box_1", "-box", "Box", "a..b", "box/", "x" * 300])
def test_a_host_that_cannot_be_is_refused(host: str) -> None:
    with pytest.raises(Stopped, match="no name of a host"):
        read_options(["--team", TEAM, f"--host={host}"], is_box=False)


def test_the_host_names_the_box() -> None:
    assert read_options(["--team", TEAM, "--host", "box.example"], is_box=False).name == "box"


def test_secrets_come_from_descriptors_and_are_shown_nowhere() -> None:
    keys = "ORG_CLAUDE_KEY_1=sk-one\nORG_CLAUDE_KEY_22=sk-two\n"
    arguments = ["--team", TEAM, "--forge-token-fd", str(given("t0ken\n")), "--keys-fd", str(given(keys))]
    options = read_options(arguments, is_box=False)
    assert options.token == "t0ken"
    assert options.keys == {"ORG_CLAUDE_KEY_1": "sk-one", "ORG_CLAUDE_KEY_22": "sk-two"}
    assert "t0ken" not in repr(options)
    assert "sk-" not in repr(options)


@pytest.mark.parametrize("text", ["sk-alone", "KEY=sk-x", "ORG_CLAUDE_KEY_=sk-x", "ORG_CLAUDE_KEY_1="])
def test_a_key_that_is_written_wrongly_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(Stopped, match="not shown") as caught:
        read_options(["--team", TEAM, "--keys-fd", str(given(text))], is_box=False)
    assert "sk-" not in str(caught.value)


@pytest.mark.parametrize("text", ["two words", "a\x1bb", "x" * 600])
def test_what_is_no_token_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(Stopped, match="not shown") as caught:
        read_options(["--team", TEAM, "--forge-token-fd", str(given(text))], is_box=False)
    assert text not in str(caught.value)


def test_a_descriptor_that_is_closed_is_told() -> None:
    reading = given("")
    os.close(reading)
    with pytest.raises(Stopped, match="cannot be read"):
        read_options(["--team", TEAM, "--keys-fd", str(reading)], is_box=False)
