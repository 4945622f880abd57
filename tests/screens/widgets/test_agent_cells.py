"""The columns of a list of agents: exactly as wide as they say, whatever agents call themselves."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.widgets.agent_cells import AgentTable
from screens.widgets.agent_model import AgentRow
from screens.widgets.glyphs import ASCII
from tests.hero_tui.agents import agent, some_agents, waiting
from tests.hero_tui.fleets import NOW
from tests.screens.widgets.samples import is_harmless

ROWS = [AgentRow(one) for one in some_agents()]
TABLE = AgentTable(NOW, "alice")
HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202e漢字\n\t\U0001f9d1\u200d\U0001f680 [bold]x"


def text_of(row: AgentRow, room: int, table: AgentTable = TABLE) -> str:
    columns = table.columns([row], room)
    return " ".join("".join(part for part, _ in table.parts(row, column)) for column in columns)


@pytest.mark.parametrize("room", [40, 60, 75, 99, 100, 115, 136, 150, 245])
def test_every_cell_is_as_wide_as_its_column(room: int) -> None:
    columns = TABLE.columns(ROWS, room)
    for row in ROWS:
        for column in columns:
            assert sum(cell_len(text) for text, _ in TABLE.parts(row, column)) == column.width, column.name
    if room >= 60:
        assert sum(column.width + 1 for column in columns) <= room + 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=30), st.integers(40, 250))
def test_no_name_moves_a_column(title: str, name: str, room: int) -> None:
    row = AgentRow(agent(title=title, branch=name, model=name, credential=name or "none", last_line=title))
    for column in TABLE.columns([row], room):
        parts = TABLE.parts(row, column)
        assert sum(cell_len(text) for text, _ in parts) == column.width
        assert all(is_harmless(text) for text, _ in parts)


def test_what_agents_say_is_shown_without_its_escapes() -> None:
    row = AgentRow(waiting(title=HOSTILE, last_line=HOSTILE, branch=HOSTILE, model=HOSTILE, credential=HOSTILE))
    shown = text_of(row, 240)
    assert shown.isprintable()
    assert "[bold]x" in shown


def test_a_narrow_list_says_why_and_a_wide_one_says_all() -> None:
    row = AgentRow(waiting())
    assert text_of(row, 75).startswith("? permission")
    assert text_of(row, 150).startswith("? waiting: permission")
    assert "opus-5-5 ▅ high" in text_of(row, 150)


def test_what_was_just_asked_of_it_is_told_instead_of_its_state() -> None:
    row = AgentRow(waiting())
    assert text_of(row, 75, AgentTable(NOW, "alice", {"alice/2": "submitted"})).startswith("↻ submitted")


def test_an_agent_of_a_slot_that_is_away_bears_the_sign_of_it() -> None:
    assert "≈alice/1" in text_of(AgentRow(agent(), stale=True), 115)


def test_without_unicode_the_signs_are_ascii() -> None:
    row = AgentRow(waiting(title="x", last_line="x"), stale=True)
    assert text_of(row, 150, AgentTable(NOW, "alice", glyphs=ASCII)).isascii()
