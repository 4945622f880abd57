"""In which order the fleet's rows stand, under which heads, and what a head says of the rows below it; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from screens.widgets.grid_data import GridCell, GridRow

Sort = Literal["name", "trouble", "agents"]
Group = Literal["none", "box", "role", "state"]

SORTS: tuple[Sort, ...] = ("name", "trouble", "agents")
GROUPS: tuple[Group, ...] = ("none", "box", "role", "state")

UNBOUND = ""
"""The state of a cell where nothing is bound."""
States = Callable[[Sequence[str], str], Iterable[str]]
"""From rows and one column to how the cells there are, each as `state_of` has it."""

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

    def place_of(self, row: GridRow, faults: int) -> tuple[object, ...]:
        """What decides where the row with so many faults stands."""
        return row.pinned, _group(row, self.group, faults), _rank(row, self.sort, faults)


@dataclass(frozen=True, slots=True)
class Arranged:
    """Rows in order, heads among them, and by row the key of its head, hidden rows too."""

    rows: tuple[GridRow, ...] = ()
    heads: dict[str, str] = field(default_factory=dict)


def arranged(rows: Sequence[GridRow], order: Order, faults: Callable[[str], int]) -> Arranged:
    """Pinned rows first and under no head, then the others as `order` has them."""
    pinned = tuple(row for row in rows if row.pinned)
    others = [row for row in rows if not row.pinned]
    others.sort(key=lambda row: _rank(row, order.sort, faults(row.key)))
    if order.group == "none":
        return Arranged(pinned + tuple(others))
    groups: dict[str, list[GridRow]] = {}
    for row in others:
        groups.setdefault(_group(row, order.group, faults(row.key)), []).append(row)
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


def _rank(row: GridRow, sort: Sort, faults: int) -> tuple[object, ...]:
    """What rows are sorted by. A box's own leading row comes first whatever the order is."""
    if sort == "trouble":
        return not row.leads, -faults - row.problems, -row.waits, row.key
    if sort == "agents":
        return not row.leads, -row.waits, _AGENTS.index(row.agents_state), -row.agents, row.key
    return (not row.leads,)


def _group(row: GridRow, group: Group, faults: int) -> str:
    if group == "none":
        return ""
    if group == "box":
        return row.box or "this box"
    if group == "role":
        return row.role or "no role"
    if faults or row.problems:
        return _STATES[0]
    if row.waits or row.agents_state in ("waiting", "error"):
        return _STATES[1]
    return _STATES[2] if row.stale else _STATES[3]


class Tallies:
    """How many cells of each head and column are in which state: what a head's cells are made of.

    They are counted when they are first asked for: a head may stand over many more columns than a screen shows.
    """

    def __init__(self, heads: Mapping[str, str], states: States) -> None:
        self._members: dict[str, list[str]] = {}
        for row, head in heads.items():
            self._members.setdefault(head, []).append(row)
        self._states = states
        self._told: dict[tuple[str, str], tuple[dict[str, str], Counter[str]]] = {}

    def is_told(self, head: str, column: str) -> bool:
        """Whether somebody has asked for it."""
        return (head, column) in self._told

    def change(self, head: str, column: str, row: str, state: str) -> None:
        """The cell of one of its rows is in this state now."""
        if told := self._told.get((head, column)):
            states, counts = told
            counts[states[row]] -= 1
            counts[state] += 1
            states[row] = state

    def cell(self, head: str, column: str) -> GridCell | None:
        """The worst of them, how many are healthy, and what the others are; None where none is bound."""
        told = self._told.get((head, column))
        if told is None:
            members = self._members.get(head, [])
            states = dict(zip(members, self._states(members, column), strict=True))
            told = self._told[head, column] = states, Counter(states.values())
        counts = +told[1]
        del counts[UNBOUND]
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


def state_of(health: str, drift: str, build: str) -> str:
    """What a head counts a cell as."""
    if health in ("crashed", "unhealthy"):
        return health
    if drift == "missing":
        return "missing"
    return "failed" if build == "failed" else health


def state_of_cell(cell: GridCell | None) -> str:
    """That of a cell that is looked at."""
    return state_of(cell.health, cell.drift, cell.build) if cell else UNBOUND
