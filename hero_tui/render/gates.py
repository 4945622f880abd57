"""Gates and webhooks as tables: what the team's trunk is worth, and whether the forge tells of its changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hero_tui.render.ages import age
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, cut_middle

Data = Mapping[str, Any]

_GATES = (
    Column("service", 0, 8, cut_middle),
    Column("trunk", 5, 8, cut_middle),
    Column("commit", 6),
    Column("builds", 1, 1),
    Column("archives", 2, 1),
    Column("healthy", 3, 1),
    Column("why not", 4, 12, cut),
)
_HOOKS = (
    Column("repo", 0, 12, cut_middle),
    Column("state", 1, 1),
    Column("last seen", 2),
    Column("rotated", 4),
    Column("url", 5, 12, cut_middle),
    Column("detail", 3, 12, cut),
)
_GATE_STYLES = {"pass": "good", "fail": "bad", "wait": "warn"}
_HOOK_STYLES = {"installed": "good", "missing": "warn", "outdated": "warn", "inactive": "warn", "error": "bad"}


def gate_lines(gates: Sequence[Data], terminal: Terminal) -> list[str]:
    """One line a service, in their order."""
    return table(_GATES, [_gate(one, terminal) for one in gates], terminal)


def hook_lines(hooks: Sequence[Data], terminal: Terminal, now: float) -> list[str]:
    """One line a repository, in their order."""
    return table(_HOOKS, [_hook(one, terminal, now) for one in hooks], terminal)


def _gate(one: Data, terminal: Terminal) -> tuple[Cell, ...]:
    return (
        Cell(clean(one["service"]), "bold"),
        Cell(clean(one["branch"])),
        Cell(clean(one["commit"][:8]), "info"),
        _verdict(one["builds"], terminal),
        _verdict(one["archives"], terminal, ", ".join(map(clean, one["missing"]))),
        _verdict(one["healthy"], terminal),
        Cell(clean(one["reason"])),
    )


def _verdict(state: str, terminal: Terminal, missing: str = "") -> Cell:
    signs = {"pass": terminal.signs.good, "fail": terminal.signs.bad, "wait": terminal.signs.build["queued"]}
    sign = signs.get(state, "?")
    return Cell(f"{sign} {missing or clean(state)}", _GATE_STYLES.get(state, "dim"), sign)


def _hook(one: Data, terminal: Terminal, now: float) -> tuple[Cell, ...]:
    state = clean(one["state"])
    known = {"installed": terminal.signs.good, "not_needed": terminal.signs.dot}
    sign = known.get(state, terminal.signs.bad)
    return (
        Cell(clean(one["repo"]), "bold"),
        Cell(f"{sign} {state.replace('_', ' ')}", _HOOK_STYLES.get(state, "dim"), sign),
        _ago(one["last_seen"], now),
        _ago(one["rotated_at"], now),
        Cell(clean(one["url"]), "dim"),
        Cell(clean(one["detail"])),
    )


def _ago(moment: str | None, now: float) -> Cell:
    return Cell(f"{age(moment, now)} ago" if moment else "")
