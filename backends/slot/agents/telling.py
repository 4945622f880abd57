"""Tells the box of sessions: what people wait for at once, what merely counts on at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from backends.model.agents import Agent

PAUSE = 1.0
"""Seconds between two tellings of a session of which only the numbers and the last line have changed."""


class Teller:
    """Calls `tell` with each session's newest state."""

    def __init__(self, tell: Callable[[Agent], None], *, pause: float = PAUSE):
        self._tell = tell
        self._pause = pause
        self._told: dict[str, tuple[Agent, float]] = {}
        self._late: dict[str, tuple[Agent, asyncio.TimerHandle]] = {}

    def changed(self, agent: Agent) -> None:
        """`agent` is now so."""
        before, at = self._told.get(agent.id, (None, 0.0))
        now = asyncio.get_running_loop().time()
        if before is None or _hard(before) != _hard(agent) or now - at >= self._pause:
            self._now(agent, now)
        elif before != agent or agent.id in self._late:
            self._later(agent, at + self._pause)

    def close(self) -> None:
        """Tell nothing more."""
        for _, handle in self._late.values():
            handle.cancel()
        self._late.clear()

    def _now(self, agent: Agent, now: float) -> None:
        _, waiting = self._late.pop(agent.id, (None, None))
        if waiting is not None:
            waiting.cancel()
        self._told[agent.id] = (agent, now)
        self._tell(agent)

    def _later(self, agent: Agent, moment: float) -> None:
        known = self._late.get(agent.id)
        handle = known[1] if known else asyncio.get_running_loop().call_at(moment, self._due, agent.id)
        self._late[agent.id] = (agent, handle)

    def _due(self, id: str) -> None:
        agent, _ = self._late.pop(id)
        self._now(agent, asyncio.get_running_loop().time())


def _hard(agent: Agent) -> Agent:
    return agent.model_copy(update={"cost": 0.0, "turns": 0, "context_used": 0.0, "last_line": ""})
