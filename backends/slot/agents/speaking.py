"""What is said to a session: typed into its window where it rests, all that is in line as one prompt."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence

from backends.claude.prompt import as_prompt
from backends.slot.agents.lines import Entry, bounded
from backends.slot.agents.record import Queued
from backends.slot.agents.session import Session
from backends.slot.agents.situation import Told
from backends.slot.agents.unheard import told
from backends.slot.agents.windows import Windows

log = logging.getLogger(__name__)

CONFIRMED_AFTER = 10.0
"""Seconds within which the program says that it has a prompt which was typed."""

_MODES = ("!", "#")
"""First characters by which the program's input takes a text for something else than a prompt."""


def typed_text(said: Sequence[Queued]) -> str:
    """All of `said` as one prompt, taken literally by the program's input."""
    text = as_prompt(together(said))
    return f"Task: {text}" if text.lstrip().startswith(_MODES) else text


def together(said: Sequence[Queued]) -> str:
    """All of `said`; what came of others keeps no way to have files read (see as_prompt)."""
    return "\n\n".join(as_prompt(one.text, foreign=one.kind == "message" and bool(one.id)) for one in said)


async def prepare(session: Session, windows: Windows) -> None:
    """Have tmux hold what is in line while the program starts, so that it is typed the sooner."""
    said = session.record.queue
    if said and await windows.load(session.agent.window, typed_text(said)):
        session.loaded = said


async def speak(session: Session, windows: Windows) -> None:
    """Type what is in line, and what comes into it meanwhile, while the session rests."""
    async with session.speaking:
        while session.record.queue and session.situation.rests and session.agent.window and not session.deaf:
            if await _type(session, windows) or await _type(session, windows, clear=True):
                continue
            session.deaf = True
            session.know(Told("idle"))


async def _type(session: Session, windows: Windows, *, clear: bool = False) -> bool:
    """Whether the program took what is in line, or does not rest any more. `clear` empties its input first."""
    said, window = session.record.queue, session.agent.window
    if not said or not session.situation.rests:
        return True
    is_loaded = session.loaded == said
    session.typed, session.loaded = said, ()
    session.prompted.clear()
    try:
        is_loaded = is_loaded or await windows.load(window, typed_text(said))
        if not is_loaded or not await windows.paste(window, clear=clear):
            return False
        if await _answered(session):
            return True
        log.warning("agent %s did not take what was typed", session.id)
        return False
    finally:
        session.typed = ()


async def _answered(session: Session) -> bool:
    """Whether the program said in time that it has what was typed, or ended: then its successor is told."""
    waits = [asyncio.create_task(one.wait()) for one in (session.prompted, session.ended)]
    try:
        done, _ = await asyncio.wait(waits, timeout=CONFIRMED_AFTER, return_when=asyncio.FIRST_COMPLETED)
        return bool(done)
    finally:
        for one in waits:
            one.cancel()


def arrived(session: Session) -> None:
    """The program has begun a turn: what was typed for it, it has."""
    if session.typed:
        session.said(session.typed)
        told(session)
        session.write(*(Entry("message", bounded(one.text)) for one in session.typed if one.kind == "message"))
        session.typed = ()
    session.deaf = False
    session.prompted.set()


async def drain(session: Session) -> None:
    """End the session's own tasks."""
    for task in tuple(session.tasks):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*session.tasks, return_exceptions=True)
