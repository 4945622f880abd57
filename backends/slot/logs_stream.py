"""The calls on a slot's logs: a tail as an answer, what follows as `log` notifications on the same connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets

from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.model.slot_calls import LogsParams, LogsResult, LogsStopParams
from backends.rpc.dispatcher import Call
from backends.slot.context import SlotContext
from backends.slot.logs import Sources, follow, tail

log = logging.getLogger(__name__)


class LogStreams:
    """The followed logs of one daemon; a stream ends with its connection."""

    def __init__(self, slot: SlotContext):
        self._slot = slot
        self._streams: dict[str, asyncio.Task[None]] = {}

    async def open(self, call: Call, params: LogsParams) -> LogsResult:
        """The last lines; with `follow` the lines after them come as notifications. Raises HeroError."""
        sources = self._sources(params)
        if not params.follow:
            return LogsResult(lines=tuple(await tail(sources, params.lines, params.since, params.grep)), stream="")
        stream = secrets.token_hex(6)
        task = asyncio.create_task(self._follow(call, stream, sources, params), name=f"log-{stream}")
        self._streams[stream] = task
        task.add_done_callback(lambda _: self._streams.pop(stream, None))
        call.connection.when_lost(lambda _: _cancel(task))
        return LogsResult(lines=(), stream=stream)

    async def stop(self, _: Call, params: LogsStopParams) -> Empty:
        """End a stream; one that is not there has ended already."""
        if task := self._streams.get(params.stream):
            task.cancel()
        return Empty()

    async def _follow(self, call: Call, stream: str, sources: Sources, params: LogsParams) -> None:
        try:
            async with contextlib.aclosing(follow(sources, params.lines, params.since, params.grep)) as batches:
                async for lines in batches:
                    told = [line.model_dump(mode="json") for line in lines]
                    call.connection.notify("log", {"stream": stream, "lines": told})
        except HeroError as error:
            log.warning("log stream: %s", error.message)
            call.connection.notify("log", {"stream": stream, "lines": [], "error": error.message})

    def _sources(self, params: LogsParams) -> Sources:
        if params.build is not None:
            if "/" in params.build or not params.build.strip("."):
                raise HeroError("usage", f"{params.build!r} is not the id of a build.")
            path = self._slot.paths.build_log / f"{params.build}.log"
            if not path.is_file():
                raise HeroError(
                    "not_found",
                    f"There is no log of a build {params.build!r} in this slot.",
                    hint="The last twenty builds of a service keep their logs.",
                )
            return [(params.build, path)]
        names = [self._slot.bound(name).service for name in params.services] or self._slot.board.services()
        return [(name, self._slot.services.log_source(name)) for name in names]


def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
