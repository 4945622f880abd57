"""The dialogs that stand open, over a restart of the daemon: whose hooks come back, and what ends the others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from backends.model.agents import Waiting
from backends.slot.agents.ports import BoxSide
from backends.slot.agents.session import Session
from backends.slot.agents.situation import DialogClosed

HOOK_SECONDS = 5.0
"""Seconds after a restart of ours in which the hooks of open dialogs are here again; they try all the time."""

LEFT_TO_WINDOW = "After a restart of the slot's daemon it can only be answered in its window (agent-attach)."


def standing(sessions: Iterable[Session]) -> list[str]:
    """The ids of all dialogs that are open."""
    return [dialog.id for session in sessions for dialog in session.situation.dialogs]


async def await_hooks(session: Session, box: BoxSide) -> None:
    """Wait for the hooks of dialogs that were open before the restart; one that stays away is told to be over."""
    await asyncio.sleep(HOOK_SECONDS)
    for dialog in session.situation.dialogs:
        if not session.dialogs.holds(dialog.id):
            session.know(DialogClosed(dialog.id))
            box.settle(session.agent, dialog.id, answered=False, detail=LEFT_TO_WINDOW)


def settle_closed(session: Session, dialogs: Iterable[Waiting], box: BoxSide) -> None:
    """These were closed in the terminal; one whose hook is here is told by that."""
    for dialog in dialogs:
        if not session.dialogs.holds(dialog.id):
            session.know(DialogClosed(dialog.id))
            box.settle(session.agent, dialog.id, answered=True, detail="in the terminal")


def give_up(session: Session, box: BoxSide, why: str) -> None:
    """The agent is gone, and its dialogs with it."""
    for dialog in session.situation.dialogs:
        box.settle(session.agent, dialog.id, answered=False, detail=why)
