"""In which order the fleet's rows stand, and what a head says of those below it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow
from screens.widgets.grid_model import GridModel
from screens.widgets.grid_order import GROUPS, SORTS, Order, is_head

COLUMNS = [GridColumn(name, name) for name in ("db", "web")]
CELLS = st.one_of(
    st.none(),
    st.builds(
        GridCell,
        health=st.sampled_from(["healthy", "crashed", "unhealthy", "stopped", "starting", "unknown"]),
        drift=st.sampled_from(["current", "missing", "behind"]),
        build=st.sampled_from(["", "failed", "running"]),
    ),
)
ROWS = st.lists(
    st.builds(
        GridRow,
        key=st.sampled_from([f"user{number}" for number in range(8)]),
        title=st.just("somebody"),
        role=st.sampled_from(["developer", "integrator", ""]),
        box=st.sampled_from(["north", "south"]),
        waits=st.integers(0, 2),
        agents=st.integers(0, 2),
        agents_state=st.sampled_from(["", "waiting", "error", "working"]),
        stale=st.booleans(),
    ),
    max_size=8,
    unique_by=lambda row: row.key,
)


def model(order: Order = Order(), **crashed: int) -> GridModel:  # noqa: B008 - frozen
    grid = GridModel()
    grid.order = order
    roles = {"mik": "integrator"}
    rows = [GridRow(name, name, role=roles.get(name, "developer")) for name in ("alice", "mik", "zoe")]
    grid.set_shape([*rows, GridRow("integration", "integration", pinned=True)], COLUMNS)
    for user, count in crashed.items():
        for column in COLUMNS[:count]:
            grid.set_cell(user, column.key, GridCell(health="crashed"))
    grid.refilter()
    return grid


def titles(grid: GridModel) -> list[str]:
    return [row.title for row in grid.view.rows]


def test_by_trouble_the_most_broken_come_first_below_the_pinned_row() -> None:
    assert titles(model(Order(sort="trouble"), zoe=2, mik=1)) == ["integration", "zoe", "mik", "alice"]


def test_by_agents_those_that_wait_for_me_come_first() -> None:
    grid = model(Order(sort="agents"))
    grid.set_row(GridRow("zoe", "zoe", agents=1, agents_state="working"))
    assert grid.set_row(GridRow("mik", "mik", agents=1, agents_state="waiting", waits=1)) is True
    grid.refilter()
    assert titles(grid) == ["integration", "mik", "zoe", "alice"]


def test_a_head_stands_over_its_rows_and_hides_them_when_folded() -> None:
    grid = model(Order(group="role"))
    assert titles(grid) == ["integration", "developer", "alice", "zoe", "integrator", "mik"]
    grid.order = replace(grid.order, folded=frozenset({grid.view.rows[1].key}))
    grid.refilter()
    assert titles(grid) == ["integration", "developer", "integrator", "mik"]
    assert grid.view.rows[1].members == 2


def test_by_state_a_row_goes_under_another_head_when_it_breaks() -> None:
    grid = model(Order(group="state"))
    assert titles(grid) == ["integration", "well", "alice", "mik", "zoe"]
    assert grid.set_cell("mik", "db", GridCell(health="crashed")) is True
    grid.refilter()
    assert titles(grid) == ["integration", "trouble", "mik", "well", "alice", "zoe"]


def test_a_heads_cell_is_the_worst_of_those_below_it_and_counts_them() -> None:
    grid = model(Order(group="role"), zoe=1)
    grid.set_cell("alice", "db", GridCell(health="healthy"))
    head = grid.view.rows[1].key
    summary = grid.cell(head, "db")
    assert summary == GridCell(branch="1/2", health="crashed", age_text="1 crashed", summary=True)
    assert grid.cell(head, "web") is None


def test_waiting_only_keeps_what_waits_for_a_person() -> None:
    grid = model()
    grid.set_row(GridRow("zoe", "zoe", waits=1))
    grid.set_row(GridRow("mik", "mik", agents=1, agents_state="error"))
    grid.filters = Filters(only_waiting=True)
    grid.refilter()
    assert titles(grid) == ["mik", "zoe"]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("group", GROUPS)
@given(rows=ROWS, cells=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 1), CELLS), max_size=30))
def test_every_row_is_shown_once_and_heads_count_right_whatever_changes(
    sort: str, group: str, rows: list[GridRow], cells: list[tuple[int, int, GridCell | None]]
) -> None:
    grid = GridModel()
    grid.order = Order(sort=sort, group=group)  # type: ignore[arg-type]
    grid.set_shape(rows, COLUMNS)
    for place, column, cell in cells:
        if place < len(rows) and grid.set_cell(rows[place].key, COLUMNS[column].key, cell):
            grid.refilter()
    shown = [row.key for row in grid.view.rows if not row.head]
    assert sorted(shown) == sorted(row.key for row in rows)
    for head in (row for row in grid.view.rows if row.head):
        members = [key for key, its in grid.view.heads.items() if its == head.key]
        assert len(members) == head.members
        for column_key in ("db", "web"):
            bound = [cell for key in members if (cell := grid.cell(key, column_key))]
            told = grid.cell(head.key, column_key)
            assert (told.branch.partition("/")[2] if told else "0") == str(len(bound))
    assert Counter(is_head(row.key) for row in grid.view.rows)[True] == len(set(grid.view.heads.values()))
