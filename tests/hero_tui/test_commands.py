"""The `:` line: parsed, completed, and corrected."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from hero_tui.commands import COMMANDS, complete, parse
from hero_tui.store import Fleet, with_snapshot
from tests.hero_tui.fleets import snapshot

FLEET = with_snapshot(Fleet(), snapshot()).view


@pytest.mark.parametrize(
    ("line", "name", "arguments"),
    [
        ("fleet", "fleet", []),
        (":slot alice", "slot", ["alice"]),
        ("logs hero_db hero_router", "logs", ["hero_db", "hero_router"]),
        ("switch hero_router development_mik", "switch", ["hero_router", "development_mik"]),
        ("quit", "q", []),
        ("rebuild hero_db", "build", ["hero_db"]),
    ],
)
def test_a_line_is_a_command_with_arguments(line: str, name: str, arguments: list[str]) -> None:
    command, found = parse(line)
    assert (command.name, found) == (name, arguments)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("swich hero_db", "Did you mean :switch?"),
        ("switch", "needs a service"),
        ("fleet everything", "takes no 'everything'"),
        ("slot 'alice", "quote is not closed"),
        ("", "no command"),
    ],
)
def test_a_wrong_line_says_what_is_right(line: str, told: str) -> None:
    with pytest.raises(HeroError) as caught:
        parse(line)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("sw", "switch"),
        ("slot a", "slot alice"),
        ("logs hero_r", "logs hero_router"),
        ("logs hero_db hero_b", "logs hero_db hero_books"),
        ("switch hero_router development_", "switch hero_router development_mik"),
        ("theme hero-l", "theme hero-light"),
        ("density c", "density compact"),
    ],
)
def test_tab_completes_what_was_begun(text: str, first: str) -> None:
    assert complete(text, FLEET)[0] == first


def test_a_part_of_a_name_is_enough() -> None:
    assert complete("logs voice", FLEET) == ["logs hero_voice"]


def test_nothing_typed_offers_every_command() -> None:
    assert complete("", FLEET)[: len(COMMANDS)] == [command.name for command in COMMANDS]


@given(st.text(max_size=30))
def test_anything_may_be_typed(text: str) -> None:
    for line in complete(text, FLEET):
        assert isinstance(line, str)
    with contextlib.suppress(HeroError):
        parse(text)
