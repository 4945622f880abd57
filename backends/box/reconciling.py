"""Asks a system box's reconciler to look at the team repo now; it tells the box by itself what it did."""

from __future__ import annotations

import logging
from pathlib import Path

from backends.model.errors import HeroError
from backends.rpc.connection import connect

log = logging.getLogger(__name__)

SECONDS = 900.0
"""How long a reconcile may take that makes a whole team's accounts."""


async def ask_to_reconcile(socket: Path) -> None:
    """Have one reconcile done. A reconciler that is away looks by itself once it is back."""
    try:
        connection = await connect(socket, label="The reconciler")
    except HeroError as error:
        log.warning("the reconciler was not told of a push: %s", error.message)
        return
    try:
        await connection.call("team.apply", {}, timeout=SECONDS)
    except HeroError as error:
        log.warning("the reconciler: %s", error.message)
    finally:
        await connection.close()
