"""What a session was told and may have lost: killed before it was in the conversation that is gone on with."""

from __future__ import annotations

import asyncio
from pathlib import Path

from backends.claude.transcript import lacks
from backends.slot.agents.session import Session


def told(session: Session) -> None:
    """The program has taken what was typed; by which id it knows it, its hook says later."""
    # A loop knows itself that a run was cut off.
    session.keep(unsure=tuple(one for one in session.typed if one.kind != "iteration"), unsure_as="")


def named(session: Session, prompt: str) -> None:
    """A turn began with the prompt that the program calls `prompt`: what was told last, or a person's own."""
    is_ours = not session.record.unsure_as
    session.keep(unsure=session.record.unsure if is_ours else (), unsure_as=prompt)


def heard(session: Session) -> None:
    """The turn is over, and all of it in the conversation; or that was left for another one."""
    if session.record.unsure or session.record.unsure_as:
        session.keep(unsure=(), unsure_as="")


async def put_back(session: Session, config: Path) -> None:
    """Put in line again what the conversation in `config`, which is about to be gone on with, does without."""
    record = session.record
    if record.unsure:
        is_lost = await asyncio.to_thread(lacks, config, record.agent.session, record.unsure_as)
        session.put_first(record.unsure if is_lost else ())
    heard(session)
