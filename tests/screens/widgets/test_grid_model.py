"""What the grid's filters leave."""

from __future__ import annotations

import pytest

from screens.widgets.grid_data import Filters, GridCell, GridColumn, GridRow
from screens.widgets.grid_model import GridModel


def model() -> GridModel:
    grid = GridModel()
    users = [GridRow(name, name) for name in ("alice", "mik", "mikhail")]
    services = [GridColumn(name, name) for name in ("hero_router", "hero_slides", "hero_mikro")]
    grid.set_shape([*users, GridRow("integration", "integration", pinned=True)], services)
    return grid


def shown(grid: GridModel, **filters: object) -> tuple[list[str], list[str]]:
    grid.filters = Filters(**filters)  # type: ignore[arg-type]
    grid.refilter()
    return [row.key for row in grid.view.rows], [column.key for column in grid.view.columns]


ALL = ["hero_router", "hero_slides", "hero_mikro"]
EVERYONE = ["integration", "alice", "mik", "mikhail"]


@pytest.mark.parametrize(
    ("text", "rows", "columns"),
    [
        ("", EVERYONE, ALL),
        ("ALI", ["alice"], ALL),
        ("slides", EVERYONE, ["hero_slides"]),
        ("mik", ["mik", "mikhail"], ALL),
        ("alice router", ["alice"], ["hero_router"]),
        ("nobody", [], ALL),
        ("!mik", ["integration", "alice"], ["hero_router", "hero_slides"]),
        ("!slides", EVERYONE, ["hero_router", "hero_mikro"]),
        ("!", EVERYONE, ALL),
    ],
)
def test_text_narrows_users_or_services(text: str, rows: list[str], columns: list[str]) -> None:
    assert shown(model(), text=text) == (rows, columns)


def test_the_pinned_row_is_first_whatever_its_place() -> None:
    grid = model()
    assert grid.view.rows[0].key == "integration"
    assert grid.view.pinned == 1


def test_only_mine_keeps_the_pinned_row() -> None:
    assert shown(model(), mine="mik")[0] == ["integration", "mik"]


def test_only_faults_follows_the_cells() -> None:
    grid = model()
    assert shown(grid, only_faults=True)[0] == []
    assert grid.set_cell("mik", "hero_router", GridCell(health="crashed")) is True
    grid.refilter()
    assert [row.key for row in grid.view.rows] == ["mik"]
    assert grid.set_cell("mik", "hero_slides", GridCell(drift="missing")) is False
    assert grid.faults("mik") == 2
    grid.set_cell("mik", "hero_slides", None)
    assert grid.set_cell("mik", "hero_router", GridCell(health="healthy")) is True


@pytest.mark.parametrize(
    ("cell", "faulty"),
    [
        (GridCell(health="healthy", drift="behind"), False),
        (GridCell(health="stopped"), False),
        (GridCell(health="unhealthy"), True),
        (GridCell(health="crashed"), True),
        (GridCell(health="healthy", drift="missing"), True),
        (GridCell(health="healthy", build="failed"), True),
    ],
)
def test_a_fault_is_what_a_person_should_look_at(cell: GridCell, faulty: bool) -> None:
    assert cell.faulty is faulty


def test_a_new_shape_keeps_the_cells_that_remain() -> None:
    grid = model()
    grid.set_cell("mik", "hero_router", GridCell("development", health="crashed"))
    grid.set_cell("alice", "hero_router", GridCell("development", health="crashed"))
    grid.set_shape([GridRow("mik", "mik")], [GridColumn("hero_router", "router")])
    assert grid.cell("mik", "hero_router") is not None
    assert grid.cell("alice", "hero_router") is None
    assert grid.faults("mik") == 1
    assert grid.faults("alice") == 0
