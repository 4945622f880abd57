"""A look into a teammate's slot: its state as the box knows it, its logs as that slot's own daemon reads them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
from collections.abc import Callable
from typing import Any

from backends.box.fleet import Fleet
from backends.box.links import Links
from backends.box.peek_relay import AGENT_LOG, SERVICE_LOGS, Kind, Relay, Result
from backends.model.agent_calls import AgentLogResult, PeekAgentLogParams
from backends.model.box_calls import PeekLogsParams, PeekParams
from backends.model.errors import HeroError, unknown_name
from backends.model.method import Empty
from backends.model.slot_calls import LogsResult, LogsStopParams
from backends.model.state import SlotStatus
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import Call

ANSWER_SECONDS = 30.0

STREAMS = 16
"""Followed logs that one connection may have."""


class Peeks:
    """Answers `peek.slot`, `peek.logs`, `peek.agent_log` and `logs.stop`.

    `hides_logs(user)` and `hides_agents(user)` are the team repo's word.
    """

    def __init__(
        self, fleet: Fleet, links: Links, hides_logs: Callable[[str], bool], hides_agents: Callable[[str], bool]
    ):
        self._fleet = fleet
        self._links = links
        self._hides_logs = hides_logs
        self._hides_agents = hides_agents
        self._relays: dict[Connection, dict[str, Relay]] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    async def slot(self, _: Call, params: PeekParams) -> SlotStatus:
        """The slot as its daemon last told it. Raises HeroError `not_found`."""
        return self._known(params.user)

    async def logs(self, call: Call, params: PeekLogsParams) -> LogsResult:
        """What `slot.logs` of that slot answers. Raises HeroError `not_found`, `denied`, `unreachable`."""
        self._known(params.user)
        if self._hides_logs(params.user) and not _is_own(call, params.user):
            raise HeroError(
                "denied",
                f"{params.user} does not show the logs of their slot.",
                hint=f"`[peek] logs` in users/{params.user}.toml of the team repo says so.",
            )
        result = await self._look(SERVICE_LOGS, call.connection, params, follow=params.follow)
        assert isinstance(result, LogsResult)
        return result

    async def agent_log(self, call: Call, params: PeekAgentLogParams) -> AgentLogResult:
        """What `agent.log` of that slot answers. Raises HeroError `not_found`, `denied`, `unreachable`."""
        self._known(params.user)
        if self._hides_agents(params.user) and not _is_own(call, params.user):
            raise HeroError(
                "denied",
                f"{params.user} does not show the logs of their agents.",
                hint=f"`[peek] agents` in users/{params.user}.toml of the team repo says so.",
            )
        result = await self._look(AGENT_LOG, call.connection, params, follow=params.follow)
        assert isinstance(result, AgentLogResult)
        return result

    async def stop(self, call: Call, params: LogsStopParams) -> Empty:
        """End a stream of this connection; one that is not there has ended already."""
        relay = self._relays.get(call.connection, {}).get(params.stream)
        if relay is not None:
            self._end(relay)
        return Empty()

    async def close(self) -> None:
        """End all streams."""
        for relays in list(self._relays.values()):
            for relay in list(relays.values()):
                self._end(relay)
        await asyncio.gather(*self._stopping, return_exceptions=True)

    def _known(self, user: str) -> SlotStatus:
        found = self._fleet.slot(user)
        if found is None:
            raise unknown_name("user", user, self._fleet.names())
        return found

    async def _look(
        self, kind: Kind, asker: Connection, params: PeekLogsParams | PeekAgentLogParams, *, follow: bool
    ) -> Result:
        source = self._links.reach(params.user)
        asked = params.model_dump(mode="json", by_alias=True, exclude={"user"})
        if not follow:
            return await _asked(kind, source, asked)
        return await self._follow(kind, asker, source, asked)

    async def _follow(self, kind: Kind, asker: Connection, source: Connection, asked: dict[str, Any]) -> Result:
        relays = self._relays.setdefault(asker, {})
        if len(relays) >= STREAMS:
            raise HeroError(
                "busy", f"This connection follows {STREAMS} logs already.", hint="End one of them first."
            )
        relay = Relay(kind, asker, source, self._end)
        relays[relay.stream] = relay
        asker.when_lost(lambda _: self._end(relay))
        source.when_lost(lambda why: self._source_lost(relay, why))
        try:
            result = await _asked(kind, source, asked)
        except BaseException:
            self._end(relay)
            raise
        relay.begin(result.stream)
        if relay.ended:
            # The asker left while the slot was being asked: nobody else will end the slot's stream.
            self._stop_source(relay)
        return result.model_copy(update={"stream": relay.stream})

    def _source_lost(self, relay: Relay, why: HeroError) -> None:
        if not relay.ended:
            relay.tell([], why.message)
            self._end(relay)

    def _end(self, relay: Relay) -> None:
        relays = self._relays.get(relay.asker, {})
        if relays.pop(relay.stream, None) is None:
            return
        if not relays:
            self._relays.pop(relay.asker, None)
        relay.end()
        if relay.inner:
            self._stop_source(relay)

    def _stop_source(self, relay: Relay) -> None:
        task = asyncio.create_task(_stop(relay.source, relay.inner), name="stop peeked log")
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


async def _asked(kind: Kind, source: Connection, asked: dict[str, Any]) -> Result:
    """The lines that are there, harmless. Raises HeroError."""
    found = kind.checked(await source.call(kind.call, asked, timeout=ANSWER_SECONDS))
    return found.model_copy(update={"lines": tuple(kind.harmless(found.lines))})


async def _stop(source: Connection, inner: str) -> None:
    with contextlib.suppress(HeroError):
        await source.call("logs.stop", {"stream": inner}, timeout=ANSWER_SECONDS)


def _is_own(call: Call, user: str) -> bool:
    """Whether the kernel says that the caller is `user`; in a rootless box all slots have one uid, so never."""
    if call.peer.uid == os.geteuid():
        return False
    try:
        return pwd.getpwuid(call.peer.uid).pw_name == user
    except KeyError:
        return False
