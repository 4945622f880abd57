"""The machine behind its screen: watched over a connection of its own, taken up again after a loss."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable

from backends.client.host_watch import watch_host
from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.model.host import HostSample, HostStatus
from hero_tui.following import AGAIN_SECONDS
from screens.host_view import HostNews

_NO_METHOD = "There is no method called"
"""How a daemon begins that does not know the call at all."""

Watch = Callable[[Where], AsyncGenerator[HostStatus | HostSample, None]]


class BoxHost:
    """The machine of one box."""

    def __init__(self, where: Where, watch: Watch = watch_host):
        self._where = where
        self._watch = watch

    async def follow(self) -> AsyncGenerator[HostNews, None]:
        """See `HostSource`."""
        failures = 0
        while True:
            try:
                async with contextlib.aclosing(self._watch(self._where)) as looks:
                    async for look in looks:
                        failures = 0
                        yield _news(look)
                    raise HeroError("unreachable", "The box's daemon tells no more of the machine.")
            except HeroError as error:
                yield HostNews(lost=_why(error))
            await asyncio.sleep(AGAIN_SECONDS[min(failures, len(AGAIN_SECONDS) - 1)])
            failures += 1


def _news(look: HostStatus | HostSample) -> HostNews:
    if isinstance(look, HostSample):
        return HostNews(look)
    return HostNews(look.sample, look.minutes, look.days)


def _why(error: HeroError) -> str:
    if error.message.startswith(_NO_METHOD):
        return "The box's daemon is of an older version and knows nothing of the machine: restart it."
    return f"{error.message} {error.hint}".strip()
