"""The cockpit's connection: fleet and events from the box, calls to any slot, kept up through restarts."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from backends.client.agent_log import follow_agent_log
from backends.client.fleet import whole_fleet
from backends.client.follow import follow_logs
from backends.client.locate import Where
from backends.client.start import start_box, start_slot
from backends.model.agent_calls import PeekAgentLogParams
from backends.model.agents import AgentLine
from backends.model.box_calls import PeekLogsParams
from backends.model.calls import BY_NAME
from backends.model.errors import HeroError
from backends.model.frozen import Frozen
from backends.model.slot_calls import LogsParams
from backends.model.state import Event, FleetSnapshot, LogLine
from backends.rpc.connection import Connection, connect
from backends.rpc.looking import check_looks
from backends.rpc.pulse import watch
from backends.rpc.subscription import Subscription

R = TypeVar("R", bound=BaseModel)

State = Literal["connecting", "online", "reconnecting"]
StateWatcher = Callable[[State, str], None]
"""Takes the state and, while not online, why."""

_TURN_SECONDS = 0.001
_STEADY_SECONDS = 5.0
"""A connection that lasted so long was a good one: after its loss the next is tried at once."""
_BACK_OFF = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
PATIENCE_SECONDS = 10.0
"""A box that is there has been seen to need five seconds, where ten programs wanted two cores."""


class LiveBox:
    """One box as the cockpit sees it; `run` keeps it connected until it is cancelled."""

    def __init__(
        self,
        where: Where,
        *,
        on_state: StateWatcher,
        on_snapshot: Callable[[FleetSnapshot], None],
        on_event: Callable[[Event], None],
    ):
        self.where = where
        self._on_state = on_state
        self._on_snapshot = on_snapshot
        self._on_event = on_event
        self._box: Connection | None = None
        self._slots: dict[str, Connection] = {}
        self._opening: dict[str, asyncio.Lock] = {}
        self._seq = 0
        self.read_only = False
        """While it is set, a call that changes anything is refused before it is sent."""

    async def run(self) -> None:
        """Connect, take a snapshot, follow the events; after a loss say so, and begin again."""
        attempt = 0
        self._on_state("connecting", "")
        while True:
            began = time.monotonic()
            try:
                connection = await self._open_box()
                watch(connection, _silent(connection), PATIENCE_SECONDS)
                async with Subscription(connection) as events:
                    await self._catch_up(connection)
                    self._on_state("online", "")
                    await self._follow(events)
            except HeroError as error:
                self._on_state("reconnecting", error.message)
            except ValidationError:
                self._seq = 0  # from there on it would tell again what cannot be read
                self._on_state(
                    "reconnecting", "The box speaks another version; restart it with `hero_dev box down`."
                )
            finally:
                await self._close_box()
            if time.monotonic() - began > _STEADY_SECONDS:
                attempt = 0
            pause = _BACK_OFF[min(attempt, len(_BACK_OFF) - 1)]
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311  # spreads reconnects, no secret
            attempt += 1

    async def _follow(self, events: Subscription) -> None:
        """Take events as they come; however many there are, whoever else waits gets a turn in between."""
        turn = time.perf_counter()
        async for event in events:
            self._take(Event.model_validate(event))
            if time.perf_counter() - turn > _TURN_SECONDS:
                await asyncio.sleep(0)
                turn = time.perf_counter()

    async def close(self) -> None:
        """Close all connections."""
        await self._close_box()
        for connection in self._slots.values():
            await connection.close()
        self._slots.clear()

    async def box(self, method: str, params: Frozen | None, result: type[R]) -> R:
        """Call the box. Raises HeroError."""
        self._check(method)
        if self._box is None:
            raise HeroError("unreachable", "The box is not connected.", hint="It is being reconnected.")
        return result.model_validate(await self._box.call(method, _dumped(params)))

    async def slot(self, user: str, method: str, params: Frozen | None, result: type[R]) -> R:
        """Call `user`'s slot, starting its daemon if need be. Raises HeroError."""
        self._check(method)
        connection = await self.slot_connection(user)
        return result.model_validate(await connection.call(method, _dumped(params)))

    def _check(self, method: str) -> None:
        if self.read_only:
            check_looks(method)

    async def slot_connection(self, user: str) -> Connection:
        """The connection to `user`'s slot, opened if it is not. Raises HeroError."""
        async with self._opening.setdefault(user, asyncio.Lock()):
            if (known := self._slots.get(user)) is not None and known.error is None:
                return known
            socket = self.where.slot(user).rpc_socket
            try:
                connection = await connect(socket)
            except HeroError as error:
                if error.code != "unreachable":
                    raise
                await asyncio.to_thread(start_slot, self.where, user)
                connection = await connect(socket)
            self._slots[user] = connection
            return connection

    async def logs(self, user: str, params: LogsParams, *, own: bool) -> AsyncGenerator[tuple[LogLine, ...], None]:
        """Follow logs of `user`'s slot: by its own daemon, or where it is not `own`, as a peek of the box.

        Raises HeroError when the stream breaks.
        """
        if own:
            stream = follow_logs(await self.slot_connection(user), "slot.logs", params)
        else:
            peek = PeekLogsParams(user=user, **params.model_dump())
            stream = follow_logs(await self.box_connection(), "peek.logs", peek)
        async with contextlib.aclosing(stream):
            async for lines in stream:
                yield lines

    async def agent_log(self, params: PeekAgentLogParams) -> AsyncGenerator[tuple[AgentLine, ...], None]:
        """Follow an agent's log, one's own or a teammate's, as a peek of the box.

        Raises HeroError when the stream breaks.
        """
        async with contextlib.aclosing(follow_agent_log(await self.box_connection(), params)) as stream:
            async for lines in stream:
                yield lines

    async def box_connection(self) -> Connection:
        """The connection to the box. Raises HeroError while there is none."""
        if self._box is None:
            raise HeroError("unreachable", "The box is not connected.", hint="It is being reconnected.")
        return self._box

    async def _open_box(self) -> Connection:
        socket = self.where.box.rpc_socket
        try:
            self._box = await connect(socket)
        except HeroError as error:
            if error.code != "unreachable":
                raise
            await asyncio.to_thread(start_box, self.where)
            self._box = await connect(socket)
        return self._box

    async def _catch_up(self, connection: Connection) -> None:
        """Subscribe from where we were; where that is too long ago, or at the start, from a snapshot."""
        if self._seq:
            with contextlib.suppress(HeroError):
                await connection.call("events.subscribe", {"after": self._seq})
                return
        snapshot = await whole_fleet(lambda params: self.box("fleet.snapshot", params, FleetSnapshot))
        self._seq = snapshot.seq
        self._on_snapshot(snapshot)
        await connection.call("events.subscribe", {"after": snapshot.seq})

    def _take(self, event: Event) -> None:
        if event.seq:
            self._seq = max(self._seq, event.seq)
        self._on_event(event)

    async def _close_box(self) -> None:
        if self._box is not None:
            await self._box.close()
        self._box = None


def result_of(method: str) -> type[BaseModel]:
    """The model of a method's result."""
    return BY_NAME[method].result


def _silent(box: Connection) -> HeroError:
    return HeroError(
        "unreachable",
        f"{box.label} has not answered for {PATIENCE_SECONDS:g} s.",
        hint="`hero_dev doctor` looks what it does.",
    )


def _dumped(params: Frozen | None) -> dict[str, Any]:
    return params.model_dump(mode="json", by_alias=True, exclude_none=True) if params else {}
