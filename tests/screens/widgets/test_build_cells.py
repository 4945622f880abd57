"""A build's line: exactly as wide as it may be, and harmless whatever its strings hold."""

from __future__ import annotations

from datetime import timedelta
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from backends.model.state import Build, Phase
from screens.widgets.build_cells import BuildLook, BuildTable, cell_parts, measure, phase_now, why
from screens.widgets.build_detail import build_detail, exact, phase_bar, phases_of
from screens.widgets.build_model import timings
from screens.widgets.glyphs import ASCII, UNICODE
from tests.hero_tui.builds import build, phases, queued, running, some_builds
from tests.hero_tui.fleets import NOW

HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
HOSTILE = "\x1b[2J\x1b]0;x\x07e\u0301\u202e\u200d🦀\r\n[bold]"


def line(one: Build, room: int, look: BuildLook) -> str:
    return " ".join("".join(text for text, _ in cell_parts(one, column, look)) for column in measure([one], room))


@pytest.mark.parametrize("room", [60, 75, 104, 115, 128, 145, 240])
def test_every_line_fills_its_room(room: int) -> None:
    look = BuildLook(NOW, timings(some_builds()))
    for one in some_builds():
        columns = measure(some_builds(), room)
        for column in columns:
            parts = cell_parts(one, column, look)
            assert sum(cell_len(text) for text, _ in parts) == column.width, (one.id, column)
        assert sum(column.width + 1 for column in columns) <= room + 1


def test_a_table_knows_its_builds_by_their_ids_and_what_is_marked() -> None:
    table = BuildTable(BuildLook(NOW, glyphs=ASCII), frozenset({"b-2"}))
    assert [(table.key(one), table.marked(one)) for one in (build("b-1"), build("b-2"))] == [
        ("b-1", False),
        ("b-2", True),
    ]
    assert table.glyphs is ASCII
    assert table.columns(some_builds(), 115) == measure(some_builds(), 115)


@given(st.text(max_size=40), st.sampled_from(["queued", "running", "succeeded", "failed", "superseded"]))
def test_no_string_of_a_build_breaks_its_line(text: str, state: str) -> None:
    hostile = text + HOSTILE
    fields = dict.fromkeys(("slot", "service", "branch", "commit", "actor", "reason", "tag", "error"), hostile)
    one = build("b", **fields, state=state, waits_for=hostile, superseded_by=hostile, hint=hostile)
    one = one.model_copy(update={"phases": (Phase(name=hostile, seconds=3.0),)})
    look = BuildLook(NOW, busy={(hostile, hostile): hostile})
    told = [line(one, 140, look)]
    told += [text for fact in build_detail(one, look, 60).facts for text, _ in fact.parts]
    for shown in told:
        assert not {category(letter) for letter in shown} & HARMFUL, repr(shown)


def test_what_a_build_does_is_told_by_its_slot_else_by_its_phases() -> None:
    one = running("b", phases=phases(0)[:2])
    assert phase_now(one, "pack") == "pack"
    assert phase_now(one) == "compile"
    assert phase_now(running("b")) == "worktree"
    packed = phases(40)[:4]
    assert phase_now(running("b", phases=packed)) == "install"
    assert phase_now(running("b", phases=packed, publish=True)) == "publish"
    assert phase_now(running("b", phases=packed, restart=False)) == "running"
    assert phase_now(running("b", waits_for="the slot of alice is away"), "pack") == "the slot of alice is away"
    assert phase_now(running("b", phases=(Phase(name="dance", seconds=1),))) == "running"


def test_who_asked_is_told_once() -> None:
    assert why(build("b")) == "rebuild"
    assert why(build("b", actor="mik")) == "rebuild by mik"
    assert why(build("b", reason="webhook", actor="webhook", coalesced=2)) == "webhook +2"


def test_the_bar_of_the_phases_is_no_longer_than_its_room() -> None:
    told = phases(41.2, publish=2.1)
    for width in (8, 20, 61, 200):
        bar = list(phase_bar(told, width, UNICODE))
        assert sum(cell_len(text) for text, _ in bar) <= width
    shares = {style: len(text) for text, style in phase_bar(told, 100, ASCII)}
    assert shares["phase--3"] > 80
    assert list(phase_bar((Phase(name="compile", seconds=0.0),), 10, UNICODE)) == [("", "phase--1")]


def test_the_phase_that_runs_is_told_with_its_seconds() -> None:
    look = BuildLook(NOW)
    one = running("b", phases=phases(0)[:2], started_at=NOW - timedelta(seconds=10))
    assert phases_of(one, look)[-1] == Phase(name="compile", seconds=9.7)
    assert phases_of(queued("b"), look) == ()


def test_the_details_of_a_failure_tell_what_to_do() -> None:
    one = build("b", state="failed", error="It broke.\n  last but one\n  last", hint="Mend it.")
    facts = [
        (fact.label, "".join(text for text, _ in fact.parts))
        for fact in build_detail(one, BuildLook(NOW), 80).facts
    ]
    assert facts[1:5] == [("error", "It broke."), ("", "last but one"), ("", "last"), ("do", "Mend it.")]


@pytest.mark.parametrize(("seconds", "told"), [(0.42, "0.4s"), (9.96, "10s"), (59.7, "1m00s"), (125, "2m05s")])
def test_short_times_have_tenths(seconds: float, told: str) -> None:
    assert exact(seconds) == told
