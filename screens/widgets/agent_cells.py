"""What stands in the columns of a list of agents, and how wide they are; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from rich.cells import cell_len

from screens.widgets.agent_model import (
    HEALTHS,
    AgentRow,
    effort_level,
    is_live,
    money,
    needs_person,
    short_model,
    short_state,
    task,
)
from screens.widgets.build_cells import Column
from screens.widgets.celltext import clean, coarse_age, fit, fit_middle, fit_right, short_branch
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part

_ROOM_FOR_PLACE = 100
_ROOM_FOR_WORDS = 136
_TITLE_LEAST = 18
_LAST_LEAST = 20
_LAST_SHARE = 0.55
_LEVELS = (0, 2, 4, 5, 7)
"""The heights of the five efforts."""


@dataclass(frozen=True, slots=True)
class AgentTable:
    """Agents as rows at `now`; `pending` has by name what was just asked of one and has not shown yet.

    `marks` has the names of those that are marked.
    """

    now: datetime
    me: str = ""
    pending: Mapping[str, str] = field(default_factory=dict)
    marks: frozenset[str] = frozenset()
    glyphs: Glyphs = UNICODE

    def key(self, row: AgentRow) -> str:
        """`alice/3`."""
        return row.agent.name

    def marked(self, row: AgentRow) -> bool:
        """See `Table`."""
        return row.agent.name in self.marks

    def columns(self, rows: Sequence[AgentRow], room: int) -> list[Column]:
        """As wide as they need to be; what it is about takes the rest, and shares it with its last line."""
        agents = [row.agent for row in rows]
        wide, placed = room >= _ROOM_FOR_WORDS, room >= _ROOM_FOR_PLACE
        stale = self.glyphs.stale
        names = ((stale if row.stale else "") + row.agent.name for row in rows)
        name = _widest(names, 7, 20 if wide else 14 if placed else 11)
        credential = _widest((one.credential for one in agents), 4, 14 if placed else 9)
        columns = [Column("state", "state", 21 if wide else 12), Column("agent", "agent", name)]
        columns += [Column("title", "about", 0), Column("age", "age", 3)]
        if placed:
            model = _widest((self._model(one.model) for one in agents), 5, 14) + (9 if wide else 2)
            columns.append(Column("model", "model", model))
        columns.append(Column("credential", "credential" if credential > 9 else "cred", credential))
        if placed:
            columns.append(
                Column("branch", "branch", _widest((one.branch for one in agents), 6, 22 if wide else 16))
            )
        columns.append(Column("cost", fit_right("cost", 6), 6))
        if placed:
            columns.append(Column("turns", fit_right("turns", 5), 5))
        left = room - sum(column.width + 1 for column in columns)
        return _shared(columns, left, wide)

    @staticmethod
    def _model(name: str) -> str:
        return short_model(name) or "default"

    def parts(self, row: AgentRow, column: Column) -> Sequence[Part]:
        """One cell; what has ended or may be out of date is told in quiet colours."""
        agent, width = row.agent, column.width
        off = row.stale or not is_live(agent)
        name, text, quiet = ("list--off",) * 3 if off else ("list--name", "list--text", "list--quiet")
        match column.name:
            case "state":
                return ((self._state(row, width), "list--off" if off else f"health--{HEALTHS[agent.state]}"),)
            case "agent":
                mine = "list--mine" if agent.slot == self.me and not off else name
                sign = self.glyphs.stale if row.stale else ""
                return ((fit(sign + fit_middle(agent.name, width - len(sign)), width), mine),)
            case "title":
                return ((fit(task(agent), width), name if needs_person(agent) else text),)
            case "age":
                return ((fit_right(coarse_age((self.now - agent.since).total_seconds()), width), quiet),)
            case "model":
                return ((self._runs(row, width), quiet),)
            case "credential":
                return ((fit(agent.credential, width), "list--off" if agent.credential == "none" else text),)
            case "branch":
                return ((fit(short_branch(agent.branch, width), width), quiet),)
            case "cost":
                return ((fit_right(money(agent.cost), width), text),)
            case "turns":
                return ((fit_right(str(agent.turns) if agent.turns else "", width), quiet),)
        return ((fit(agent.last_line, width), quiet),)

    def _state(self, row: AgentRow, width: int) -> str:
        agent = row.agent
        if word := self.pending.get(agent.name):
            return fit(f"{self.glyphs.busy} {word}", width)
        words = agent.says if width > 12 else short_state(agent)
        return fit(f"{self.glyphs.agent.get(agent.state, '?')} {words}", width)

    def _runs(self, row: AgentRow, width: int) -> str:
        """The model, and the effort as a height, with its word where there is room."""
        agent = row.agent
        level = self.glyphs.levels[_LEVELS[effort_level(agent) - 1]]
        model = self._model(agent.model)
        wide = width >= cell_len(model) + 9
        return fit(f"{model} {level} {agent.effort}" if wide else f"{fit(model, width - 2)} {level}", width)


def _shared(columns: list[Column], left: int, wide: bool) -> list[Column]:
    """The columns with the room that is left for what it is about, and for its last line."""
    last = round((left - 1) * _LAST_SHARE) if wide else 0
    if last < _LAST_LEAST or left - 1 - last < _TITLE_LEAST:
        last = 0
    title = max(4, left - (last + 1 if last else 0))
    columns = [Column("title", one.title, title) if one.name == "title" else one for one in columns]
    return [*columns, Column("last", "last line", last)] if last else columns


def _widest(texts: Iterable[str], least: int, most: int) -> int:
    return min(most, max([least, *(cell_len(clean(text)) for text in texts)]))
