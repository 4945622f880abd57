"""Lets go of a daemon that hangs: it keeps its connection open, and nobody would see that it tells nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.model.errors import HeroError
from backends.rpc.connection import Connection

PULSE_SECONDS = 5.0
PATIENCE_SECONDS = 10.0
"""A daemon has been seen to need five, where ten programs wanted two cores."""


@asynccontextmanager
async def pulse(connection: Connection) -> AsyncIterator[None]:
    """Ask the box now and then whether it is there, and drop `connection` where it does not answer."""
    beating = asyncio.create_task(_beat(connection), name="pulse")
    try:
        yield
    finally:
        beating.cancel()


async def _beat(connection: Connection) -> None:
    while connection.error is None:
        await asyncio.sleep(PULSE_SECONDS)
        try:
            await connection.call("box.status", {}, timeout=PATIENCE_SECONDS)
        except HeroError as error:
            if error.code == "timeout":
                silent = f"{connection.label} has not answered for {PATIENCE_SECONDS:g} s."
                connection.drop(HeroError("unreachable", silent, hint="`hero_dev doctor` looks what it does."))
