"""Agents as a table, and an agent's log as lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hero_tui.render.ages import age, local
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, cut_middle

Data = Mapping[str, Any]

_COLUMNS = (
    Column("id", 0),
    Column("state", 1, 8, cut),
    Column("since", 4),
    Column("title", 3, 16, cut),
    Column("service", 5, 8, cut_middle),
    Column("branch", 6, 12, cut_middle),
    Column("on", 7),
    Column("model", 10, 8, cut),
    Column("effort", 11),
    Column("loop", 9),
    Column("turns", 12),
    Column("cost", 8),
    Column("context", 13),
    Column("waiting", 14),
    Column("last line", 2, 20, cut),
)

_WIDEST, _INDENT = 4000, 11
"""Characters of a line of a log, and where an entry's further lines begin."""

_STATE = {
    "starting": "info",
    "working": "good",
    "waiting": "warn",
    "idle": "",
    "error": "bad",
    "gone": "dim",
}
_KIND = {"prompt": "bold", "tool": "info", "answer": "", "wait": "warn", "error": "bad", "message": "bold"}
_SIGN = {"prompt": ">", "message": ">", "tool": "*", "wait": "?", "error": "!", "iteration": "#"}


def agent_lines(agents: Sequence[Data], terminal: Terminal, now: float, *, team: bool = False) -> list[str]:
    """A line an agent, in their order; with `team` each is named with its slot."""
    return table(_COLUMNS, [_row(one, now, team=team) for one in agents], terminal)


def says(one: Data) -> str:
    """The state as people read it: `waiting: permission`."""
    return f"{clean(one['state'])}: {clean(one['why'])}" if one["why"] else clean(one["state"])


def log_lines(lines: Iterable[Data], terminal: Terminal) -> list[str]:
    """Entries with their time; what an entry says on further lines is indented."""
    found = []
    for line in lines:
        kind, style = line["kind"], _KIND.get(line["kind"], "dim")
        first, *more = str(line["text"]).splitlines() or [""]
        tool = f"{clean(line['tool'])}: " if line["tool"] else ""
        head = f"{terminal.paint(local(line['time'])[11:], 'dim')} {_SIGN.get(kind, ' ')} "
        found.append(head + terminal.paint(f"{_label(kind)}{tool}{clean(first, _WIDEST)}", style))
        found += [" " * _INDENT + terminal.paint(clean(one, _WIDEST), style) for one in more]
    return found


def _label(kind: str) -> str:
    """The kind, where the sign alone does not say it."""
    return f"{kind} " if kind in ("start", "end", "iteration", "result") else ""


def _row(one: Data, now: float, *, team: bool) -> tuple[Cell, ...]:
    name = f"{one['slot']}/{one['id']}" if team else one["id"]
    doing = one["detail"] or (one["waiting"]["text"] if one["waiting"] else "") or one["last_line"]
    return (
        Cell(clean(name), "bold"),
        Cell(says(one), _STATE.get(one["state"], "")),
        Cell(age(one["since"], now)),
        Cell(clean(one["title"])),
        Cell(clean(one["service"])),
        Cell(clean(one["branch"])),
        Cell(clean(one["credential"]), "info"),
        Cell(clean(one["model"]), "dim"),
        Cell(clean(one["effort"]), "dim"),
        Cell(_loop(one)),
        Cell(str(one["turns"]) if one["turns"] else "", "dim"),
        Cell(f"${one['cost']:.2f}" if one["cost"] else ""),
        Cell(f"{one['context_used']:.0f}%" if one["context_used"] else "", "dim"),
        Cell(str(one["pending"]) if one["pending"] else "", "warn"),
        Cell(clean(doing.replace("\n", " ")), "dim"),
    )


def _loop(one: Data) -> str:
    """`2/5`, with how the last run went once it has ended."""
    if not one["loop_limit"]:
        return ""
    runs = one["iterations"]
    outcome = runs[-1]["outcome"] if runs else ""
    told = f" {clean(outcome)}" if outcome not in ("", "running", "again") else ""
    return f"{len(runs)}/{one['loop_limit']}{told}"
