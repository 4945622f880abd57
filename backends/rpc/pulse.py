"""Lets go of a peer that hangs: it keeps its connection open, and nobody would see that it tells nothing."""

from __future__ import annotations

import asyncio

from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import PING

PULSE_SECONDS = 5.0


def watch(connection: Connection, silent: HeroError, patience: float) -> None:
    """Ask the peer now and then whether it is there, for as long as the connection lasts.

    It is dropped for the reason `silent` once the peer has not answered for `patience` seconds.
    """
    beating = asyncio.create_task(_beat(connection, silent, patience), name="pulse")

    def end(_: HeroError) -> None:
        beating.cancel()

    connection.when_lost(end)


async def _beat(connection: Connection, silent: HeroError, patience: float) -> None:
    while True:
        await asyncio.sleep(PULSE_SECONDS)
        try:
            await connection.call(PING, {}, timeout=patience)
        except HeroError as error:
            if error.code == "timeout":
                connection.drop(silent)
                return
