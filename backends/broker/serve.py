"""Where the relay listens: one loopback port, kept over restarts, so that sessions find it again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from backends.broker.peers import Address, TcpPeer
from backends.http_server import QuietServer
from backends.model.errors import HeroError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PRIVILEGED = range(801, 851)
"""Ports that no ordinary user can take while the broker is away, and so pretend to be it."""
PER_USER = 256
"""Connections of one uid at the same time."""
CONNECTIONS = 4096
HEAD_LIMIT = 64 * 1024
KEEP_ALIVE_SECONDS = 300
HEAD_SECONDS = 30.0
"""For the head of a connection's first request, so that nobody holds connections for nothing."""
_BACKLOG = 512


class Caller:
    """The process at the other end of one connection."""

    def __init__(self, transport: asyncio.Transport, peer: TcpPeer):
        self._transport = transport
        self._peer = peer

    async def uid(self) -> int | None:
        """Its uid; None where the kernel knows none."""
        return await self._peer.uid()

    def drop(self) -> None:
        """End the connection in the middle of what it carries."""
        self._transport.abort()


class RelayProtocol(H11Protocol):
    """HTTP/1.1 of one connection, whose uid is known and counted."""

    callers: Counter[int]
    _counted: int | None = None
    _overdue: asyncio.TimerHandle | None = None
    _counting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        assert self.client is not None
        peer = TcpPeer(Address(*self.client), Address(*transport.get_extra_info("sockname")))
        self.app_state = {"peer": Caller(transport, peer)}
        self._overdue = self.loop.call_later(HEAD_SECONDS, transport.abort)
        self._counting = self.loop.create_task(self._count(peer), name="count-connection")

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._overdue is not None and self.conn.their_state is not h11.IDLE:
            self._overdue.cancel()
            self._overdue = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
        if self._counted is not None:
            self.callers[self._counted] -= 1
            self._counted = None
        super().connection_lost(exc)

    async def _count(self, peer: TcpPeer) -> None:
        uid = await peer.uid()
        if self.transport.is_closing() or uid is None:
            return
        self._counted = uid
        self.callers[uid] += 1
        if self.callers[uid] > PER_USER:
            log.warning("user %d holds more than %d connections to the relay", uid, PER_USER)
            self.transport.abort()


def relay_server(app: Any) -> QuietServer:
    """A server of `app` that counts each user's connections."""
    return QuietServer(
        app,
        type("RelayProtocol", (RelayProtocol,), {"callers": Counter()}),
        connections=CONNECTIONS,
        keep_alive_seconds=KEEP_ALIVE_SECONDS,
        head_limit=HEAD_LIMIT,
        log_level="critical",
    )


class RelayHost:
    """The application, served at a port."""

    def __init__(self, app: Any):
        self._app = app
        self._listener: socket.socket | None = None
        self._server: QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, kept: int, *, system: bool) -> int:
        """Listen at the port that was `kept`, else at another one; which it is. Raises HeroError.

        On a `system` box it is one that other users cannot take, where this process may.
        """
        self._listener = _listen(kept, system=system)
        self._server = await asyncio.to_thread(self._load)
        self._task = asyncio.create_task(self._server.serve([self._listener]), name="relay")
        return int(self._listener.getsockname()[1])

    async def close(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.stop()
            await asyncio.wait([self._task])
            if error := self._task.exception():
                log.error("the relay ended by itself: %s", error)
        if self._listener is not None:
            self._listener.close()

    def _load(self) -> QuietServer:
        server = relay_server(self._app)
        server.config.load()
        return server


def _listen(kept: int, *, system: bool) -> socket.socket:
    ports = [*([kept] if kept else []), *(PRIVILEGED if system else ()), 0]
    for port in ports:
        with contextlib.suppress(PermissionError):
            if listener := _try_listen(port):
                return listener
    raise HeroError(
        "failed", f"The relay cannot listen at {HOST}.", hint="Look whether its loopback device is up."
    )


def _try_listen(port: int) -> socket.socket | None:
    """A listener at `port`, None where it is taken."""
    # With the protocol told, asyncio turns Nagle's algorithm off; else a small event waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
            return None
        raise
    return listener
