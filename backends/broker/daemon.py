"""The process around the broker: its socket, its relay, its signals, its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from pathlib import Path
from typing import Any

from backends.box_files import read_boxfile
from backends.broker.admission import Admission
from backends.broker.assignments import Assignments
from backends.broker.broker import Broker
from backends.broker.handlers import register
from backends.broker.relay import Relay
from backends.broker.sealing import given_sealing
from backends.broker.serve import HOST, RelayHost
from backends.broker.store import KeyStore
from backends.broker.telling import BoxTeller
from backends.broker.upstream import Upstream
from backends.broker_place import broker_place
from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import DISCOVER, PING, Dispatcher
from backends.rpc.server import Server
from backends.rpc.socketdir import ensure_socket_dir
from backends.rpc.wire import Request
from backends.system_box import TEAM_GROUP, group_id, prepared_folder, tell_ready
from backends.version import VERSION

log = logging.getLogger(__name__)

GRACE_SECONDS = 2.0


async def serve(root: Path, state: Path | None = None) -> None:
    """Be the broker of the box in `root` until a signal or `aibroker.down` ends it.

    `state` is where the keys lie, if not where they belong. Raises HeroError, `busy` where another one runs.
    """
    paths = BoxPaths(root)
    boxfile = read_boxfile(paths)
    system = boxfile.kind == "system"
    folder = state or broker_place(paths).state
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    teller = BoxTeller(paths.rpc_socket)
    broker = Broker(
        folder,
        KeyStore(folder / "store", given_sealing()),
        Assignments(paths.team),
        system=system,
        hand_over=boxfile.claude.hand_over,
        told=teller.tell,
        now=time.time,
    )
    dispatcher = Dispatcher("hero_aibroker", VERSION, log="" if system else folder / "broker.log")
    register(dispatcher, broker, ended, system=system)
    gate = _Gate(dispatcher)
    server = _server(paths, gate, system=system)
    relay = _Relaying(broker, boxfile, system=system)
    # The socket's lock before all else: two brokers would spoil each other's files.
    await server.start()
    try:
        await relay.open()
        gate.open()
        tell_ready()
        log.info("the broker of box %s serves %s, its relay %s", boxfile.name, server.path, broker.relay_url)
        await ended.wait()
    finally:
        await server.close(grace=GRACE_SECONDS, reason="The broker is stopping.")
        await relay.close()
        await broker.close()
        await teller.close()
    log.info("the broker of box %s has ended", boxfile.name)


class _Relaying:
    """The broker's state and its relay, opened in their order."""

    def __init__(self, broker: Broker, boxfile: BoxFile, *, system: bool):
        self._broker = broker
        self._system = system
        self._upstream = Upstream(boxfile.claude.upstream)
        admission = Admission(broker.leases, broker.audit)
        self._relay = Relay(admission, broker.chooser, broker.health, broker.ledger, self._upstream, time.time)
        self._host = RelayHost(self._relay)

    async def open(self) -> None:
        kept = await self._broker.open()
        await self._upstream.open()
        port = await self._host.start(kept, system=self._system)
        self._broker.relay_url = f"http://{HOST}:{port}"
        if port == kept:
            return
        if kept:
            self._broker.notes.append(
                f"Another program took the relay's port {kept}; it is {port} now, and sessions that were started"
                " before have to be started again."
            )
        try:
            await self._broker.ledger.keep_port(port)
        except HeroError as error:
            log.error("the relay's port is not kept: %s", error)

    async def close(self) -> None:
        await self._host.close()
        await self._relay.close()
        await self._upstream.close()


class _Gate:
    """Holds calls back until the relay is there; that the daemon is can be asked before."""

    def __init__(self, dispatcher: Dispatcher):
        self._dispatcher = dispatcher
        self._opened = asyncio.Event()

    def open(self) -> None:
        self._opened.set()

    async def __call__(self, connection: Connection, request: Request) -> Any:
        if request.method not in (PING, DISCOVER):
            await self._opened.wait()
        return await self._dispatcher(connection, request)


def _server(paths: BoxPaths, gate: _Gate, *, system: bool) -> Server:
    socket = broker_place(paths).socket
    if system:
        folder = prepared_folder(socket.parent)
        return Server(folder / socket.name, gate, mode=0o660, group=group_id(TEAM_GROUP))
    folder = ensure_socket_dir(paths.run, paths.longest_socket)
    return Server(folder / socket.name, gate)
