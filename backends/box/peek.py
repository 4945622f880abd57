"""A look into a teammate's slot: its state as the box knows it, its logs as that slot's own daemon reads them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from backends.box.fleet import Fleet
from backends.box.harmless import harmless_line, harmless_logs
from backends.box.links import Links
from backends.model.calls import Empty, LogsResult, LogsStopParams, PeekLogsParams, PeekParams
from backends.model.errors import HeroError, unknown_name
from backends.model.state import LogLine, SlotStatus
from backends.model.text import safe_line
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import Call

ANSWER_SECONDS = 30.0

STREAMS = 16
"""Followed logs that one connection may have."""

EARLY = 1000
"""Notifications kept while the slot's answer is on its way."""

BEHIND = 1024 * 1024
"""Bytes that a slow reader may be behind; lines that come meanwhile are counted instead of kept."""


class Peeks:
    """Answers `peek.slot`, `peek.logs` and `logs.stop`. `hides_logs(user)` is the team repo's word."""

    def __init__(self, fleet: Fleet, links: Links, hides_logs: Callable[[str], bool]):
        self._fleet = fleet
        self._links = links
        self._hides_logs = hides_logs
        self._relays: dict[Connection, dict[str, _Relay]] = {}
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
        source = self._links.reach(params.user)
        asked = params.model_dump(mode="json", by_alias=True, exclude={"user"})
        if not params.follow:
            return harmless_logs(_checked(await source.call("slot.logs", asked, timeout=ANSWER_SECONDS)))
        return await self._follow(call.connection, source, asked)

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

    async def _follow(self, asker: Connection, source: Connection, asked: dict[str, Any]) -> LogsResult:
        relays = self._relays.setdefault(asker, {})
        if len(relays) >= STREAMS:
            raise HeroError(
                "busy", f"This connection follows {STREAMS} logs already.", hint="End one of them first."
            )
        relay = _Relay(asker, source, self._end)
        relays[relay.stream] = relay
        asker.when_lost(lambda _: self._end(relay))
        source.when_lost(lambda why: self._source_lost(relay, why))
        try:
            result = harmless_logs(_checked(await source.call("slot.logs", asked, timeout=ANSWER_SECONDS)))
        except BaseException:
            self._end(relay)
            raise
        relay.begin(result.stream)
        if relay.ended:
            # The asker left while the slot was being asked: nobody else will end the slot's stream.
            self._stop_source(relay)
        return result.model_copy(update={"stream": relay.stream})

    def _source_lost(self, relay: _Relay, why: HeroError) -> None:
        if not relay.ended:
            relay.tell([], why.message)
            self._end(relay)

    def _end(self, relay: _Relay) -> None:
        relays = self._relays.get(relay.asker, {})
        if relays.pop(relay.stream, None) is None:
            return
        if not relays:
            self._relays.pop(relay.asker, None)
        relay.end()
        if relay.inner:
            self._stop_source(relay)

    def _stop_source(self, relay: _Relay) -> None:
        task = asyncio.create_task(_stop(relay.source, relay.inner), name="stop peeked log")
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


class _Relay:
    """One followed log: `stream` is its name towards the asker, `inner` towards the slot."""

    def __init__(self, asker: Connection, source: Connection, on_error: Callable[[_Relay], None]):
        self._on_error: Callable[[], None] = lambda: on_error(self)
        self.stream = secrets.token_hex(8)
        self.inner = ""
        self.ended = False
        self.asker = asker
        self.source = source
        self._skipped = 0
        self._early: deque[dict[str, Any]] = deque(maxlen=EARLY)
        self._unlisten = source.listen("log", self._take)

    def begin(self, inner: str) -> None:
        """The slot calls the stream `inner`. Lines that came before its answer follow ours."""
        self.inner = inner
        asyncio.get_running_loop().call_soon(self._tell_early)

    def end(self) -> None:
        self.ended = True
        self._unlisten()

    def tell(self, lines: list[LogLine], error: str = "") -> None:
        """Send lines to the asker, or count them where it is too far behind."""
        if self.ended:
            return
        if self.asker.link.unsent > BEHIND and not error:
            self._skipped += len(lines)
            return
        if self._skipped:
            text = f"… {self._skipped} lines were left out, because this connection is slow"
            lines = [LogLine(source="", text=text), *lines]
            self._skipped = 0
        params: dict[str, Any] = {"stream": self.stream, "lines": [line.model_dump(mode="json") for line in lines]}
        self.asker.notify("log", params | ({"error": error} if error else {}))

    def _tell_early(self) -> None:
        early = tuple(self._early)
        self._early.clear()
        for params in early:
            self._take(params)

    def _take(self, params: dict[str, Any]) -> None:
        if not self.inner or self._early:
            # The slot's answer, which says what our stream is called, has not been read yet.
            self._early.append(params)
            return
        if params.get("stream") != self.inner:
            return
        with contextlib.suppress(ValidationError):
            lines = _checked({"lines": params.get("lines", [])}).lines
            error = safe_line(str(params.get("error") or ""))
            self.tell([harmless_line(line) for line in lines], error)
            if error:
                self._on_error()


async def _stop(source: Connection, inner: str) -> None:
    with contextlib.suppress(HeroError):
        await source.call("logs.stop", {"stream": inner}, timeout=ANSWER_SECONDS)


def _checked(answer: Any) -> LogsResult:
    return LogsResult.model_validate(answer)


def _is_own(call: Call, user: str) -> bool:
    """Whether the kernel says that the caller is `user`; in a rootless box all slots have one uid, so never."""
    if call.peer.uid == os.geteuid():
        return False
    try:
        return pwd.getpwuid(call.peer.uid).pw_name == user
    except KeyError:
        return False
