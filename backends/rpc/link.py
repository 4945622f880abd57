"""One socket cut into lines: what arrives in any pieces leaves as whole lines, never more than the limit held."""

from __future__ import annotations

import asyncio
from typing import Protocol, cast


class LinkOwner(Protocol):
    """Who gets a link's lines."""

    def on_connected(self) -> None: ...

    def on_line(self, line: bytes) -> None: ...

    def on_overlong(self) -> None: ...

    def on_lost(self, error: Exception | None) -> None: ...


class Link(asyncio.Protocol):
    """Lines in, bytes out, both ways with back-pressure.

    A line above `limit` bytes is told once (`on_overlong`), dropped unread, and the next one is read as ever.
    """

    def __init__(self, owner: LinkOwner, limit: int) -> None:
        self.transport: asyncio.Transport
        self._owner = owner
        self._limit = limit
        self._partial = bytearray()
        self._skipping = False
        self._reading = True
        self._writers: list[asyncio.Future[None]] | None = None
        self._lost = False

    @property
    def unsent(self) -> int:
        """Bytes written that the kernel has not taken yet."""
        return self.transport.get_write_buffer_size()

    @property
    def open(self) -> bool:
        return not self._lost and not self.transport.is_closing()

    def write(self, data: bytes) -> None:
        """Queue `data`; never waits. Does nothing on a link that is closing."""
        if self.open:
            self.transport.write(data)

    async def writable(self) -> None:
        """Wait until the peer has taken most of what was written before, or is gone."""
        while self._writers is not None and self.open:
            turn = asyncio.get_running_loop().create_future()
            self._writers.append(turn)
            await turn

    def read(self, wanted: bool) -> None:
        """Go on or stop taking bytes from the peer."""
        if wanted == self._reading or not self.open:
            return
        self._reading = wanted
        if wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._owner.on_connected()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._partial.clear()
        self.resume_writing()
        self._owner.on_lost(exc)

    def pause_writing(self) -> None:
        self._writers = []

    def resume_writing(self) -> None:
        waiting, self._writers = self._writers or [], None
        for turn in waiting:
            if not turn.done():
                turn.set_result(None)

    def data_received(self, data: bytes) -> None:
        lines = data.split(b"\n")
        rest = lines.pop()
        for line in lines:
            self._end_line(line)
        if self._skipping:
            return
        self._partial += rest
        if len(self._partial) > self._limit:
            self._partial.clear()
            self._skipping = True
            self._owner.on_overlong()

    def _end_line(self, line: bytes) -> None:
        if self._skipping:
            self._skipping = False
            return
        if self._partial:
            self._partial += line
            line = bytes(self._partial)
            self._partial.clear()
        if len(line) > self._limit:
            self._owner.on_overlong()
        elif line.strip():
            self._owner.on_line(line)
