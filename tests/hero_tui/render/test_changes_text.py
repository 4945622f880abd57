"""Plans, outcomes, progress, logs and lists as text."""

from __future__ import annotations

import io

from backends.model.forge import ReleaseInfo
from hero_tui.render.logs import LogPrinter, shown
from hero_tui.render.plan import nothing_lines, outcome_lines, plan_lines, runs
from hero_tui.render.progress import Bar, Phases, Silent, bar_line, progress_on
from hero_tui.render.records import audit_lines, operation_lines
from hero_tui.render.releases import release_lines
from hero_tui.render.signs import ASCII, UNICODE
from hero_tui.render.terminal import Terminal, terminal_of
from hero_tui.render.text import cells
from screens.widgets import glyphs
from tests.hero_tui.render.replies import NOW, SECONDS, ago, data, operation, plan, service

WIDE = Terminal(120)


def test_a_plan_names_its_steps_what_it_costs_and_its_warnings() -> None:
    text = "\n".join(plan_lines(plan(size=3_400_000, restarts=("hero_router",), warnings=("Stays.",)), WIDE))
    assert text.startswith("switch hero_router development_mik would\n  download  hero_router-linux.tar.gz")
    assert "3.4 MB to download · restarts hero_router" in text
    assert text.endswith("▲ Stays.")


def test_a_plan_of_nothing_says_so() -> None:
    assert plan_lines(plan(nothing_to_do=True), WIDE) == ["switch hero_router development_mik: nothing to do."]


def test_a_switch_tells_what_runs_now_and_how_to_return() -> None:
    result = {"service": "hero_router", "before": "1c487cb1" * 5, "compiled": False}
    ended = operation(service="hero_router", state="succeeded", result=result, finished_at=ago(2.5))
    lines = outcome_lines(ended, data(service(branch="development_mik")), WIDE)
    assert lines == [
        "✓ hero_router runs development_mik 1c487cb1, from its release, healthy; 0.5 s.",
        "  `hero_dev switch hero_router --back` returns to 1c487cb1.",
    ]


def test_a_service_that_is_bound_but_off_is_not_said_to_run() -> None:
    off = data(service(health="stopped", enabled=False))
    assert runs(off) == "hero_router is stopped; installed is development 1c487cb1, from its release"


def test_several_services_are_named() -> None:
    ended = operation("start", state="succeeded", result={"started": ["a", "b"]}, finished_at=NOW)
    assert outcome_lines(ended, None, WIDE) == ["✓ started a, b; 3.0 s."]


def test_nothing_to_do_says_why() -> None:
    ended = operation(state="succeeded", result={"nothing_to_do": True, "note": "x runs already."})
    assert nothing_lines(ended) == ["switch hero_router: nothing to do, x runs already."]


def test_the_progress_line_fits_and_counts_bytes_of_a_download() -> None:
    told = operation(phase="download", done=1_200_000, total=2_400_000)
    assert bar_line(told, WIDE) == "switch hero_router  download  ━━━━━━━━╌╌╌╌╌╌╌╌  1.2 MB of 2.4 MB"
    assert cells(bar_line(told, Terminal(30))) < 30


def test_the_progress_line_is_drawn_ten_times_a_second_at_most() -> None:
    stream, times = io.StringIO(), iter([0.0, 0.0, 0.05, 0.2, 0.2])
    bar = Bar(stream, Terminal(60, live=True), clock=lambda: next(times))
    for done in range(3):
        bar.told(operation(phase="download", done=done, total=10))
    assert stream.getvalue().count("\r") == 2
    bar.clear()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_without_a_terminal_each_phase_is_a_line_and_a_build_is_one() -> None:
    stream = io.StringIO()
    progress = Phases(stream)
    for phase in ("", "worktree", "Compiling a", "Compiling b\x1b[2J", "swap", "swap"):
        progress.told(operation(phase=phase))
    assert stream.getvalue().splitlines() == [
        f"switch hero_router: {name}" for name in ("worktree", "build", "swap")
    ]


def test_a_quiet_run_shows_no_progress() -> None:
    assert isinstance(progress_on(io.StringIO(), WIDE, quiet=True), Silent)


def test_several_logs_are_told_apart_and_one_is_not() -> None:
    lines = [
        {"source": "hero_db", "time": None, "text": "a"},
        {"source": "hero_router", "time": None, "text": "b"},
    ]
    assert LogPrinter(WIDE, ["hero_db", "hero_router"], named=True).lines(lines) == [
        "hero_db      a",
        "hero_router  b",
    ]
    assert LogPrinter(WIDE, [], named=False).lines(lines) == ["a", "b"]


def test_a_log_keeps_its_colours_on_a_terminal_and_nothing_else() -> None:
    text = "\x1b[31mred\x1b[2J\x1b]0;t\x07\ttab"
    assert shown(text, colour=True) == "\x1b[31mred    tab\x1b[0m"
    assert shown(text, colour=False) == "red    tab"


def test_releases_operations_and_audit_are_tables() -> None:
    release = ReleaseInfo(
        tag="a-1c487cb1",
        branch="a",
        commit="1c",
        author="mik",
        published_at=ago(7200),
        platforms=("any",),
        size=2100,
    ).model_dump(mode="json")
    assert release_lines([release], WIDE, SECONDS)[1].split() == ["a-1c487cb1", "2h", "mik", "2.1", "kB", "any"]
    error = {"code": "failed", "message": "It broke.\n  at once", "hint": ""}
    failed = operation(state="failed", error=error, finished_at=NOW, actor="mik")
    assert "✗ failed  switch hero_router  mik" in operation_lines([failed], WIDE, SECONDS)[1]
    assert operation_lines([failed], WIDE, SECONDS)[1].endswith("It broke.")
    event = {
        "time": "2026-11-20T10:00:00Z",
        "slot": "mik",
        "kind": "audit.pull",
        "subject": "hero_db",
        "data": {"actor": "mik", "title": "pull hero_db", "outcome": "failed", "error": "No\nmore"},
    }
    assert audit_lines([event], WIDE)[1].split()[2:] == ["mik", "mik", "pull", "hero_db", "✗", "failed", "No"]


def test_signs_are_those_of_the_cockpit() -> None:
    for ours, theirs in ((UNICODE, glyphs.UNICODE), (ASCII, glyphs.ASCII)):
        assert dict(ours.health) == dict(theirs.health)
        assert dict(ours.drift) == dict(theirs.drift)
        assert dict(ours.build) == dict(theirs.build)
        assert (ours.busy, ours.unbound, ours.stale) == (theirs.busy, theirs.unbound, theirs.stale)
        assert (ours.bar_done, ours.bar_left) == (theirs.bar_done, theirs.bar_left)


def test_a_pipe_has_no_width_and_no_colour_and_columns_are_honoured() -> None:
    pipe = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    assert terminal_of(pipe, {}) == Terminal(None, False, UNICODE)
    assert terminal_of(pipe, {"COLUMNS": "40"}).width == 40
    assert terminal_of(pipe, {"COLUMNS": "wide"}).width is None


def test_an_output_that_is_not_utf8_gets_ascii() -> None:
    assert terminal_of(io.TextIOWrapper(io.BytesIO(), encoding="latin-1"), {}).signs is ASCII
    assert terminal_of(None, {}).signs is ASCII
