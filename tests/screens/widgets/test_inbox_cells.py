"""The inbox as lines: the most urgent first, time left, answers, nothing wider than its column."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.widgets.inbox_cells import InboxTable
from screens.widgets.inbox_model import (
    InboxFilters,
    answer_text,
    decides,
    filtered,
    left_text,
    ordered,
)
from tests.hero_tui.agents import item, some_items
from tests.hero_tui.fleets import NOW
from tests.screens.widgets.samples import is_harmless

TABLE = InboxTable(NOW)


def test_what_runs_out_soon_is_first_then_what_waits_then_what_is_new_then_the_rest() -> None:
    assert [one.id for one in ordered(some_items(), NOW)] == ["q-1", "p-1", "q-2", "m-1", "q-3", "m-2", "q-4"]


def test_a_submitted_answer_stands_above_what_is_only_to_be_read() -> None:
    items = [item("m-1", kind="message"), item("p-1", kind="permission", state="submitted")]
    assert [one.id for one in ordered(items, NOW)] == ["p-1", "m-1"]


def test_other_orders_are_by_time_and_by_whom_of_whom_the_most_urgent_first() -> None:
    items = some_items()
    assert [one.id for one in ordered(items, NOW, "newest")] == ["p-1", "q-1", "m-1", "q-2", "q-3", "m-2", "q-4"]
    assert [one.id for one in ordered(items, NOW, "oldest")][:3] == ["q-4", "m-2", "q-3"]
    assert [one.id for one in ordered(items, NOW, "who")] == ["q-1", "q-3", "p-1", "q-2", "q-4", "m-1", "m-2"]


def test_what_was_sent_is_sorted_by_whom_it_went_to() -> None:
    sent = [item("q-8", sender="alice", to="thabet"), item("q-9", sender="alice/2", to="Mik")]
    assert [one.id for one in ordered(sent, NOW, "who", sent=True)] == ["q-9", "q-8"]


def test_only_what_is_marked_bears_the_mark() -> None:
    table = InboxTable(NOW, marks=frozenset({"q-4"}))
    assert [one.id for one in some_items() if table.marked(one)] == ["q-4"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(30, "30s"), (119, "119s"), (121, "2m"), (7200, "2h"), (-5, "0s"), (None, "")]
)
def test_the_time_left_counts_seconds_only_at_the_end(seconds: float | None, text: str) -> None:
    expires = NOW + timedelta(seconds=seconds) if seconds is not None else None
    assert left_text(item(expires_at=expires), NOW) == text


def test_what_is_over_has_no_time_left() -> None:
    assert left_text(item(state="answered", expires_at=NOW + timedelta(seconds=5)), NOW) == ""


def test_only_a_dialog_about_a_permission_is_allowed_or_denied() -> None:
    assert decides(item(kind="permission", options=("Allow", "Deny")))
    assert not decides(item(kind="permission", options=("red", "blue")))
    assert not decides(item(options=("Allow", "Deny")))


def test_an_answer_reads_as_its_option() -> None:
    assert answer_text(item(choice=2, answer="the routes by weight")) == "the routes by weight"
    assert answer_text(item(choice=1, answer="but not today")) == "the routes by name: but not today"
    assert answer_text(item(choice=9, answer="?")) == "?"


def test_filters() -> None:
    assert [one.id for one in filtered(some_items(), InboxFilters("voice"))] == ["m-2"]
    assert [one.id for one in filtered(some_items(), InboxFilters(only_open=True))] == ["q-1", "p-1", "q-2", "m-1"]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.integers(30, 240), st.booleans())
def test_no_text_moves_a_column(text: str, room: int, sent: bool) -> None:
    table = InboxTable(NOW, sent, {"q-1": text})
    row = item(text=text or "x", sender=text or "x", answer=text)
    for column in table.columns([row], room):
        parts = table.parts(row, column)
        assert sum(cell_len(one) for one, _ in parts) == column.width
        assert all(is_harmless(one) for one, _ in parts)


@pytest.mark.parametrize("room", [60, 75, 115, 160, 245])
def test_every_cell_is_as_wide_as_its_column(room: int) -> None:
    rows = some_items()
    columns = TABLE.columns(rows, room)
    assert sum(column.width + 1 for column in columns) <= room + 1
    for row in rows:
        for column in columns:
            assert sum(cell_len(text) for text, _ in TABLE.parts(row, column)) == column.width
