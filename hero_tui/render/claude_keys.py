"""The org's Claude keys and their use as tables; what is shown of a key is its fingerprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hero_tui.render.ages import age, span
from hero_tui.render.table import Cell, Column, table
from hero_tui.render.terminal import Terminal
from hero_tui.render.text import clean, cut, wrap

Data = Mapping[str, Any]

_KEYS = (
    Column("key", 0, 8, cut),
    Column("fingerprint", 4),
    Column("state", 1, 1),
    Column("users", 2, 8, cut),
    Column("sessions", 5),
    Column("set", 3),
    Column("by", 6, 6, cut),
)
_USE = (
    Column("key", 1, 8, cut),
    Column("user", 0, 6, cut),
    Column("requests", 2),
    Column("refused", 5),
    Column("tokens in", 3),
    Column("tokens out", 4),
    Column("last", 6),
)
_SCALE = ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k"))


def key_lines(result: Data, terminal: Terminal, now: float) -> list[str]:
    """Every key, then what was used by whom, then what is wrong. `now` in seconds since the epoch."""
    lines = table(_KEYS, [_key(one, terminal, now) for one in result["keys"]], terminal) if result["keys"] else []
    if not lines:
        lines = ["The broker has no key. `hero_dev claude keys set ORG_CLAUDE_KEY_1` keeps one."]
    if result["use"]:
        lines += ["", *table(_USE, _by_user(result["use"], now), terminal)]
    for problem in result["problems"]:
        lines += wrap(f"{terminal.signs.health['unhealthy']} {clean(problem, 1000)}", terminal.width, "  ")
    return lines


def _key(one: Data, terminal: Terminal, now: float) -> tuple[Cell, ...]:
    return (
        Cell(clean(one["slot"]), "bold"),
        Cell(clean(one["fingerprint"]), "dim"),
        _state(one, terminal, now),
        Cell(", ".join(map(clean, one["users"])) or "nobody"),
        Cell(str(one["sessions"])),
        Cell(f"{age(one['set_at'], now)} ago"),
        Cell(clean(one["set_by"]), "dim"),
    )


def _state(one: Data, terminal: Terminal, now: float) -> Cell:
    left = datetime.fromisoformat(one["cooling_until"]).timestamp() - now if one["cooling_until"] else 0
    if left <= 0:
        return Cell(f"{terminal.signs.good} usable", "good", terminal.signs.good)
    sign = terminal.signs.build["queued"]
    return Cell(f"{sign} cooling, {span(left)} left", "warn", sign)


def _by_user(use: Sequence[Data], now: float) -> list[tuple[Cell, ...]]:
    return [
        (
            Cell(clean(one["slot"])),
            Cell(clean(one["user"]), "bold"),
            Cell(_count(one["requests"])),
            Cell(_count(one["refused"]) if one["refused"] else "", "warn"),
            Cell(_count(one["input_tokens"])),
            Cell(_count(one["output_tokens"])),
            Cell(f"{age(one['last_used'], now)} ago" if one["last_used"] else ""),
        )
        for one in use
    ]


def _count(number: int) -> str:
    for least, letter in _SCALE:
        if number >= least:
            return f"{number / (1000 if letter == 'k' else least):.1f}{letter}"
    return str(number)
