"""The doctor's list: by area, by slot, or as the checks are made, each area headed once where it begins."""

from __future__ import annotations

from screens.examination import Job, Looked
from screens.widgets.doctor_words import list_title
from screens.widgets.finding_model import FindingFilters, FindingRow, Sort, filtered, ordered, rows_of
from tests.hero_tui.teams import LOCK, job_of

JOBS = (
    Job("box.file", "", "box", "file"),
    Job("disk.space", "", "Disk", "space"),
    Job("slot.manifest", "mik", "slot", "manifest"),
    Job("git.locks", "mik", "git", "locks"),
    Job("slot.manifest", "alice", "slot", "manifest"),
    Job("box.socket", "", "box", "socket"),
)


def shown(sort: Sort) -> list[FindingRow]:
    return filtered(ordered(rows_of(JOBS, {}, ()), sort), FindingFilters())


def names(sort: Sort) -> list[str]:
    return [f"{row.job.id} {row.job.slot}".strip() for row in shown(sort)]


def test_the_usual_order_is_that_of_the_checks() -> None:
    assert names("checks") == [f"{job.id} {job.slot}".strip() for job in JOBS]


def test_by_area_those_of_the_same_area_stand_together() -> None:
    assert names("area") == [
        "box.file", "box.socket", "disk.space", "git.locks mik", "slot.manifest alice", "slot.manifest mik",
    ]  # fmt: skip
    assert [row.heads for row in shown("area")] == [True, False, True, True, True, True]


def test_by_slot_the_box_is_first() -> None:
    assert names("slot") == [
        "box.file", "disk.space", "box.socket", "slot.manifest alice", "slot.manifest mik", "git.locks mik",
    ]  # fmt: skip


def test_the_title_tells_another_order_and_marks_of_what_is_still_there() -> None:
    job = job_of(LOCK)
    rows = rows_of((job,), {job.key: Looked(job, (LOCK,))}, ())
    assert list_title(rows, "", "checks", ()).startswith("doctor · 1 ")
    told = list_title(rows, "1 to come", "area", {rows[0].key, "gone"})
    assert told.endswith(" · 1 to come · by area · 1 marked")
