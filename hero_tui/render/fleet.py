"""The fleet as text: users × services where that fits, else one block a user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hero_tui.render.ages import age
from hero_tui.render.status import note_lines, summary
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import DRIFT_STYLE, HEALTH_STYLE, Terminal
from hero_tui.render.text import cells, clean, cut_middle, wrap

Data = Mapping[str, Any]

_INTEGRATION = "integration"


def fleet_lines(fleet: Data, terminal: Terminal, now: float) -> list[str]:
    """Everything that `hero_dev status --all` prints."""
    slots = sorted(fleet["slots"], key=lambda slot: (slot["role"] != _INTEGRATION, slot["slot"]))
    lines = [*_header(fleet, slots, terminal), ""]
    if not slots:
        text = "The box has no slots yet: a file in users/ of the team repo makes one."
        return [*lines, *wrap(text, terminal.width)]
    matrix = _matrix(fleet, slots, terminal)
    fits = terminal.width is None or max(map(_printed, matrix)) <= terminal.width
    lines += matrix if fits else _list(slots, terminal, now)
    notes = [line for slot in slots for line in _notes(slot, terminal, now)]
    return [*lines, "", *notes] if notes else lines


def _header(fleet: Data, slots: list[Data], terminal: Terminal) -> list[str]:
    dot = f" {terminal.signs.dot} "
    services = [one for slot in slots for one in slot["services"]]
    away = [clean(slot["slot"]) for slot in slots if slot["stale"] or not slot["online"]]
    facts = [f"{len(slots)} slot{'s' * (len(slots) != 1)}", *([summary(services)] if services else [])]
    if away:
        facts.append(f"away: {', '.join(away)}")
    first, *rest = wrap(dot.join([f"box {clean(fleet['box'])}", *facts]), terminal.width, "  ")
    lines = [terminal.paint(first, "bold"), *rest]
    for problem in fleet["problems"]:
        text = f"{terminal.signs.health['unhealthy']} {clean(problem, 2000)}"
        lines += [terminal.paint(line, "bad") for line in wrap(text, terminal.width, "  ")]
    return lines


def _matrix(fleet: Data, slots: list[Data], terminal: Terminal) -> list[str]:
    names = _names(fleet, slots)
    start = _shared_start(names)
    titles = [clean(name.removeprefix(start)) for name in names]
    columns = [Column("user", 0), *(Column(title, number) for number, title in enumerate(titles, 1))]
    rows = []
    for slot in slots:
        bound = {one["service"]: one for one in slot["services"]}
        rows.append([_user(slot, terminal), *(_cell(bound.get(name), terminal) for name in names)])
    return table(columns, rows, terminal._replace(width=None))


def _names(fleet: Data, slots: list[Data]) -> list[str]:
    """The services that anybody runs, in the catalogue's order."""
    bound = {one["service"] for slot in slots for one in slot["services"]}
    known = [entry["name"] for entry in fleet["catalogue"] if entry["name"] in bound]
    return known + sorted(bound - set(known))


def _shared_start(names: list[str]) -> str:
    """What all names begin with, up to its last `_`: `hero_`."""
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)
    same = next((n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[: first.rfind("_", 0, same) + 1]


def _user(slot: Data, terminal: Terminal) -> Cell:
    away = slot["stale"] or not slot["online"]
    return Cell(f"{clean(slot['slot'])}{' ' + terminal.signs.stale if away else ''}", "dim" if away else "bold")


def _cell(one: Data | None, terminal: Terminal) -> Cell:
    if one is None:
        return Cell(terminal.signs.unbound, "dim")
    sign = terminal.signs.busy if one["operation"] else terminal.signs.health[one["health"]]
    drift = "" if one["drift"] == "current" else terminal.signs.drift[one["drift"]]
    return Cell(f"{sign} {clean(one['hash'][:8]) or 'none'}{drift}", HEALTH_STYLE.get(one["health"], "dim"))


def _list(slots: list[Data], terminal: Terminal, now: float) -> list[str]:
    lines: list[str] = []
    columns = (
        Column("", 1),
        Column("service", 0, 8, cut_middle),
        Column("branch", 2, 8, cut_middle),
        Column("hash", 3),
        Column("drift", 4, 1),
        Column("since", 5),
    )
    for slot in slots:
        lines += [*([""] if lines else []), terminal.paint(_user(slot, terminal).text, "bold")]
        rows = [_list_row(one, terminal, now) for one in slot["services"]]
        lines += table(columns, rows, terminal)[1:] if rows else [terminal.paint("no services bound", "dim")]
    return lines


def _list_row(one: Data, terminal: Terminal, now: float) -> tuple[Cell, ...]:
    sign = terminal.signs.busy if one["operation"] else terminal.signs.health[one["health"]]
    drift = terminal.signs.drift[one["drift"]]
    return (
        Cell(sign, HEALTH_STYLE.get(one["health"], "dim")),
        Cell(clean(one["service"])),
        Cell(clean(one["branch"])),
        Cell(clean(one["hash"][:8]), "info"),
        Cell(f"{drift} {one['drift']}", DRIFT_STYLE.get(one["drift"], "dim"), drift),
        Cell(age(one["since"], now), "dim"),
    )


def _notes(slot: Data, terminal: Terminal, now: float) -> list[str]:
    """Why a service does not work, with its slot's name; drift is told by its sign."""
    name = clean(slot["slot"])
    lines = [f"{terminal.signs.health['unhealthy']} {name}  {clean(problem)}" for problem in slot["problems"]]
    for one in slot["services"]:
        if one["health"] in ("crashed", "unhealthy"):
            lines += note_lines({**one, "service": f"{name} {one['service']}"}, terminal, now)
    return lines


def _printed(line: str) -> int:
    """The cells of a line, its colours aside."""
    if "\x1b" not in line:
        return cells(line)
    plain, _, rest = line.partition("\x1b[")
    width = cells(plain)
    for part in rest.split("\x1b["):
        width += cells(part.partition("m")[2])
    return width
