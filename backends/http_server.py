"""uvicorn in a daemon that has its own loop and signals: it never ticks, and tells nothing of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

CLOSE_SECONDS = 2
"""How long requests may take to end when a server closes."""


class QuietServer(Server):
    """Serves an ASGI application until `stop`."""

    def __init__(
        self,
        app: Any,
        protocol: type[H11Protocol],
        *,
        connections: int,
        keep_alive_seconds: int,
        head_limit: int,
        log_level: str,
    ):
        """`connections` at the same time, one more is answered 503; `head_limit`: bytes of a request's head."""
        super().__init__(
            Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level=log_level,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                limit_concurrency=connections,
                timeout_keep_alive=keep_alive_seconds,
                timeout_graceful_shutdown=CLOSE_SECONDS,
                h11_max_incomplete_event_size=head_limit,
            )
        )
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Have `serve` end: take no more connections, let running requests end for a moment."""
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
