"""One service of a slot, everything that is known of it, one fact a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hero_tui.render.ages import age
from hero_tui.render.status import build_cell, drift_cell, health_cell
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, wrap


def detail_lines(one: Mapping[str, Any], terminal: Terminal, now: float) -> list[str]:
    """The facts of a service; those that say nothing are left out."""
    health, drift, build = health_cell(one, terminal), drift_cell(one, terminal), one["build"]
    facts = [
        ("branch", clean(one["branch"]), ""),
        ("hash", clean(one["hash"]), "info"),
        ("release", clean(one["tag"]), ""),
        ("from", clean(one["running_from"] or one["from"]), ""),
        ("repo", clean(one["repo"]), ""),
        ("health", _with(health.text, one["reason"], one["since"], now), health.style),
        ("exit code", "" if one["exit_code"] is None else str(one["exit_code"]), ""),
        ("last said", clean(one["last_log"]), ""),
        ("restarts", str(one["restarts"] or ""), ""),
        ("drift", _with(drift.text, one["drift_reason"], None, now), drift.style),
        ("build", build_cell(build, terminal, now).text, build_cell(build, terminal, now).style),
        ("build log", f"hero_dev logs --build {clean(build['id'])}" if build else "", ""),
        ("installed", f"{age(one['installed_at'], now)} ago" if one["installed_at"] else "", ""),
        ("needs", ", ".join(map(clean, one["depends_on"])), ""),
        ("url", clean(one["url"]), ""),
        ("socket", clean(one["socket"]), ""),
        ("worktree", clean(one["worktree"]), ""),
        ("pid", str(one["pid"] or ""), ""),
    ]
    lines = [terminal.paint(clean(one["service"]), "bold")]
    for name, text, style in facts:
        if text:
            lines += fact_lines(name, text, style, terminal)
    return lines


def fact_lines(name: str, text: str, style: str, terminal: Terminal) -> list[str]:
    """A fact under its name, in as many lines as it takes."""
    room = None if terminal.width is None else max(terminal.width - 13, 12)
    first, *rest = wrap(text, room)
    title = terminal.paint(f"  {name:9}", "dim")
    return [
        f"{title}  {terminal.paint(first, style)}",
        *(f"{'':13}{terminal.paint(line, style)}" for line in rest),
    ]


def _with(text: str, reason: str, since: str | None, now: float) -> str:
    parts = [text, *([f"for {age(since, now)}"] if since else []), *([f"({clean(reason)})"] if reason else [])]
    return " ".join(parts)
