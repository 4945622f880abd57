"""A slot as text: a header, its problems, one line a service, and why a service is not simply well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hero_tui.render.ages import age
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import BUILD_STYLE, DRIFT_STYLE, HEALTH_STYLE, Terminal
from hero_tui.render.text import clean, cut_middle, cut_start, wrap

Status = Mapping[str, Any]

COLUMNS = (
    Column("service", 0, 8, cut_middle),
    Column("branch", 1, 8, cut_middle),
    Column("hash", 3),
    Column("from", 7),
    Column("drift", 4, 1),
    Column("health", 2, 1),
    Column("build", 8),
    Column("since", 6),
    Column("url", 5),
    Column("where", 9, 24, cut_start),
)
_BROKEN = ("unhealthy", "crashed", "unknown")
_ORDER = ("healthy", "starting", "unhealthy", "crashed", "unknown", "stopped")


def status_lines(status: Status, terminal: Terminal, now: float, *, peeked: bool = False) -> list[str]:
    """Everything that `hero_dev status` prints of a slot; `peeked`: it is somebody else's."""
    services = status["services"]
    lines = [*header(status, terminal, now, peeked=peeked), ""]
    if not services:
        return [*lines, *_empty(status, terminal, peeked=peeked)]
    lines += table(COLUMNS, [_row(one, terminal, now) for one in services], terminal)
    notes = [line for one in services for line in note_lines(one, terminal, now)]
    return [*lines, "", *notes] if notes else lines


def header(status: Status, terminal: Terminal, now: float, *, peeked: bool = False) -> list[str]:
    """Whose slot on which box, how many services are how, and the slot's problems."""
    dot = f" {terminal.signs.dot} "
    title = terminal.paint(f"{clean(status['slot'])} on {clean(status['box'])}", "bold")
    facts = [clean(status["role"]), *([summary(status["services"])] if status["services"] else [])]
    if status["credential"] != "none":
        facts.append(f"claude: {clean(status['credential'])}")
    if peeked:
        facts.append("read-only")
    plain_title = f"{clean(status['slot'])} on {clean(status['box'])}"
    first, *rest = wrap(dot.join([plain_title, *facts]), terminal.width, "  ")
    lines = [title + first[len(plain_title) :] if first.startswith(plain_title) else first, *rest]
    if status["stale"] or not status["online"]:
        sign = terminal.signs.stale
        text = f"{sign} The slot's daemon is away; this is what it told {age(status['seen_at'], now)} ago."
        lines += _painted(wrap(text, terminal.width, "  "), terminal, "warn")
    for problem in status["problems"]:
        text = f"{terminal.signs.health['unhealthy']} {clean(problem, 2000)}"
        lines += _painted(wrap(text, terminal.width, "  "), terminal, "bad")
    return lines


def summary(services: list[Status]) -> str:
    """`7 services: 6 healthy, 1 crashed`."""
    states = [one["health"] for one in services]
    counts = [f"{states.count(health)} {health}" for health in _ORDER if health in states]
    return f"{len(services)} service{'s' * (len(services) != 1)}: {', '.join(counts)}"


def note_lines(one: Status, terminal: Terminal, now: float) -> list[str]:
    """Why a service is not simply well, wrapped; nothing when it is."""
    facts = _health_facts(one, now) + _drift_facts(one) + _build_facts(one) + _busy_facts(one)
    if not facts:
        return []
    dot = f" {terminal.signs.dot} "
    first, *rest = wrap(f"{clean(one['service'])}  {dot.join(facts)}", _narrower(terminal.width), "  ")
    return [f"{_worst_sign(one, terminal)} {first}", *(f"  {line}" for line in rest)]


def health_cell(one: Status, terminal: Terminal) -> Cell:
    """Sign and word of what the process does."""
    health = one["health"]
    sign = terminal.signs.busy if one["operation"] else terminal.signs.health[health]
    return Cell(f"{sign} {health}", HEALTH_STYLE.get(health, "dim"), sign)


def drift_cell(one: Status, terminal: Terminal) -> Cell:
    """Sign and word of what is installed against what is asked for."""
    drift = one["drift"]
    sign = terminal.signs.drift[drift]
    return Cell(f"{sign} {drift}", DRIFT_STYLE.get(drift, "dim"), sign)


def build_cell(build: Status | None, terminal: Terminal, now: float) -> Cell:
    """The newest build: how it ended, and how long ago."""
    if build is None:
        return Cell("")
    state = build["state"]
    when = age(build["finished_at"] or build["started_at"], now)
    word = "" if state == "succeeded" else f" {state}"
    return Cell(f"{terminal.signs.build[state]}{word} {when}", BUILD_STYLE.get(state, "dim"))


def _row(one: Status, terminal: Terminal, now: float) -> tuple[Cell, ...]:
    return (
        Cell(clean(one["service"])),
        Cell(clean(one["branch"])),
        Cell(clean(one["hash"][:8]), "info"),
        Cell(clean(one["from"])),
        drift_cell(one, terminal),
        health_cell(one, terminal),
        build_cell(one["build"], terminal, now),
        Cell(age(one["since"], now), "dim"),
        Cell(clean(one["url"])),
        Cell("" if one["url"] else clean(one["socket"]), "dim"),
    )


def _health_facts(one: Status, now: float) -> list[str]:
    health = one["health"]
    if health == "healthy" or (health == "stopped" and one["enabled"] and not one["reason"]):
        return []
    since = age(one["since"], now)
    facts = [f"{health} {since} ago" if since and health != "starting" else health]
    if not one["enabled"]:
        facts.append("not enabled")
    if one["reason"]:
        facts.append(clean(one["reason"]))
    if one["restarts"] and "restart" not in one["reason"]:
        facts.append(f"restarted {one['restarts']} time{'s' * (one['restarts'] != 1)}")
    if one["last_log"] and health in _BROKEN and one["last_log"] not in one["reason"]:
        facts.append(f"last said: {clean(one['last_log'], 200)}")
    return facts


def _worst_sign(one: Status, terminal: Terminal) -> str:
    """The sign of what a person should look at first."""
    health, build, drift = one["health"], one["build"], one["drift"]
    if health != "healthy":
        return terminal.paint(terminal.signs.health[health], HEALTH_STYLE.get(health, "dim"))
    if build and build["state"] == "failed":
        return terminal.paint(terminal.signs.build["failed"], BUILD_STYLE["failed"])
    if one["operation"]:
        return terminal.paint(terminal.signs.busy, "warn")
    return terminal.paint(terminal.signs.drift[drift], DRIFT_STYLE.get(drift, "dim"))


def _drift_facts(one: Status) -> list[str]:
    if one["drift"] in ("current", "pinned"):
        return []
    reason = clean(one["drift_reason"])
    return [reason if one["drift"] in reason else f"{one['drift']}: {reason}" if reason else one["drift"]]


def _build_facts(one: Status) -> list[str]:
    build = one["build"]
    if build is None or build["state"] != "failed":
        return []
    first = (build["error"].splitlines() or [""])[0]
    return [f"{clean(first) or 'the build failed.'} `hero_dev logs --build {clean(build['id'])}`"]


def _busy_facts(one: Status) -> list[str]:
    operation = one["operation"]
    return [f"{clean(operation['title'])}: {clean(operation['phase']) or 'begins'}"] if operation else []


def _empty(status: Status, terminal: Terminal, *, peeked: bool) -> list[str]:
    if peeked:
        return [f"{clean(status['slot'])} has no services bound."]
    text = (
        f"{clean(status['slot'])} has no services bound yet. `hero_dev bind SERVICE` adds one and runs its newest "
        "release; `hero_dev status --all` shows what the others run."
    )
    return wrap(text, terminal.width)


def _painted(lines: list[str], terminal: Terminal, style: str) -> list[str]:
    return [terminal.paint(line, style) for line in lines]


def _narrower(width: int | None) -> int | None:
    return None if width is None else max(width - 2, 8)
