"""The fleet as `hero_dev status --all` prints it."""

from __future__ import annotations

import pytest

from hero_tui.render.fleet import fleet_lines
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import cells
from tests.hero_tui.render.replies import SECONDS, crashed, data, fleet, service, slot

NAMES = ("hero_db", "hero_router", "hero_slides")


def shown(width: int | None = 120, **fields: object) -> list[str]:
    alice = slot(*(service(name) for name in NAMES))
    mik = slot(service("hero_db", drift="behind"), crashed("hero_slides"), name="mik", online=False)
    trunk = slot(*(service(name) for name in NAMES), name="integration", role="integration")
    return fleet_lines(data(fleet(alice, mik, trunk, **fields)), Terminal(width), SECONDS)


def test_where_it_fits_it_is_users_by_services_with_integration_on_top() -> None:
    lines = shown()
    assert lines[2].split() == ["USER", "DB", "ROUTER", "SLIDES"]
    assert [line.split()[0] for line in lines[3:6]] == ["integration", "alice", "mik"]


def test_a_cell_says_health_commit_and_a_drift_that_matters() -> None:
    mik = next(line for line in shown() if line.startswith("mik"))
    assert mik.split() == ["mik", "≈", "●", "1c487cb1↓", "·", "✖", "1c487cb1"]


def test_what_does_not_work_is_told_below_with_whose_it_is() -> None:
    assert shown()[-1].startswith("✖ mik hero_slides  crashed 12s ago · exit 101")


def test_where_the_matrix_does_not_fit_each_user_has_a_block() -> None:
    lines = shown(36)
    assert "integration" in lines
    assert "alice" in lines
    assert max(map(cells, lines)) <= 36


@pytest.mark.parametrize("width", [24, 40, 60, 100])
def test_no_line_wraps(width: int) -> None:
    assert max(map(cells, shown(width))) <= width


def test_problems_of_the_box_are_told() -> None:
    assert any("users/x.toml:1:1" in line for line in shown(problems=("users/x.toml:1:1: not TOML",)))


def test_a_box_without_slots_says_so() -> None:
    lines = fleet_lines(data(fleet()), Terminal(80), SECONDS)
    assert "no slots yet" in lines[-1]


def test_services_without_a_shared_start_keep_their_whole_names() -> None:
    lines = fleet_lines(data(fleet(slot(service("web"), service("hero_db")))), Terminal(80), SECONDS)
    assert lines[2].split() == ["USER", "WEB", "HERO_DB"]
