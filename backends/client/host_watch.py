"""The machine of a box as it goes on: a connection of its own, watched until the iterator is closed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

from pydantic import ValidationError

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.model.host import HostSample, HostStatus
from backends.model.host_calls import HostWatched
from backends.rpc.connection import connect
from backends.rpc.subscription import Subscription

_WAITING = 50
"""Looks that wait unread; beyond that the watch begins anew."""
_SECONDS = 20.0


async def watch_host(where: Where) -> AsyncGenerator[HostStatus | HostSample, None]:
    """First the machine and its trend, then each look at it. Raises HeroError when that breaks."""
    connection = await connect(where.box.rpc_socket, label="The box's daemon")
    try:
        async with Subscription(connection, "host", limit=_WAITING) as notes:
            watched = HostWatched.model_validate(await connection.call("host.watch", {}, timeout=_SECONDS))
            yield watched.status
            async for note in notes:
                if note.get("stream") == watched.stream:
                    yield HostSample.model_validate(note.get("sample"))
    except ValidationError:
        raise HeroError(
            "failed", "The box's daemon tells of the machine in another version's words.", hint="Restart the box."
        ) from None
    finally:
        with contextlib.suppress(HeroError):
            await connection.close()
