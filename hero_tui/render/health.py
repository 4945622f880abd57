"""What `hero_dev doctor` found, as lines: a part as it is done, and at the end what is wrong, the worst first."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model.health_report import HealthFinding, HealthMend, HealthReport
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import cells, clean, pad, wrap

_STYLE = {"ok": "good", "warn": "warn", "bad": "bad", "skipped": "dim"}
_COUNTED = {"bad": "bad", "warn": "to look at", "ok": "well", "skipped": "skipped"}
_TITLE = 24
_LIMIT = 600


def sign_of(state: str, terminal: Terminal) -> str:
    """The sign of a state, in its colour."""
    signs = terminal.signs
    sign = {"ok": signs.good, "warn": signs.health["unhealthy"], "bad": signs.bad, "skipped": signs.dot}[state]
    return terminal.paint(sign, _STYLE[state])


def part_lines(heading: str, findings: Sequence[HealthFinding], terminal: Terminal) -> list[str]:
    """One part of the examination, a finding under another; of one slot among several, only what is not well."""
    lines = [terminal.paint(clean(heading), "bold")]
    one_of_many = heading.startswith("slot ")
    for one in findings:
        if one.state in ("bad", "warn") or (one.state == "ok" and not one_of_many):
            lines += _row(one.state, one.title, one.what, terminal)
    if one_of_many:
        well = sum(one.state == "ok" for one in findings)
        return [*lines, f"  {sign_of('ok', terminal)} {well} well, {_skipped_count(findings)} skipped"]
    for reason, titles in _skipped(findings).items():
        lines += _row("skipped", ", ".join(titles), reason, terminal)
    return lines


def _row(state: str, title: str, what: str, terminal: Terminal) -> list[str]:
    name = pad(clean(title), _TITLE)
    room = None if terminal.width is None else max(terminal.width - cells(name) - 5, 24)
    first, *rest = wrap(clean(what, _LIMIT), room)
    style = "dim" if state == "skipped" else ""
    lines = [f"  {sign_of(state, terminal)} {name} {terminal.paint(first, style)}"]
    return lines + [f"  {'':{cells(name) + 2}} {terminal.paint(line, style)}" for line in rest]


def _skipped(findings: Sequence[HealthFinding]) -> dict[str, list[str]]:
    """The titles of what was skipped, by the reason."""
    found: dict[str, list[str]] = {}
    for one in findings:
        if one.state == "skipped":
            found.setdefault(one.what, []).append(one.title)
    return found


def _skipped_count(findings: Sequence[HealthFinding]) -> int:
    return sum(one.state == "skipped" for one in findings)


def mend_lines(mends: Sequence[HealthMend], terminal: Terminal) -> list[str]:
    """What `--fix` did, a line each."""
    if not mends:
        return [terminal.paint("--fix found nothing that it may mend.", "dim")]
    lines = [terminal.paint("mended" if all(one.done for one in mends) else "mended, as far as it went", "bold")]
    for one in mends:
        whose = f" ({clean(one.slot)})" if one.slot else ""
        # Lines to copy and whole paths are in it: it is not broken.
        lines.append(f"  {sign_of('ok' if one.done else 'bad', terminal)} {clean(one.what, _LIMIT)}{whose}")
    return lines


def summary_lines(report: HealthReport, terminal: Terminal, *, fixed: bool) -> list[str]:
    """How many of each state; then what is bad and what to look at, with why it matters and what mends it."""
    counts = [f"{len(report.of(state))} {name}" for state, name in _COUNTED.items() if report.of(state)]  # type: ignore[arg-type]
    worst = "bad" if report.of("bad") else "warn" if report.of("warn") else "ok"
    lines = [terminal.paint(f"{', '.join(counts)} ({report.seconds:.1f} s)", _STYLE[worst])]
    ill = (*report.of("bad"), *report.of("warn"))
    for one in ill:
        lines += ["", *_ill_lines(one, terminal)]
    if not fixed and any(one.fixable for one in ill):
        count = sum(one.fixable for one in ill)
        lines += ["", f"`hero_dev doctor --fix` mends {count} of these; it touches no work."]
    return lines


def _ill_lines(one: HealthFinding, terminal: Terminal) -> list[str]:
    whose = f" {terminal.signs.dot} {clean(one.slot)}" if one.slot else ""
    lines = [f"{sign_of(one.state, terminal)} {terminal.paint(f'{clean(one.title)}{whose}', 'bold')}"]
    for name, text in (("", one.what), ("why", one.why), ("mend", one.mend)):
        if not text:
            continue
        # A command is to be copied: it is not broken into lines.
        room = None if terminal.width is None or name == "mend" else max(terminal.width - 8, 24)
        first, *rest = wrap(clean(text, _LIMIT), room)
        lines.append(f"  {terminal.paint(f'{name:5}', 'dim') if name else ''}{' ' if name else ''}{first}")
        lines += [f"{'':{8 if name else 2}}{line}" for line in rest]
    return lines
