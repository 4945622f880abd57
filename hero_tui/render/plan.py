"""Plans and outcomes as text: what an action would do, what it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hero_tui.render.ages import elapsed
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, size, wrap

Data = Mapping[str, Any]

_SOURCES = {"release": "from its release", "build": "built here", "hash": "pinned"}


def plan_lines(plan: Data, terminal: Terminal) -> list[str]:
    """What would be done, step by step; nothing has been done."""
    what = " ".join(clean(part) for part in (plan["action"], plan["service"], plan["branch"]) if part)
    if plan["nothing_to_do"]:
        return [f"{what}: nothing to do."]
    lines = wrap(f"{terminal.paint(what, 'bold')} would", None)
    for step in plan["steps"]:
        detail = clean(step["detail"])
        text = f"{step['action']:9} {clean(step['subject'])}{f' ({detail})' if detail else ''}"
        lines += [f"  {line}" for line in wrap(text, _narrower(terminal.width), " " * 10)]
    facts = _facts(plan)
    if facts:
        dot = f" {terminal.signs.dot} "
        lines += [terminal.paint(line, "dim") for line in wrap(dot.join(facts), terminal.width)]
    for warning in plan["warnings"]:
        text = f"{terminal.signs.health['unhealthy']} {clean(warning)}"
        lines += [terminal.paint(line, "warn") for line in wrap(text, terminal.width, "  ")]
    return lines


def outcome_lines(operation: Data, service: Data | None, terminal: Terminal) -> list[str]:
    """What an operation that succeeded has done, in a line or two; `service` is the one that it was about, now."""
    result = operation["result"]
    effort = _effort(operation)
    text = f"{runs(service) if service else _done(operation)}{f'; {effort}' if effort else ''}."
    sign = terminal.paint(terminal.signs.good, "good")
    first, *rest = wrap(text, _narrower(terminal.width))
    lines = [f"{sign} {first}", *(f"  {line}" for line in rest)]
    if result.get("note"):
        lines += [f"  {line}" for line in wrap(clean(result["note"]), _narrower(terminal.width))]
    if result.get("before") and result.get("service"):
        back = f"`hero_dev switch {clean(result['service'])} --back` returns to {clean(result['before'][:8])}."
        lines += [f"  {terminal.paint(line, 'dim')}" for line in wrap(back, _narrower(terminal.width))]
    return lines


def nothing_lines(operation: Data) -> list[str]:
    """Why an operation had nothing to do."""
    note = operation["result"].get("note")
    return [f"{clean(operation['title'])}: nothing to do{f', {clean(note)}' if note else '.'}"]


def runs(one: Data) -> str:
    """What a service runs now."""
    service = clean(one["service"])
    if not one["hash"]:
        return f"{service} has nothing installed"
    source = _SOURCES[one["from"]]
    version = f"{clean(one['branch'])} {clean(one['hash'][:8])}, {source}"
    if one["health"] == "stopped":
        return f"{service} is stopped; installed is {version}"
    return f"{service} runs {version}, {one['health']}"


def _done(operation: Data) -> str:
    kind, result = operation["kind"], operation["result"]
    if kind in ("start", "stop", "restart"):
        names = result.get("stopped" if kind == "stop" else "started", [])
        verb = {"start": "started", "stop": "stopped", "restart": "restarted"}[kind]
        return f"{verb} {_names(names)}"
    if kind == "pull":
        return f"pulled {_names(result.get('pulled', []))}"
    if kind == "sync":
        trees = len(result.get("worktrees", []))
        fetched = len(result.get("fetched", []))
        repositories = _count(fetched, "repository", "repositories")
        return f"fetched {repositories}; {_count(trees, 'worktree', 'worktrees')} in place"
    if kind == "unbind":
        return f"{clean(result.get('service', ''))} is no longer bound; its worktrees and data stay"
    return clean(operation["title"])


def _effort(operation: Data) -> str:
    """Whether it compiled, what it published, how long it took."""
    result = operation["result"]
    parts = ["compiled"] if result.get("compiled") else []
    if result.get("compiled") and result.get("tag"):
        parts.append(f"published as {clean(result['tag'])}")
    took = elapsed(operation["started_at"], operation["finished_at"])
    return ", ".join([*parts, *([took] if took and took != "0.0 s" else [])])


def _facts(plan: Data) -> list[str]:
    facts = []
    if plan["compiles"]:
        facts.append("compiles")
    elif plan["installed"]:
        facts.append("already on disk")
    elif plan["cached"]:
        facts.append("in the box's cache, nothing to download")
    if plan["size"] and not plan["cached"] and not plan["installed"]:
        facts.append(f"{size(plan['size'])} to download")
    if plan["tag"]:
        facts.append(clean(plan["tag"]))
    elif plan["commit"]:
        facts.append(f"commit {clean(plan['commit'][:8])}")
    if plan["restarts"]:
        facts.append(f"restarts {_names(plan['restarts'])}")
    return facts


def _names(names: list[str]) -> str:
    return ", ".join(clean(name) for name in names) or "nothing"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _narrower(width: int | None) -> int | None:
    return None if width is None else max(width - 2, 8)
