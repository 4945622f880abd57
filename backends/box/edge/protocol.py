"""uvicorn in a daemon with its own loop and signals: it never ticks, and a client must come to the point."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h11
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 15.0
"""How long a request may take to be here whole, its head and its body; uvicorn itself waits for ever."""

CONNECTIONS = 128
"""Connections at the same time; one more is answered 503."""

IDLE_CONNECTIONS = 2 * CONNECTIONS
"""Connections at the same time, those included that have not asked for anything; one more is dropped."""

HEAD_LIMIT = 16 * 1024
"""Bytes of a request's line and headers."""

KEEP_ALIVE_SECONDS = 5

CLOSE_SECONDS = 2
"""How long requests may take to end when the edge closes."""


class EdgeProtocol(H11Protocol):
    """HTTP/1.1 of one connection, which is dropped where a request trickles in."""

    request_seconds = REQUEST_SECONDS
    _overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > IDLE_CONNECTIONS:
            transport.abort()
            return
        self._expect()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing() or self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._forget()
        else:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def _expect(self) -> None:
        """The clock of a request runs from its first byte; what follows does not turn it back."""
        if self._overdue is None:
            self._overdue = self.loop.call_later(self.request_seconds, self.transport.abort)

    def _forget(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None


class EdgeServer(Server):
    """Serves until `stop`."""

    def __init__(self, app: Any, *, request_seconds: float = REQUEST_SECONDS):
        protocol = type("EdgeProtocol", (EdgeProtocol,), {"request_seconds": request_seconds})
        super().__init__(
            Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=CLOSE_SECONDS,
                h11_max_incomplete_event_size=HEAD_LIMIT,
            )
        )
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Have `serve` end: take no more connections, let running requests end."""
        self.should_exit = True
        self._stopped.set()

    async def main_loop(self) -> None:
        """Wait; uvicorn would look ten times a second."""
        await self.on_tick(0)
        await self._stopped.wait()

    async def shutdown(self, sockets: Any = None) -> None:
        await super().shutdown(sockets)
        for connection in tuple(self.server_state.connections):
            connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the daemon's."""
        yield
