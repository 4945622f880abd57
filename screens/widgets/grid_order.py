"""In which order the fleet's rows stand, under which heads, and what a head says of the rows below it; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from screens.widgets.grid_data import GridCell, GridRow

Sort = Literal["name", "trouble", "agents"]
Group = Literal["none", "box", "role", "state"]

SORTS: tuple[Sort, ...] = ("name", "trouble", "agents")
GROUPS: tuple[Group, ...] = ("none", "box", "role", "state")

_HEAD = "\0"
"""No user's name begins with it."""
_STATES = ("trouble", "waiting", "away", "well")
_AGENTS = ("waiting", "error", "working", "starting", "idle", "")
_WORST = ("crashed", "unhealthy", "missing", "failed", "starting", "unknown", "stopped", "healthy")


@dataclass(frozen=True, slots=True)
class Order:
    """How rows are sorted and grouped; `folded` are the keys of heads whose rows are hidden."""

    sort: Sort = "name"
    group: Group = "none"
    folded: frozenset[str] = frozenset()

    def follows(self, faults: int, before: int) -> bool:
        """Whether a row with so many faults, `before` that so many, may stand elsewhere now."""
        if self.group == "state" and bool(faults) != bool(before):
            return True
        return self.sort == "trouble" and faults != before


@dataclass(frozen=True, slots=True)
class Arranged:
    """Rows in order, heads among them, and by row the key of its head, hidden rows too."""

    rows: tuple[GridRow, ...] = ()
    heads: dict[str, str] = field(default_factory=dict)


def arranged(rows: Sequence[GridRow], order: Order, faults: Callable[[str], int]) -> Arranged:
    """Pinned rows first and under no head, then the others as `order` has them."""
    pinned = tuple(row for row in rows if row.pinned)
    others = _sorted([row for row in rows if not row.pinned], order.sort, faults)
    if order.group == "none":
        return Arranged(pinned + tuple(others))
    groups: dict[str, list[GridRow]] = {}
    for row in others:
        groups.setdefault(_group(row, order.group, faults), []).append(row)
    shown: list[GridRow] = list(pinned)
    heads: dict[str, str] = {}
    for name in sorted(groups, key=lambda name: (_STATES.index(name) if order.group == "state" else 0, name)):
        key, members = _HEAD + name, groups[name]
        folded = key in order.folded
        shown.append(GridRow(key, name, head=True, folded=folded, members=len(members)))
        shown += [] if folded else members
        heads |= {row.key: key for row in members}
    return Arranged(tuple(shown), heads)


def is_head(key: str) -> bool:
    """True for the key of a head."""
    return key.startswith(_HEAD)


def _sorted(rows: Iterable[GridRow], sort: Sort, faults: Callable[[str], int]) -> list[GridRow]:
    """A box's own leading row comes first whatever the order is."""
    if sort == "trouble":
        return sorted(rows, key=lambda row: (not row.leads, -faults(row.key), -row.waits, row.key))
    if sort == "agents":
        return sorted(
            rows,
            key=lambda row: (not row.leads, -row.waits, _AGENTS.index(row.agents_state), -row.agents, row.key),
        )
    return sorted(rows, key=lambda row: not row.leads)


def _group(row: GridRow, group: Group, faults: Callable[[str], int]) -> str:
    if group == "box":
        return row.box or "this box"
    if group == "role":
        return row.role or "no role"
    if faults(row.key):
        return _STATES[0]
    if row.waits or row.agents_state in ("waiting", "error"):
        return _STATES[1]
    return _STATES[2] if row.stale else _STATES[3]


class Tallies:
    """How many cells of each head and column are in which state: what a head's cells are made of."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counter[str]] = {}

    def add(self, head: str, column: str, cell: GridCell | None, by: int = 1) -> None:
        """Count a cell in, or with `by` -1 out."""
        if cell is not None:
            self._counts.setdefault((head, column), Counter())[_state(cell)] += by

    def cell(self, head: str, column: str) -> GridCell | None:
        """The worst of them, how many are healthy, and what the others are; None where none is bound."""
        counts = +self._counts.get((head, column), Counter())
        if not counts:
            return None
        worst = next(state for state in _WORST if counts[state])
        others = [f"{counts[state]} {state}" for state in _WORST[:-1] if counts[state]]
        return GridCell(
            branch=f"{counts['healthy']}/{counts.total()}",
            health=worst if worst not in ("missing", "failed") else "unhealthy",
            age_text=" ".join(others),
            summary=True,
        )


def _state(cell: GridCell) -> str:
    if cell.health in ("crashed", "unhealthy"):
        return cell.health
    if cell.drift == "missing":
        return "missing"
    return "failed" if cell.build == "failed" else cell.health
