"""`hero_dev claude keys` on a rootless box: keys come by standard input alone, and are never shown."""

from __future__ import annotations

import argparse
import json
import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.model.errors import HeroError
from hero_tui.render.claude_keys import key_lines
from hero_tui.render.terminal import terminal_of
from hero_tui.verbs import claude_keys
from hero_tui.verbs.parsing import Parser
from hero_tui.verbs.session import Session
from tests.backends.broker.made_broker import ONE, SECRET_ONE, SECRET_TWO, TWO, MadeBroker
from tests.hero_tui.standard_input import on_standard_input
from tests.messages_api.server import MessagesApi


@pytest.fixture
def broker(short_dir: Path) -> Iterator[MadeBroker]:
    with MessagesApi() as api:
        made = MadeBroker(short_dir, api)
        made.assign("sara", ONE)
        made.start()
        yield made
        made.close()


class Keys:
    """The verb, on `box`."""

    def __init__(self, box: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
        self._box, self._capsys, self._monkeypatch = box, capsys, monkeypatch

    def says(self, *words: str, given: str = "", as_json: bool = False) -> str:
        parser = Parser(prog="hero_dev claude", allow_abbrev=False)
        claude_keys.add_parser(parser.add_subparsers())
        asked: argparse.Namespace = parser.parse_args(["keys", *words])
        on_standard_input(self._monkeypatch, given)
        assert claude_keys.run(Session(box=str(self._box), json=as_json), asked) == 0
        told = self._capsys.readouterr()
        assert SECRET_ONE not in told.out + told.err
        return told.out


@pytest.fixture
def keys(broker: MadeBroker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Keys:
    return Keys(broker.root, capsys, monkeypatch)


def test_a_key_is_set_listed_rotated_and_revoked(keys: Keys, broker: MadeBroker) -> None:
    assert "has no key" in keys.says()
    told = keys.says("set", ONE, given=f"{SECRET_ONE}\n")
    assert f"{ONE} is kept: fingerprint" in told
    assert "for sara" in told
    assert broker.session().ask().status == 200
    broker.wait(broker.use, "use")
    listed = keys.says("list")
    assert ONE in listed
    assert "usable" in listed
    assert "unencrypted" in listed
    assert broker.api.asked[0].key == SECRET_ONE
    assert "was replaced" in keys.says("rotate", ONE, given=SECRET_TWO)
    assert "is forgotten" in keys.says("revoke", ONE)
    assert "and there is no such key" in keys.says("list")


def test_the_answers_in_json(keys: Keys) -> None:
    kept = json.loads(keys.says("set", ONE, given=SECRET_ONE, as_json=True))
    assert (kept["slot"], kept["generation"], kept["users"]) == (ONE, 1, ["sara"])
    assert json.loads(keys.says("list", as_json=True))["keys"][0]["fingerprint"] == kept["fingerprint"]
    assert json.loads(keys.says("revoke", ONE, as_json=True)) == {"slot": ONE, "revoked": True}


@pytest.mark.parametrize(
    ("words", "given", "why"),
    [
        (("set", ONE, SECRET_ONE), "", "never an argument"),
        (("set", SECRET_ONE), "", "no name of a key"),
        (("set",), "", "Which key"),
        (("set", ONE), "", "No key was given"),
        (("set", ONE), "two words of key", "is no key"),
        (("rotate", TWO), SECRET_ONE, "There is no key"),
        (("revoke", TWO), "", "There is no key"),
        (("list", ONE), "", "takes no name"),
    ],
)
def test_what_cannot_be_is_told_without_the_key(keys: Keys, words: tuple[str, ...], given: str, why: str) -> None:
    with pytest.raises(HeroError, match=why) as caught:
        keys.says(*words, given=given)
    assert SECRET_ONE not in str(caught.value)


def test_on_a_terminal_it_is_asked_for_without_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return SECRET_ONE

    with os.fdopen(theirs, "r") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr("getpass.getpass", answer)
        assert claude_keys._read_secret(ONE) == SECRET_ONE
    os.close(ours)
    assert asked == [f"{ONE} (it is not shown): "]


def test_a_cooling_key_and_what_was_used_are_shown() -> None:
    key = {
        "slot": ONE,
        "fingerprint": "abc",
        "set_at": "2026-11-21T10:00:00Z",
        "set_by": "carol\x1b[31m",
        "generation": 1,
        "cooling_until": "2026-11-21T12:05:00Z",
        "users": ["sara", "bob"],
        "sessions": 3,
    }
    use = {"slot": ONE, "user": "sara", "requests": 12, "refused": 1, "last_used": "2026-11-21T11:59:00Z"}
    result = {
        "keys": [key],
        "use": [{**use, "input_tokens": 1_234_567, "output_tokens": 45_600}],
        "problems": ["Something is wrong."],
    }
    terminal = terminal_of(None, {}, no_colour=True)
    text = "\n".join(key_lines(result, terminal, 1_795_262_400.0))
    assert "cooling, 5m left" in text
    assert "sara, bob" in text
    assert "1.2M" in text
    assert "45.6k" in text
    assert "Something is wrong." in text
    assert "\x1b" not in text
