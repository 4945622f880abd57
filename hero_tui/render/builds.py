"""The build queue and its history as a table, and one build in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hero_tui.render.ages import age, local, seconds_since, took
from hero_tui.render.detail import fact_lines
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import BUILD_STYLE, Terminal
from hero_tui.render.text import clean, cut, cut_middle, wrap

Data = Mapping[str, Any]

QUEUE = "queue"
"""The phase in which a build waited; below a second it says nothing."""

_COLUMNS = (
    Column("id", 0),
    Column("state", 1, 1),
    Column("slot", 3, 8, cut),
    Column("service", 4, 8, cut_middle),
    Column("branch", 5, 12, cut_middle),
    Column("commit", 8),
    Column("why", 9, 10, cut),
    Column("age", 6),
    Column("took", 7),
    Column("phases", 10, 16, cut),
    Column("result", 2, 28, cut),
)


def build_lines(answer: Data, terminal: Terminal, now: float) -> list[str]:
    """How the queue stands in a line, then a line a build, in their order."""
    builds: Sequence[Data] = answer["builds"]
    head = wrap(terminal.paint(_head(builds, answer["at_once"], terminal), "dim"), None)
    return [*head, *table(_COLUMNS, [_row(one, terminal, now) for one in builds], terminal)]


def build_detail_lines(one: Data, terminal: Terminal, now: float) -> list[str]:
    """Everything that is known of a build, a fact a line."""
    queued = f"{local(one['queued_at'])}, {age(one['queued_at'], now)} ago" if one["queued_at"] else ""
    facts = (
        ("state", _state(one, terminal).text, _state(one, terminal).style),
        ("waits", clean(one["waits_for"]), "warn"),
        ("slot", clean(one["slot"]), ""),
        ("repo", clean(one["repo"]), ""),
        ("branch", clean(one["branch"]), ""),
        ("commit", clean(one["commit"]), "info"),
        ("why", why(one), ""),
        ("wants", _wants(one), ""),
        ("queued", queued, ""),
        ("took", build_took(one, now), ""),
        ("phases", phases(one, terminal), ""),
        ("tries", str(one["attempt"]) if one["attempt"] > 1 else "", "warn"),
        ("tag", clean(one["tag"]), "info"),
        ("instead", clean(one["superseded_by"]), ""),
        *(("error" if not number else "", clean(line), "bad") for number, line in enumerate(_lines(one["error"]))),
        *(("next" if not number else "", clean(line), "") for number, line in enumerate(_lines(one["hint"]))),
        ("log", f"hero_dev build log {clean(one['id'])}" if one["started_at"] else "", "dim"),
    )
    lines = [terminal.paint(f"{clean(one['service'])}  {clean(one['id'])}", "bold")]
    for name, text, style in facts:
        if text:
            lines += fact_lines(name, text, style, terminal)
    return lines


def why(one: Data) -> str:
    """Who or what asked for it: `webhook`, `submit by mik`, with how many later requests it answers too."""
    by = f" by {clean(one['actor'])}" if one["actor"] not in ("", one["slot"], one["reason"]) else ""
    more = f" +{one['coalesced']}" if one["coalesced"] else ""
    return f"{clean(one['reason'])}{by}{more}".strip()


def phases(one: Data, terminal: Terminal) -> str:
    """`worktree 0.2s · compile 41s · pack 0.3s`."""
    told = [each for each in one["phases"] if each["name"] != QUEUE or each["seconds"] >= 1]
    return f" {terminal.signs.dot} ".join(f"{clean(each['name'], 40)} {took(each['seconds'])}" for each in told)


def build_took(one: Data, now: float) -> str:
    """How long it took, or has been running."""
    begun = seconds_since(one["started_at"], now)
    ended = seconds_since(one["finished_at"], now)
    return "" if begun is None else took(max(0.0, begun - (ended or 0.0)))


def _head(builds: Sequence[Data], at_once: int, terminal: Terminal) -> str:
    count = [sum(one["state"] == state for one in builds) for state in ("running", "queued")]
    parts = (f"{count[0]} running", f"{count[1]} queued", f"at most {at_once} at a time on this box")
    return f" {terminal.signs.dot} ".join(parts)


def _row(one: Data, terminal: Terminal, now: float) -> tuple[Cell, ...]:
    return (
        Cell(clean(one["id"]), "dim"),
        _state(one, terminal),
        Cell(clean(one["slot"])),
        Cell(clean(one["service"]), "bold"),
        Cell(clean(one["branch"])),
        Cell(clean(one["commit"][:8]), "info"),
        Cell(why(one), "dim"),
        Cell(age(one["started_at"] or one["queued_at"], now)),
        Cell(build_took(one, now)),
        Cell(phases(one, terminal), "dim"),
        _result(one),
    )


def _state(one: Data, terminal: Terminal) -> Cell:
    sign = terminal.signs.build.get(one["state"], "?")
    return Cell(f"{sign} {clean(one['state'])}", BUILD_STYLE.get(one["state"], "dim"), sign)


def _result(one: Data) -> Cell:
    """What came of it: its tag, what went wrong, what it waits for, which one made it pointless."""
    if one["state"] in ("queued", "running"):
        return Cell(clean(one["waits_for"]), "warn")
    if one["state"] == "superseded" and one["superseded_by"]:
        return Cell(f"by {clean(one['superseded_by'])}", "dim")
    if one["error"]:
        return Cell(clean(next(iter(_lines(one["error"])), "")), "bad" if one["state"] == "failed" else "dim")
    return Cell(clean(one["tag"]), "info")


def _wants(one: Data) -> str:
    wants = [name for name in ("publish", "restart") if one[name]]
    return ", ".join([*wants, *(["a step of an operation"] if one["attached"] else []), clean(one["priority"])])


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.splitlines() if line.strip()]
