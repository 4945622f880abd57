"""The newest build of a service is told after a restart, also one that a kill cut off."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from backends.model.paths import SlotPaths
from backends.model.state import Build
from backends.slot.build_records import keep_build, read_builds

WHEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 13, tzinfo=UTC)


def build(**fields: object) -> Build:
    known = {"id": "b1", "service": "hero_db", "branch": "x", "commit": "a" * 40, "state": "succeeded"}
    return Build.model_validate({**known, "started_at": WHEN, **fields})


def test_the_newest_build_of_each_service_is_read_back(tmp_path: Path) -> None:
    paths = SlotPaths(tmp_path)
    assert read_builds(paths, LATER) == []
    keep_build(paths, build(id="older"))
    newer = build(state="failed", error="no luck", finished_at=WHEN)
    keep_build(paths, newer)
    other = build(service="hero_web")
    keep_build(paths, other)
    assert read_builds(paths, LATER) == [newer, other]


def test_a_build_that_was_cut_off_has_failed(tmp_path: Path) -> None:
    paths = SlotPaths(tmp_path)
    keep_build(paths, build(state="running"))
    (cut,) = read_builds(paths, LATER)
    assert (cut.state, cut.finished_at) == ("failed", LATER)
    assert read_builds(paths, LATER) == [cut]


def test_a_damaged_record_is_passed_over(tmp_path: Path) -> None:
    paths = SlotPaths(tmp_path)
    keep_build(paths, build())
    paths.build_record("hero_web").write_bytes(b"{half")
    assert [one.service for one in read_builds(paths, LATER)] == ["hero_db"]
