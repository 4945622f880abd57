"""Only one's own log that is a file is opened as one; for all others a daemon is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.client.locate import Where
from backends.client.log_place import log_path
from backends.model.paths import BoxPaths


@pytest.fixture
def where(tmp_path: Path) -> Where:
    """A rootless box with the log of hero_db and of a build in two slots."""
    box = BoxPaths(tmp_path)
    for user in ("alice", "mik"):
        slot = box.slot(user)
        for path in (slot.service_log("hero_db"), slot.build_log / "hero_db-1.log"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a line\n")
    return Where(box, "alice")


def test_ones_own_service_and_build_are_files(where: Where) -> None:
    slot = where.slot("alice")
    assert log_path(where, "alice", "alice", ["hero_db"]) == slot.service_log("hero_db")
    assert log_path(where, "alice", "alice", [], "hero_db-1") == slot.build_log / "hero_db-1.log"


@pytest.mark.parametrize(
    ("user", "services", "build"),
    [
        ("mik", ["hero_db"], ""),
        ("mik", [], "hero_db-1"),
        ("alice", ["hero_db", "hero_router"], ""),
        ("alice", [], ""),
        ("alice", ["hero_router"], ""),
        ("alice", ["../../x"], ""),
        ("alice", [], "../hero_db"),
        ("alice", [], ".."),
    ],
)
def test_anything_else_is_not(where: Where, user: str, services: list[str], build: str) -> None:
    assert log_path(where, "alice", user, services, build) is None


def test_services_of_a_system_box_are_in_the_journal_and_builds_in_files(where: Where, tmp_path: Path) -> None:
    homes = where.box.homes
    homes.rename(tmp_path / "elsewhere")
    homes.symlink_to(tmp_path / "elsewhere")
    (where.box.team / "users").mkdir(parents=True)
    (where.box.team / "users" / "alice.toml").touch()
    assert log_path(where, "alice", "alice", ["hero_db"]) is None
    assert log_path(where, "alice", "alice", [], "hero_db-1") is not None
