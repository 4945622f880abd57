"""The HTTP of the edge: a client must come to the point."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from backends.http_server import QuietServer

REQUEST_SECONDS = 15.0
"""How long a request may take to be here whole, its head and its body; uvicorn itself waits for ever."""

CONNECTIONS = 128
"""Connections at the same time; one more is answered 503."""

IDLE_CONNECTIONS = 2 * CONNECTIONS
"""Connections at the same time, those included that have not asked for anything; one more is dropped."""

HEAD_LIMIT = 16 * 1024
"""Bytes of a request's line and headers."""

KEEP_ALIVE_SECONDS = 5


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


def edge_server(app: Any, *, request_seconds: float = REQUEST_SECONDS) -> QuietServer:
    """A server of `app` whose clients must come to the point."""
    protocol = type("EdgeProtocol", (EdgeProtocol,), {"request_seconds": request_seconds})
    return QuietServer(
        app,
        protocol,
        connections=CONNECTIONS,
        keep_alive_seconds=KEEP_ALIVE_SECONDS,
        head_limit=HEAD_LIMIT,
        log_level="error",
    )
