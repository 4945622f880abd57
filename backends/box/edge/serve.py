"""Where the box's HTTP side listens: a UNIX socket for the proxy before it, and a loopback address if asked."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.model.errors import HeroError
from backends.rpc.listener import AlreadyRunning, Bound, bind, lock_holder, try_lock, unlink_if_ours
from backends.rpc.sockets import listening

if TYPE_CHECKING:
    from backends.http_server import QuietServer

log = logging.getLogger(__name__)

SOCKET_MODE = 0o660
_BACKLOG = 512


@dataclass(frozen=True, slots=True)
class Address:
    """A loopback address; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> Address | None:
    """`[edge].listen` of box.toml, None where it is empty. Raises HeroError `usage` for what is not loopback."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    example = 'Write it like "127.0.0.1:8787".'
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise HeroError("usage", f"[edge].listen has no port: {text!r}.", hint=example)
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise HeroError("usage", f"[edge].listen is no address: {text!r}.", hint=example) from None
    if not loopback:
        raise HeroError(
            "usage",
            f"[edge].listen may not be {host}: the box's HTTP side speaks to this machine alone.",
            hint=f"{example} A proxy in front of it, with TLS, makes it reachable from outside.",
        )
    return Address(host, int(port))


class HttpEdge:
    """Serves the application that `make_app` gives, at the socket `path` and at `address`.

    `group` (a gid) may use the socket, besides its owner. `make_app` is called in `start`, in a thread, so that a
    daemon that starts does not wait for its imports.
    """

    def __init__(
        self,
        path: Path,
        make_app: Callable[[], Any],
        *,
        address: Address | None = None,
        group: int | None = None,
        request_seconds: float | None = None,
    ):
        self.path = path
        self.address = address
        self._make_app = make_app
        self._group = group
        self._request_seconds = request_seconds
        self._lock: int | None = None
        self._bound: Bound | None = None
        self._tcp: socket.socket | None = None
        self._server: QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; `address` is the real one then. Raises HeroError: AlreadyRunning where another server answers
        at the socket, `failed` where the address is taken."""
        self._take_path()
        try:
            if self.address is not None:
                self._tcp, self.address = _listen(self.address)
            self._server = await asyncio.to_thread(self._load)
            self._task = asyncio.create_task(self._serve(self._server), name="http-edge")
        except BaseException:
            self._release()
            raise

    async def close(self) -> None:
        """Take no more requests, let the running ones end for a moment, then leave the path."""
        if self._server is not None and self._task is not None:
            if self._bound:
                unlink_if_ours(self.path, self._bound)
            self._server.stop()
            await asyncio.wait([self._task])
            if error := self._task.exception():
                log.error("the HTTP side ended by itself: %s", error)
            self._server = self._task = None
        self._release()

    def _take_path(self) -> None:
        self._lock = try_lock(self.path)
        try:
            if self._lock is None or listening(self.path):
                raise AlreadyRunning(self.path, lock_holder(self.path) if self._lock is None else 0)
            self._bound = bind(self.path, mode=SOCKET_MODE, group=self._group)
        except BaseException:
            self._release()
            raise

    def _load(self) -> QuietServer:
        from backends.box.edge.protocol import REQUEST_SECONDS, edge_server

        seconds = REQUEST_SECONDS if self._request_seconds is None else self._request_seconds
        server = edge_server(self._make_app(), request_seconds=seconds)
        server.config.load()
        return server

    async def _serve(self, server: QuietServer) -> None:
        assert self._bound is not None
        await server.serve([each for each in (self._bound.socket, self._tcp) if each is not None])

    def _release(self) -> None:
        if self._tcp is not None:
            self._tcp.close()
            self._tcp = None
        if self._bound is not None:
            unlink_if_ours(self.path, self._bound)
            self._bound.socket.close()
            self._bound = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _listen(address: Address) -> tuple[socket.socket, Address]:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # By its number asyncio knows that it is TCP, and has small answers sent at once.
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise HeroError(
            "failed",
            f"The box cannot listen at {address}: {error.strerror or error}.",
            hint="Another program may use it; set [edge].listen of box.toml to a free port.",
        ) from error
    return listener, Address(address.host, listener.getsockname()[1])
