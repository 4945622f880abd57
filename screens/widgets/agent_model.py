"""Which agents a list shows and in which order, and what of an agent is said in a word; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from backends.model.agents import EFFORTS, Agent
from screens.widgets.celltext import clean
from screens.widgets.list_filters import ListFilters, matcher

_RANKS: Mapping[str, int] = {"waiting": 0, "error": 1, "gone": 3}
_LIVE = 2
Sort = Literal["need", "name", "longest", "cost"]
SORTS: tuple[Sort, ...] = ("need", "name", "longest", "cost")
"""By what agents can be sorted, the usual order first; `longest` in the state that they are in."""
HEALTHS: Mapping[str, str] = {
    "starting": "starting",
    "working": "healthy",
    "waiting": "unhealthy",
    "idle": "stopped",
    "error": "crashed",
    "gone": "unknown",
}
"""By which colour of a service's health an agent's state is told."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    """An agent; `stale` once its slot's daemon is away."""

    agent: Agent
    stale: bool = False


@dataclass(frozen=True)
class AgentFilters(ListFilters):
    """What is left: those that need a person, agents of `only_slot`."""

    SAYS = {"only_attention": "waiting or failed", "only_slot": "mine only"}  # noqa: RUF012

    only_attention: bool = False
    only_slot: str = ""


def needs_person(agent: Agent) -> bool:
    """True where somebody should look: it waits for a person, or cannot go on."""
    return agent.state in ("waiting", "error")


def is_live(agent: Agent) -> bool:
    """False for a session that has ended."""
    return agent.state != "gone"


def ordered(rows: Iterable[AgentRow], me: str, sort: Sort = "need") -> list[AgentRow]:
    """By `sort`; need: mine, then the others, of each those first that need a person.

    Among what is equal nothing moves by itself.
    """

    def place(row: AgentRow) -> tuple[float, int, str, int, str]:
        agent = row.agent
        number = int(agent.id) if agent.id.isdecimal() else 0
        first, rank = 0.0, 0
        match sort:
            case "need":
                first, rank = float(agent.slot != me), _RANKS.get(agent.state, _LIVE)
            case "longest":
                first = agent.since.timestamp()
            case "cost":
                first = -agent.cost
        return first, rank, agent.slot, number, agent.id

    return sorted(rows, key=place)


def filtered(rows: Iterable[AgentRow], filters: AgentFilters) -> list[AgentRow]:
    """What the filters leave."""
    matches = matcher(filters.text)

    def kept(row: AgentRow) -> bool:
        agent = row.agent
        if filters.only_attention and not needs_person(agent):
            return False
        if filters.only_slot and agent.slot != filters.only_slot:
            return False
        return not filters.text or matches(_searched(agent))

    return [row for row in rows if kept(row)]


def _searched(agent: Agent) -> str:
    parts = (agent.name, agent.says, agent.title, agent.model, agent.effort, agent.credential, agent.service)
    return "\n".join((*parts, agent.branch, agent.issue, agent.last_line))


def task(agent: Agent) -> str:
    """What it is about, in a line."""
    return clean(agent.title or agent.issue or agent.last_line) or "has no task yet"


def short_state(agent: Agent) -> str:
    """The state in a word or two: what it waits for or failed of, where there is such a thing."""
    return agent.why or agent.state


def short_model(name: str) -> str:
    """`opus-5-5` of `claude-opus-5-5-20261101`."""
    words = clean(name).removeprefix("claude-").split("-")
    return "-".join(words[:-1] if len(words) > 1 and len(words[-1]) == 8 and words[-1].isdecimal() else words)


def effort_level(agent: Agent) -> int:
    """1 to 5."""
    return EFFORTS.index(agent.effort) + 1


def money(dollars: float) -> str:
    """US dollars in at most six cells: `$0.42`, `$12.3`, `$1.2k`; nothing for nothing."""
    if dollars <= 0:
        return ""
    if dollars < 10:
        return f"${dollars:.2f}"
    if dollars < 100:
        return f"${dollars:.1f}"
    if dollars < 1000:
        return f"${dollars:.0f}"
    thousands = min(dollars / 1000, 999)
    return f"${thousands:.1f}k" if thousands < 10 else f"${thousands:.0f}k"


def iteration_text(agent: Agent) -> str:
    """`iteration 3 of 10`; nothing for a session without a loop."""
    if not agent.loop_limit:
        return ""
    return f"iteration {len(agent.iterations)} of {agent.loop_limit}"
