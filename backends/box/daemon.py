"""The process around a box: its socket, its signals, its end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.box.box import Box
from backends.box.handlers import register
from backends.box_files import read_boxfile
from backends.forge.open import open_forge
from backends.model.boxfile import BoxFile
from backends.model.paths import BoxPaths
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import DISCOVER, PING, Dispatcher
from backends.rpc.server import Server
from backends.rpc.socketdir import ensure_socket_dir
from backends.rpc.wire import Request
from backends.system_box import ROUTER_GROUP, TEAM_GROUP, group_id, prepared_folder, tell_ready
from backends.version import VERSION

log = logging.getLogger(__name__)

GRACE_SECONDS = 5.0


async def serve(root: Path, argv: Callable[[str], list[str]] | None) -> None:
    """Be the daemon of the box in `root` until a signal or `box.down` ends it.

    `argv` is the command of a slot's daemon; None leaves the slots' daemons alone. Raises HeroError, `busy`
    where another daemon serves the box already.
    """
    paths = BoxPaths(root)
    boxfile = read_boxfile(paths)
    sockets = _sockets(paths, boxfile)
    socket = sockets.folder / paths.rpc_socket.name
    forge = open_forge(paths, boxfile.forge, (paths.forge_token,))
    box = Box(paths, boxfile, forge, None if boxfile.kind == "system" else argv)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    gate = _Gate(box, ended)
    server = Server(socket, gate, mode=sockets.mode, group=sockets.team)
    await server.start()
    log.info("the daemon of box %s serves %s", boxfile.name, socket)
    try:
        await box.open()
        gate.open()
        await box.edge.listen(sockets.folder / paths.http_socket.name, boxfile.edge.listen, group=sockets.router)
        tell_ready()
        await ended.wait()
    finally:
        box.leave()
        await server.close(grace=GRACE_SECONDS, reason="The box's daemon is stopping.")
        await box.close()
        await forge.aclose()
    log.info("the daemon of box %s has ended", boxfile.name)


@dataclass(frozen=True)
class _Sockets:
    """Where the box listens, and the groups (gids) that may connect besides its own user."""

    folder: Path
    mode: int = 0o600
    team: int | None = None
    router: int | None = None


def _sockets(paths: BoxPaths, boxfile: BoxFile) -> _Sockets:
    if boxfile.kind == "system":
        folder = prepared_folder(paths.run)
        return _Sockets(folder, 0o660, group_id(TEAM_GROUP), group_id(ROUTER_GROUP))
    return _Sockets(ensure_socket_dir(paths.run, paths.longest_socket))


class _Gate:
    """Holds calls back until the box is open; that the daemon is there can be asked before."""

    def __init__(self, box: Box, ended: asyncio.Event):
        self._dispatcher = Dispatcher("hero_boxd", VERSION, log=box.paths.log / "boxd.log")
        self._opened = asyncio.Event()
        self._rights = box.rights
        register(self._dispatcher, box, ended)

    def open(self) -> None:
        self._opened.set()

    async def __call__(self, connection: Connection, request: Request) -> Any:
        if request.method not in (PING, DISCOVER):
            await self._opened.wait()
            self._rights.refuse_change(connection.peer, request.method)
        return await self._dispatcher(connection, request)
