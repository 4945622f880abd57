"""The process around a slot: its socket, its link to the box, the files that it watches, its end."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path

from backends.box_files import read_boxfile, read_team
from backends.forge.open import open_forge
from backends.inotify import MODIFY, NAMES, Inotify
from backends.model.errors import HeroError, unknown_name
from backends.model.paths import BoxPaths, SlotPaths
from backends.rpc.connection import Connection
from backends.rpc.dispatcher import DISCOVER, PING, Dispatcher
from backends.rpc.server import Server
from backends.rpc.socketdir import ensure_socket_dir
from backends.rpc.wire import Request
from backends.slot.boxlink import BoxLink
from backends.slot.handlers import register
from backends.slot.slot import Slot
from backends.supervisors.base import Supervisor
from backends.supervisors.supervisord import Supervisord
from backends.system_box import prepared_folder, tell_ready
from backends.version import VERSION

log = logging.getLogger(__name__)

LONGEST_SOCKET = len("hero_slot/supervisor.events.sock.12345678")
"""Bytes that the longest name of a socket of ours takes in a slot's socket folder."""

FROM_BOX = (
    PING,
    DISCOVER,
    "slot.status",
    "slot.logs",
    "logs.stop",
    "slot.build",
    "slot.build_stop",
    "build.changed",
    "agent.log",
    "agent.deliver",
    "agent.answer",
    "agent.decide",
    "slot.disk",
    "slot.disk_stop",
)
"""What another user's box daemon may ask over the link: to look, to run what its queue holds, and to hand over
what its inbox has for the slot's agents."""

SAVED_AFTER = 0.1
"""Seconds in which an editor finishes the several steps of a save."""

ANSWERED_AFTER = 0.05
"""Seconds in which the answer to `slot.down` leaves before the daemon ends."""


async def serve(root: Path, user: str) -> None:
    """Be the daemon of `user`'s slot until a signal or `slot.down` ends it. Raises HeroError."""
    box = BoxPaths(root)
    if not box.slot(user).root.is_dir():
        users = [home.name for home in box.homes.iterdir()] if box.homes.is_dir() else []
        raise unknown_name("slot", user, users)
    paths = box.slot(user)
    boxfile = read_boxfile(box)
    is_system = boxfile.kind == "system"
    sockets = prepared_folder(paths.sockets) if is_system else ensure_socket_dir(paths.sockets, LONGEST_SOCKET)
    own = sockets / "hero_slot"
    own.mkdir(mode=0o700, exist_ok=True)
    # On a system box the box's token is the box's alone.
    tokens = (paths.forge_token,) if is_system else (paths.forge_token, box.forge_token)
    forge = open_forge(box, boxfile.forge, tokens)
    slot = Slot(
        box,
        boxfile.name,
        user,
        forge=forge,
        supervisor=_supervisor(paths, own, is_system=is_system),
        sockets=sockets,
        address=boxfile.router.url,
    )
    daemon = _Daemon(box, slot, own / "rpc.sock", trusts_box=not is_system)
    try:
        await daemon.run()
    finally:
        await forge.aclose()


def _supervisor(paths: SlotPaths, own: Path, *, is_system: bool) -> Supervisor:
    if not is_system:
        return Supervisord(paths.supervisor, runtime_dir=own)
    # D-Bus takes a tenth of a second to load, which no rootless box has to pay.
    from backends.supervisors.systemd import Systemd

    return Systemd()


class _Daemon:
    """`trusts_box`: the box's daemon is this user's own, and may ask everything that the user may."""

    def __init__(self, box: BoxPaths, slot: Slot, socket: Path, *, trusts_box: bool):
        self._box = box
        self._slot = slot
        self._trusts_box = trusts_box
        self._ended = asyncio.Event()
        self._opened = asyncio.Event()
        self._stop_services = False
        self._dispatcher = Dispatcher("hero_slotd", VERSION, log=slot.context.paths.log / "slotd.log")
        register(self._dispatcher, slot, self._down)
        self._server = Server(socket, self._answer)

    async def run(self) -> None:
        slot = self._slot
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        await self._server.start()
        try:
            team, _ = await asyncio.to_thread(read_team, self._box.team)
            await slot.open(team)
            self._opened.set()
            tell_ready()
            await self._run_until_ended()
        finally:
            slot.agents.hang_up()
            await self._server.close()
            await slot.close(services=self._stop_services)

    async def _run_until_ended(self) -> None:
        slot = self._slot
        link = BoxLink(
            self._box.rpc_socket,
            slot.context.user,
            slot.outbox,
            slot.status,
            self._from_box,
        )
        slot.when_recorded(link.recorded)
        slot.context.turns.use(link.reach)
        slot.agents.use(link.reach)
        slot.when_agent_changed(link.agent)
        slot.claude.when_changed(lambda _: link.status_changed())
        link.when_connected(slot.agents.connected)
        ends = [
            slot.context.board.watch(lambda cell, service: link.cell(cell) if cell else link.gone(service)),
            slot.context.operations.watch(link.operation),
        ]
        tasks = [
            asyncio.create_task(link.run(), name="box-link"),
            asyncio.create_task(self._watch_manifest(link), name="watch-manifest"),
            asyncio.create_task(slot.claude.run(), name="watch-credential"),
        ]
        await self._ended.wait()
        for end in ends:
            end()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, connection: Connection, request: Request) -> object:
        """Who calls while the slot is being brought up waits for it; only a ping is answered before."""
        if request.method != PING:
            await self._opened.wait()
        return await self._dispatcher(connection, request)

    async def _from_box(self, connection: Connection, request: Request) -> object:
        """What the box asks over the link that we opened: the same calls, and news from the forge."""
        if request.method == "forge.changed":
            self._slot.forge_changed(str(request.params.get("repo", "")))
            return {}
        if request.method == "team.changed":
            await self._take_team()
            return {}
        if not self._trusts_box and request.method not in FROM_BOX:
            raise HeroError("denied", f"A box's daemon may not ask a slot for {request.method}.")
        return await self._dispatcher(connection, request)

    async def _take_team(self) -> None:
        team, _ = await asyncio.to_thread(read_team, self._box.team)
        board = self._slot.context.board
        before = {cell.service: cell.repo for cell in board.cells()}
        self._slot.take_team(team)
        self._slot.reload()
        if moved := [cell.service for cell in board.cells() if cell.repo != before.get(cell.service)]:
            self._slot.context.refresher.soon(*moved)
        self._slot.claude.soon()

    async def _watch_manifest(self, link: BoxLink) -> None:
        """An edit by hand shows in the cells at once; one that does not parse, in the slot's problems."""
        manifest = self._slot.context.paths.manifest
        manifest.parent.mkdir(parents=True, exist_ok=True)
        # Not watchfiles: it wakes the process twenty times a second for as long as it watches.
        with Inotify() as notify:
            notify.add(manifest.parent, NAMES | MODIFY)
            seen = _stamp(manifest)
            while True:
                await notify.changed()
                await asyncio.sleep(SAVED_AFTER)
                if (stamp := _stamp(manifest)) == seen:
                    continue
                seen = stamp
                self._slot.reload()
                self._slot.context.refresher.soon()
                self._slot.claude.soon()
                link.status_changed()

    async def _down(self, services: bool) -> None:
        self._stop_services = services
        asyncio.get_running_loop().call_later(ANSWERED_AFTER, self._ended.set)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What differs whenever a file was saved; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
