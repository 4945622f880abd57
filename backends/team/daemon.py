"""The process around the reconciler: its socket, its interval, its signals, its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from pathlib import Path

from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.rpc.dispatcher import Dispatcher
from backends.rpc.server import Server
from backends.system_box import TEAM_GROUP, TEAM_SYNC_SOCKET, group_id, tell_ready
from backends.team.handlers import register
from backends.team.places import Places
from backends.team.reconciler import Reconciler
from backends.version import VERSION

log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0
"""What an action that is going gets to end."""


async def serve(root: Path, socket: Path = TEAM_SYNC_SOCKET) -> None:
    """Be the reconciler of the system box in `root` until a signal ends it. Raises HeroError."""
    if os.geteuid() != 0:
        raise HeroError("denied", "hero_team_sync makes accounts, so it runs as root.")
    group = group_id(TEAM_GROUP)
    reconciler = Reconciler(Places(BoxPaths(root)), group)
    dispatcher = Dispatcher("hero_team_sync", VERSION)
    register(dispatcher, reconciler)
    _prepare(socket.parent, group)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    server = Server(socket, dispatcher, mode=0o660, group=group)
    await server.start()
    tell_ready()
    log.info("hero_team_sync serves %s", socket)
    try:
        await _now_and_then(reconciler, ended)
    finally:
        reconciler.leave()
        await server.close(grace=GRACE_SECONDS, reason="hero_team_sync is stopping.")
        await reconciler.settle()
    log.info("hero_team_sync has ended")


async def _now_and_then(reconciler: Reconciler, ended: asyncio.Event) -> None:
    """Reconcile at once and then at each interval, until `ended`."""
    while not ended.is_set():
        running = asyncio.create_task(reconciler.apply(), name="reconcile-by-time")
        waiting = asyncio.create_task(ended.wait(), name="wait-for-the-end")
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not running.done():
            reconciler.leave()
        try:
            await running
        except HeroError as error:
            log.error("nothing was reconciled: %s", error)
        except Exception:
            log.exception("nothing was reconciled because of a defect")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), reconciler.interval)


def _prepare(folder: Path, group: int) -> None:
    """The folder of the socket, which only the team enters."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chown(folder, 0, group)
    folder.chmod(0o750)
