"""An agent in full, the most important first: what it waits for, what it is about, on what it runs, where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from backends.model.agents import Agent
from screens.widgets.agent_model import HEALTHS, AgentRow, iteration_text, money, short_model, task
from screens.widgets.cells import ago
from screens.widgets.celltext import clean
from screens.widgets.detail import DetailView, Fact, short_path
from screens.widgets.glyphs import UNICODE, Glyphs
from screens.widgets.one_line import Part

_BAR = 10
_MODES = {
    "default": "asks before it acts",
    "acceptEdits": "edits without asking",
    "plan": "plans, changes nothing",
}


def agent_detail(row: AgentRow, now: datetime, credential_state: str = "", glyphs: Glyphs = UNICODE) -> DetailView:
    """What the header over an agent's log says; `credential_state` is of its slot."""
    return DetailView(tuple(_facts(row, now, credential_state, glyphs)))


def _facts(row: AgentRow, now: datetime, credential_state: str, glyphs: Glyphs) -> Iterator[Fact]:
    agent = row.agent
    yield Fact("state", tuple(_state(agent, now, glyphs)), urgent=True)
    yield Fact("about", ((task(agent), "detail--strong"),))
    yield Fact("runs on", tuple(_runs(agent, credential_state, glyphs)))
    yield Fact("used", tuple(_used(agent, glyphs)))
    yield Fact("branch", tuple(_place(agent)))
    if agent.loop_limit:
        yield Fact("loop", tuple(_loop(agent)))
    if agent.issue:
        yield Fact("issue", ((clean(agent.issue), "detail--text"),))
    if agent.worktree:
        yield Fact("worktree", ((short_path(agent.worktree), "detail--quiet"),))


def _state(agent: Agent, now: datetime, glyphs: Glyphs) -> Iterator[Part]:
    style = f"health--{HEALTHS[agent.state]}"
    yield f"{glyphs.agent.get(agent.state, '?')} {agent.says}", style
    yield f"  {ago(agent.since, now)}", "detail--quiet"
    if agent.pending:
        yield f"  {agent.pending} message{'s' * (agent.pending > 1)} for its next turn", "detail--busy"
    if agent.detail:
        yield f"  {clean(agent.detail)}", "detail--text"


def _runs(agent: Agent, credential_state: str, glyphs: Glyphs) -> Iterator[Part]:
    sign = glyphs.credential.get(credential_state, "")
    yield clean(agent.credential), "detail--quiet" if agent.credential == "none" else "detail--strong"
    if sign:
        yield f" {sign} {credential_state}", "health--starting"
    yield f"  {short_model(agent.model) or 'default model'}, effort {agent.effort}", "detail--text"
    yield f"  {_MODES[agent.mode]}", "detail--quiet"


def _used(agent: Agent, glyphs: Glyphs) -> Iterator[Part]:
    share = max(0.0, min(100.0, agent.context_used)) / 100
    done = round(share * _BAR)
    yield glyphs.bar_done * done, "health--starting" if share >= 0.8 else "detail--busy"
    yield glyphs.bar_left * (_BAR - done), "detail--quiet"
    yield f" {share:.0%} of its context", "detail--text"
    yield f"  {agent.turns} turn{'s' * (agent.turns != 1)}", "detail--quiet"
    yield f"  {money(agent.cost)}" if agent.cost else "", "detail--text"


def _place(agent: Agent) -> Iterator[Part]:
    yield clean(agent.branch) or "none", "detail--strong" if agent.branch else "detail--quiet"
    repo = agent.service or agent.repo
    yield f"  of {clean(repo)}" if repo else "", "detail--quiet"


def _loop(agent: Agent) -> Iterator[Part]:
    yield iteration_text(agent), "detail--text"
    if agent.iterations:
        last = agent.iterations[-1]
        told = f"{last.outcome}: {clean(last.detail)}" if last.detail else last.outcome
        yield f"  {told}", "detail--quiet"
