"""What a new session is: its record, from what was asked for and where it works; pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from backends.model.agent_calls import AgentStartParams
from backends.model.agents import Agent
from backends.model.text import safe_line
from backends.slot.agents.places import Place
from backends.slot.agents.record import Loop, Record


def new_record(id: str, slot: str, asked: AgentStartParams, place: Place, model: str, moment: datetime) -> Record:
    """The record of a session that is about to begin; `model` is the one that `asked` means."""
    agent = Agent(
        id=id,
        slot=slot,
        session=str(uuid.uuid4()),
        title=safe_line(asked.title or first_line(asked.prompt), 100),
        since=moment,
        started_at=moment,
        model=model,
        effort=asked.effort or "medium",
        mode=asked.mode,
        service=place.service,
        repo=place.repo,
        branch=place.branch,
        worktree=str(place.path),
        issue=asked.issue,
        loop_limit=asked.loop,
    )
    loop = Loop(limit=asked.loop, prompt=asked.prompt, until=asked.until) if asked.loop else None
    return Record(agent=agent, model=model, loop=loop, mark=agent.session)


def warnings(place: Place, living: Iterable[Agent]) -> tuple[str, ...]:
    """What is to be known of a session in `place` beside those that live."""
    return tuple(
        f"Agent {one.id} ({one.says}) works in the same folder, {place.path}: they may undo each other's work."
        for one in living
        if one.worktree == str(place.path)
    )


def first_line(text: str) -> str:
    """What a session is called that nobody gave a title."""
    return next((line.strip() for line in text[:4000].splitlines() if line.strip()), "")
