"""Who listens to the box's events: each at its own pace, in order, and none at the others' cost."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Iterable, Sequence
from functools import cached_property
from typing import Any

from backends.box.eventlog import EventLog
from backends.box.eventrows import is_passing
from backends.model.errors import HeroError
from backends.model.state import Event
from backends.rpc.connection import Connection

PAGE = 200
"""Events read from the log at once for one that catches up."""

WAITING = 1000
"""Events that wait in memory for one listener; beyond it they are read from the log again."""


class _Told:
    """An event and its form on the wire, made once for all listeners."""

    def __init__(self, event: Event):
        self.event = event

    @cached_property
    def params(self) -> dict[str, Any]:
        return self.event.model_dump(mode="json", by_alias=True)


class Subscribers:
    """Sends `event` notifications (an Event's fields as parameters) to the connections that asked for them.

    To one that reads slowly, states of a same cell are merged and progress is told only as it last was; one
    that is far behind is served out of the log. A listener never waits for another, nor the box for any.
    """

    def __init__(self, log: EventLog, *, waiting: int = WAITING):
        self._log = log
        self._limit = waiting
        self._streams: dict[Connection, _Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._streams)

    async def subscribe(self, connection: Connection, after: int | None) -> int:
        """Begin to stream what comes after the number `after` (None: from now on); the newest number.

        A second subscription of a connection takes the first one's place. Raises HeroError `snapshot_needed`
        where not all events after `after` are kept, or `after` was never given.
        """
        if after is not None:
            await self._log.after(after, 1)
        newest = self._log.latest_seq()
        stream = _Stream(connection, self._log, newest if after is None else after, self._limit)
        self._end(connection)
        task = asyncio.create_task(stream.run(live=after is None), name="events")
        self._streams[connection] = stream
        self._tasks.add(task)
        stream.task = task
        task.add_done_callback(self._tasks.discard)
        connection.when_lost(lambda _: self._end(connection))
        return newest

    def publish(self, events: Iterable[Event]) -> None:
        """Hand `events` to every listener; never waits."""
        streams = tuple(self._streams.values())
        if not streams:
            return
        for event in events:
            told = _Told(event)
            for stream in streams:
                stream.offer(told)

    async def close(self) -> None:
        """End all streams."""
        for connection in tuple(self._streams):
            self._end(connection)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _end(self, connection: Connection) -> None:
        stream = self._streams.pop(connection, None)
        if stream is not None and stream.task is not None:
            stream.task.cancel()


class _Stream:
    """One listener: `sent` is the last number it got, `live` whether it needs nothing from the log."""

    def __init__(self, connection: Connection, log: EventLog, sent: int, limit: int):
        self.task: asyncio.Task[None] | None = None
        self._connection = connection
        self._log = log
        self._sent = sent
        self._limit = limit
        self._live = False
        self._merging = False
        self._waiting: dict[Hashable, _Told] = {}
        self._unnumbered: dict[Hashable, _Told] = {}
        self._woken = asyncio.Event()

    def offer(self, told: _Told) -> None:
        event = told.event
        if event.seq == 0:
            _put_last(self._unnumbered, _cell(event), told)
            if len(self._unnumbered) > self._limit:
                del self._unnumbered[next(iter(self._unnumbered))]
        elif self._live and event.seq > self._sent:
            _put_last(self._waiting, _cell(event), told)
            if len(self._waiting) > self._limit:
                self._waiting.clear()
                self._live = False
                self._merging = True
        self._woken.set()

    async def run(self, *, live: bool) -> None:
        self._live = live
        try:
            while True:
                if not self._live:
                    await self._catch_up()
                await self._woken.wait()
                self._woken.clear()
                await self._send_waiting()
        except HeroError as error:
            # Its next connection asks for events after what it has, and is told that it needs a snapshot.
            self._connection.drop(error)

    async def _catch_up(self) -> None:
        while not self._live:
            events = await self._log.after(self._sent, PAGE)
            for told in _merged(events) if self._merging else [_Told(event) for event in events]:
                await self._send(told)
            if events:
                self._sent = events[-1].seq
            # No await stands between this look and the end, so nothing can be told in between.
            elif self._sent >= self._log.latest_seq():
                self._live, self._merging = True, False

    async def _send_waiting(self) -> None:
        while self._waiting or self._unnumbered:
            queue = self._waiting or self._unnumbered
            await self._connection.link.writable()
            if queue:
                await self._send(queue.pop(next(iter(queue))))

    async def _send(self, told: _Told) -> None:
        await self._connection.link.writable()
        self._connection.notify("event", told.params)
        self._sent = max(self._sent, told.event.seq)


def _cell(event: Event) -> Hashable:
    """What `event` replaces: the last state of the same cell, the last progress of the same operation."""
    if event.seq and not is_passing(event.kind):
        return event.seq
    return (event.kind.partition(".")[0], event.slot, event.subject)


def _put_last(queue: dict[Hashable, _Told], key: Hashable, told: _Told) -> None:
    queue.pop(key, None)
    queue[key] = told


def _merged(events: Sequence[Event]) -> list[_Told]:
    queue: dict[Hashable, _Told] = {}
    for event in events:
        _put_last(queue, _cell(event), _Told(event))
    return list(queue.values())
