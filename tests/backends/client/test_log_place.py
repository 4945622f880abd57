"""Only one's own logs that are files are opened as such; for all others a daemon is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from backends.client.locate import Where
from backends.client.log_place import log_paths
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
    assert log_paths(where, "alice", "alice", ["hero_db"]) == {"hero_db": slot.service_log("hero_db")}
    assert log_paths(where, "alice", "alice", [], "hero_db-1") == {"hero_db-1": slot.build_log / "hero_db-1.log"}


def test_several_of_ones_own_services_are_files_also_where_one_has_logged_nothing_yet(where: Where) -> None:
    slot = where.slot("alice")
    paths = {name: slot.service_log(name) for name in ("hero_db", "hero_router")}
    assert log_paths(where, "alice", "alice", list(paths)) == paths


def test_a_log_that_is_no_file_or_may_not_be_read_is_asked_of_the_daemon(
    where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert log_paths(where, "alice", "alice", ["hero_db"]) == {}
    monkeypatch.undo()
    where.slot("alice").service_log("hero_router").mkdir()
    assert log_paths(where, "alice", "alice", ["hero_db", "hero_router"]) == {}


@pytest.mark.parametrize(
    ("user", "services", "build"),
    [
        ("mik", ["hero_db"], ""),
        ("mik", [], "hero_db-1"),
        ("mik", ["hero_db", "hero_router"], ""),
        ("alice", ["hero_db", "../mik/hero_db"], ""),
        ("alice", [], ""),
        ("alice", ["hero_router"], ""),
        ("alice", ["../../x"], ""),
        ("alice", [], "../hero_db"),
        ("alice", [], ".."),
    ],
)
def test_anything_else_is_not(where: Where, user: str, services: list[str], build: str) -> None:
    assert log_paths(where, "alice", user, services, build) == {}


def test_services_of_a_system_box_are_in_the_journal_and_builds_in_files(where: Where, tmp_path: Path) -> None:
    homes = where.box.homes
    homes.rename(tmp_path / "elsewhere")
    homes.symlink_to(tmp_path / "elsewhere")
    (where.box.team / "users").mkdir(parents=True)
    (where.box.team / "users" / "alice.toml").touch()
    assert log_paths(where, "alice", "alice", ["hero_db"]) == {}
    assert log_paths(where, "alice", "alice", [], "hero_db-1") != {}
