"""Followed logs: entries that are there as an answer, those that come as `agent_log` notifications."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

from backends.model.agent_calls import AgentLogParams, AgentLogResult
from backends.model.agents import AgentLine
from backends.model.errors import HeroError
from backends.rpc.connection import Connection
from backends.slot.agents.log import read_log
from backends.slot.agents.session import Session

STREAMS = 64
"""Followed logs of one slot."""


class AgentLogs:
    """The logs of one slot's sessions, and who follows them; a stream ends with its connection."""

    def __init__(self) -> None:
        self._streams: dict[str, Callable[[], None]] = {}

    async def read(self, session: Session, asked: AgentLogParams, asker: Connection) -> AgentLogResult:
        """The newest entries; with `follow` those after them come as notifications. Raises HeroError `busy`."""
        if not asked.follow:
            found = await asyncio.to_thread(read_log, session.folder, asked.after, asked.limit)
            return AgentLogResult(lines=tuple(found))
        if len(self._streams) >= STREAMS:
            raise HeroError("busy", f"{STREAMS} logs are followed already.", hint="End one of them first.")
        early: list[AgentLine] = []
        unwatch = session.log.watch(early.extend)
        try:
            found = await asyncio.to_thread(read_log, session.folder, asked.after, asked.limit)
        finally:
            unwatch()
        last = found[-1].number if found else asked.after
        found += [line for line in early if line.number > last]
        return AgentLogResult(lines=tuple(found), stream=self._begin(session, asker))

    def stop(self, stream: str) -> bool:
        """End a stream; whether it was one of ours."""
        unwatch = self._streams.pop(stream, None)
        if unwatch is None:
            return False
        unwatch()
        return True

    def _begin(self, session: Session, asker: Connection) -> str:
        """Tell what comes from this moment on."""
        stream = secrets.token_hex(6)

        def tell(lines: list[AgentLine]) -> None:
            asker.notify("agent_log", {"stream": stream, "lines": [one.model_dump(mode="json") for one in lines]})

        self._streams[stream] = session.log.watch(tell)
        asker.when_lost(lambda _: self._ended(stream))
        return stream

    def _ended(self, stream: str) -> None:
        self.stop(stream)
