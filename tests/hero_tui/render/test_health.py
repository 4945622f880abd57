"""What the doctor found, as lines: the worst first at the end, harmless, in colour only where asked for."""

from __future__ import annotations

from backends.model.health_report import HealthFinding, HealthMend, HealthReport, HealthState
from hero_tui.render.health import mend_lines, part_lines, summary_lines
from hero_tui.render.signs import ASCII
from hero_tui.render.terminal import Terminal

PLAIN = Terminal()


def finding(state: HealthState, title: str, what: str = "It is so.", **more: object) -> HealthFinding:
    fields = {"id": f"disk.{title}", "group": "disk", "title": title, "state": state, "what": what, **more}
    return HealthFinding.model_validate(fields)


def report(*findings: HealthFinding) -> HealthReport:
    return HealthReport(box="b", kind="rootless", version="1", seconds=1.26, findings=findings)


def test_a_part_has_a_line_a_finding_and_one_for_what_was_skipped_for_the_same_reason() -> None:
    lines = part_lines(
        "disk",
        [finding("ok", "room"), finding("skipped", "a", "not here"), finding("skipped", "b", "not here")],
        PLAIN,
    )
    assert lines == [
        "disk",
        "  ✓ room                     It is so.",
        "  · a, b                     not here",
    ]


def test_of_one_slot_among_several_only_what_is_not_well_is_shown() -> None:
    lines = part_lines("slot sara", [finding("ok", "a"), finding("bad", "b"), finding("skipped", "c")], PLAIN)
    assert lines == ["slot sara", "  ✗ b                        It is so.", "  ✓ 1 well, 1 skipped"]


def test_the_summary_has_what_is_bad_before_what_is_to_be_looked_at() -> None:
    lines = summary_lines(
        report(
            finding("warn", "later", mend="do that"),
            finding("ok", "fine"),
            finding("bad", "first", slot="sara", why="It hurts.", mend="do this", fixable=True),
        ),
        PLAIN,
        fixed=False,
    )
    assert lines == [
        "1 bad, 1 to look at, 1 well (1.3 s)",
        "",
        "✗ first · sara",
        "  It is so.",
        "  why   It hurts.",
        "  mend  do this",
        "",
        "▲ later",
        "  It is so.",
        "  mend  do that",
        "",
        "`hero_dev doctor --fix` mends 1 of these; it touches no work.",
    ]


def test_a_command_is_never_broken_into_lines() -> None:
    command = "git --git-dir=/a/very/long/path worktree repair /another/very/long/path/to/a/worktree"
    lines = summary_lines(report(finding("bad", "x", mend=command)), Terminal(width=40), fixed=True)
    assert f"  mend  {command}" in lines


def test_nothing_from_outside_reaches_the_terminal_as_it_is() -> None:
    bad = finding("bad", "\x1b[2Jx", "a\x1b]0;t\x07b", why="\x9b1m", mend="c\rd")
    lines = [*part_lines("\x1b[1m", [bad], PLAIN), *summary_lines(report(bad), PLAIN, fixed=True)]
    assert not set("\x1b\x07\x9b\r") & set("".join(lines))


def test_what_was_mended_is_told() -> None:
    done = HealthMend(id="a.b", slot="sara", done=True, what="It is whole.")
    assert mend_lines([done], PLAIN) == ["mended", "  ✓ It is whole. (sara)"]
    failed = HealthMend(id="a.b", done=False, what="Not you.")
    lines = mend_lines([done, failed], Terminal(signs=ASCII))
    assert lines == ["mended, as far as it went", "  + It is whole. (sara)", "  x Not you."]
    assert mend_lines([], PLAIN) == ["--fix found nothing that it may mend."]
