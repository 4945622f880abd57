"""A daemon's socket: one process serves it, every peer is known by its uid, and a stop loses no answer."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from backends.model.errors import HeroError
from backends.rpc.connection import Connection, Dispatch
from backends.rpc.dispatcher import Call, Dispatcher, Handler
from backends.rpc.limits import Limits
from backends.rpc.link import Link
from backends.rpc.listener import AlreadyRunning, Bound, bind, lock_holder, try_lock, unlink_if_ours
from backends.rpc.sockets import listening, refuse_long_path

__all__ = ["AlreadyRunning", "Call", "Dispatcher", "Handler", "Server"]

_LOCK_RETRY_SECONDS = 0.05


class Server:
    """Serves `dispatch` at the socket `path`.

    `mode` and `group` (a gid) are the socket's rights. `per_user` is how many connections one uid may hold.
    """

    def __init__(
        self,
        path: Path,
        dispatch: Dispatch,
        *,
        mode: int = 0o600,
        group: int | None = None,
        limits: Limits | None = None,
        per_user: int = 256,
    ) -> None:
        self.path = path
        self._dispatch = dispatch
        self._mode = mode
        self._group = group
        self._limits = limits
        self._per_user = per_user
        self._connections: set[Connection] = set()
        self._lock: int | None = None
        self._bound: Bound | None = None
        self._server: asyncio.Server | None = None
        self._stopping: HeroError | None = None

    @property
    def connections(self) -> frozenset[Connection]:
        """The connections of this moment, those included whose last work is still ending."""
        return frozenset(self._connections)

    async def start(self, *, patience: float = 10.0) -> None:
        """Listen. From the moment when the path answers, it answers for this process.

        Waits up to `patience` seconds for a predecessor that is stopping. Raises AlreadyRunning where another
        server answers, HeroError("usage") where the path is longer than 107 bytes.
        """
        refuse_long_path(self.path)
        self._lock = await self._take_lock(patience)
        try:
            if listening(self.path):
                raise AlreadyRunning(self.path, 0)
            self._bound = bind(self.path, mode=self._mode, group=self._group)
            self._server = await asyncio.get_running_loop().create_unix_server(
                self._accept, sock=self._bound.socket, backlog=512
            )
        except BaseException:
            self._release()
            raise

    async def close(self, *, grace: float = 5.0, reason: str = "The daemon is stopping.") -> None:
        """Take no more connections or requests, let running ones end for `grace` seconds, then leave the path.

        Not to be awaited by a handler of this server, for it waits for them.
        """
        if self._server is None:
            return
        self._stopping = why = HeroError("unreachable", reason)
        self._server.close()
        if self._bound:
            unlink_if_ours(self.path, self._bound)
        await asyncio.gather(*(each.close(why, grace=grace) for each in self.connections))
        await self._server.wait_closed()
        self._server = None
        self._release()

    async def _take_lock(self, patience: float) -> int:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        while (held := try_lock(self.path)) is None:
            if listening(self.path) or loop.time() >= deadline:
                raise AlreadyRunning(self.path, lock_holder(self.path))
            await asyncio.sleep(_LOCK_RETRY_SECONDS)
        return held

    def _accept(self) -> Link:
        connection = Connection(
            self._dispatch,
            label="The client",
            limits=self._limits,
            on_open=self._admit,
            on_finished=self._connections.discard,
        )
        return connection.link

    def _admit(self, connection: Connection) -> None:
        self._connections.add(connection)
        if self._stopping:
            connection.drop(self._stopping)
            return
        uid = connection.peer.uid
        if sum(each.peer.uid == uid for each in self._connections) > self._per_user:
            why = f"User {uid} holds {self._per_user} connections to this daemon, and it takes no more."
            connection.drop(HeroError("busy", why, hint="Close some clients."))

    def _release(self) -> None:
        if self._bound:
            unlink_if_ours(self.path, self._bound)
            self._bound.socket.close()
            self._bound = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
