"""Tells the box's daemon what the reconciler did; what it could not be told waits in the state."""

from __future__ import annotations

import logging
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.team_calls import TeamAction
from backends.rpc.connection import connect
from backends.team.state import OUTBOX_LIMIT, StateFile, Told

log = logging.getLogger(__name__)

SECONDS = 10.0
_AT_ONCE = 200


def remember(state: StateFile, actions: tuple[TeamAction, ...]) -> None:
    """Have `actions` told, now or later."""
    if actions:
        state.change(outbox=(*state.now.outbox, *actions)[-OUTBOX_LIMIT:])


async def tell(socket: Path, state: StateFile, commit: str, problems: tuple[str, ...]) -> None:
    """Tell the box's daemon at `socket` what is new to it. One that is away does no harm."""
    news = Told(commit=commit, problems=problems)
    if news == state.now.told and not state.now.outbox:
        return
    try:
        connection = await connect(socket, label="The box's daemon", timeout=SECONDS)
    except HeroError as error:
        log.info("the box's daemon is told at the next run: %s", error.message)
        return
    try:
        while True:
            part = state.now.outbox[:_AT_ONCE]
            params = {
                "commit": commit,
                "problems": list(problems),
                "actions": [one.model_dump(mode="json") for one in part],
            }
            await connection.call("team.changed", params, timeout=SECONDS)
            state.change(told=news, outbox=state.now.outbox[len(part) :])
            if not state.now.outbox:
                return
    except HeroError as error:
        log.warning("the box's daemon was not told all: %s", error.message)
    finally:
        await connection.close()
