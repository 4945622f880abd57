"""A release's line: exactly as wide as it may be, told without colours too, harmless whatever its strings hold."""

from __future__ import annotations

from dataclasses import replace
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from backends.model.forge import ArchiveInfo, CommitInfo, ReleaseInfo
from screens.widgets.commit_cells import CommitTable
from screens.widgets.glyphs import ASCII
from screens.widgets.release_cells import ReleaseTable, count
from screens.widgets.release_detail import release_detail
from screens.widgets.release_model import runners_of
from tests.hero_tui.fleets import NOW, cell
from tests.hero_tui.releases import RUNS, commits, release, some_releases

HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
HOSTILE = "\x1b[2J\x1b]0;x\x07e\u0301\u202e\u200d🦀\r\n[bold]"
RUNNERS = runners_of(
    [(user, cell("hero_router")) for user in ("integration", "alice", "mik", "thabet", "omar")],
)
TABLE = ReleaseTable(NOW, RUNNERS, "alice", machine="x86_64")


def line(table: ReleaseTable, one: ReleaseInfo, room: int, among: list[ReleaseInfo] | None = None) -> str:
    columns = table.columns(among or [one], room)
    return " ".join("".join(text for text, _ in table.parts(one, column)) for column in columns)


@pytest.mark.parametrize("room", [60, 75, 104, 115, 128, 150, 240])
def test_every_line_fits_its_room(room: int) -> None:
    for table in (TABLE, replace(TABLE, glyphs=ASCII)):
        columns = table.columns(some_releases(), room)
        assert sum(column.width + 1 for column in columns) <= room + 1
        for one in some_releases():
            for column in columns:
                assert sum(cell_len(text) for text, _ in table.parts(one, column)) == column.width, column


def test_what_runs_where_is_told_by_signs_and_where_there_is_room_by_words() -> None:
    one = release()
    assert line(TABLE, one, 75).startswith("●◆3 development-")
    assert line(TABLE, one, 160).startswith("● integration ◆ me +3 ")
    assert line(TABLE, release("c40e8812" * 5), 75).startswith("    development-")


def test_a_sick_integration_slot_is_not_told_as_well() -> None:
    table = ReleaseTable(NOW, runners_of([("integration", cell("hero_router", health="crashed"))]), "alice")
    assert line(table, release(), 75).startswith("✖   development-")


def test_a_release_that_does_not_run_here_is_quiet_and_says_why() -> None:
    _, cut_off, _, other, *_ = some_releases()
    assert "incomplete" in line(TABLE, cut_off, 75)
    assert "not for this machine" in line(TABLE, other, 140)
    for one in (cut_off, other):
        parts = [part for column in TABLE.columns([one], 140) for part in TABLE.parts(one, column)]
        assert {style for text, style in parts if text.strip()} == {"list--off"}


def test_every_column_that_was_asked_for_is_there() -> None:
    names = [column.name for column in TABLE.columns(some_releases(), 140)]
    assert names == ["runs", "tag", "commit", "author", "age", "platforms", "size", "downloads", "subject"]
    narrow = [column.name for column in TABLE.columns(some_releases(), 75)]
    assert narrow == ["runs", "tag", "author", "age", "platforms", "size", "downloads"]


@pytest.mark.parametrize(("number", "shown"), [(0, "0"), (9999, "9999"), (12_345, "12k"), (-4, "0")])
def test_downloads_are_counted_in_few_cells(number: int, shown: str) -> None:
    assert count(number, 4) == shown


def test_the_detail_names_each_archive_and_who_runs_it() -> None:
    told = "\n".join(
        "".join(text for text, _ in fact.parts) for fact in release_detail(some_releases()[2], TABLE).facts
    )
    assert "darwin-arm64  8.4 MB  6 downloads  not for this machine" in told
    assert "● integration (healthy)  ◆ me  mik, thabet, omar" in told
    assert f"https://forge.example/lhumina_code/hero_router/releases/tag/development-{RUNS[:8]}" in told


@given(st.text(max_size=40))
def test_no_string_of_a_release_breaks_its_line(text: str) -> None:
    hostile = text + HOSTILE
    fields = dict.fromkeys(("tag", "branch", "commit", "author", "subject", "url"), hostile)
    archive = ArchiveInfo(name=hostile, platform=hostile, size=3, url=hostile)
    one = release(**fields, platforms=(hostile,), archives=(archive,))
    runners = runners_of([(hostile, cell("hero_router", tag=hostile))])
    table = replace(TABLE, runners=runners)
    told = [line(table, one, 140), line(table, one, 75)]
    told += [text for fact in release_detail(one, table).facts for text, _ in fact.parts]
    for shown in told:
        assert not {category(letter) for letter in shown} & HARMFUL, repr(shown)


@pytest.mark.parametrize("room", [40, 75, 240])
def test_a_commit_fits_its_line(room: int) -> None:
    table = CommitTable(NOW)
    hostile = CommitInfo(commit=HOSTILE, author=HOSTILE, subject=HOSTILE)
    rows = [*commits(5).commits, hostile]
    columns = table.columns(rows, room)
    assert sum(column.width + 1 for column in columns) <= room + 1
    for row in rows:
        for column in columns:
            shown = "".join(text for text, _ in table.parts(row, column))
            assert cell_len(shown) == column.width
            assert not {category(letter) for letter in shown} & HARMFUL
