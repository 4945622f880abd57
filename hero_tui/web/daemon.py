"""The process around the cockpit in the browser: what it is made of, its socket, its signals, its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

from aiohttp import web

from backends.box.edge.serve import parse_listen
from backends.box_files import read_boxfile
from backends.forge.oauth import ForgeOAuth
from backends.model.boxfile import BoxFile
from backends.model.errors import HeroError
from backends.model.paths import BoxPaths
from backends.rpc.listener import AlreadyRunning, bind, lock_holder, try_lock, unlink_if_ours
from backends.system_box import tell_ready
from hero_tui.web.guards import Front
from hero_tui.web.logins import Login, Logins, Seals
from hero_tui.web.members import Members
from hero_tui.web.pages import PREFIX
from hero_tui.web.passwords import Passwords
from hero_tui.web.place import read_secret, secret_path
from hero_tui.web.sign_in import ByForge, ByPassword, NotSetUp, SignIn
from hero_tui.web.site import Site
from hero_tui.web.tabs import Argv, Tabs, cockpit_argv

log = logging.getLogger(__name__)

SOCKET_MODE = 0o660
_CLOSE_SECONDS = 1.0
_HEAD_LIMIT = 16 << 10


async def serve(box: BoxPaths, socket: Path | None, listen: str, *, tell: Callable[[str], None]) -> None:
    """Be the daemon until a signal ends it; `tell` is given the address once it answers.

    Raises HeroError: `usage` for an address that is not loopback, `busy` where another one listens there.
    """
    boxfile = read_boxfile(box)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with running(box, boxfile, socket, listen) as (address, _):
        log.info("the cockpit of box %s is at %s", boxfile.name, address)
        tell(address)
        tell_ready()
        await ended.wait()


@contextlib.asynccontextmanager
async def running(
    box: BoxPaths, boxfile: BoxFile, socket: Path | None, listen: str, argv: Argv | None = None
) -> AsyncGenerator[tuple[str, Site], None]:
    """Answer at an address until the end of the block, which gets the address, and what answers there.

    `argv`: the command of a tab, where it is not to be the cockpit.
    """
    front = Front(boxfile.router.url if socket else "", routed=socket is not None)
    site = site_of(box, boxfile, front, argv or cockpit_argv(box.root))
    runner = web.AppRunner(
        site.app(),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=_CLOSE_SECONDS,
        max_field_size=_HEAD_LIMIT,
        max_line_size=_HEAD_LIMIT,
    )
    await runner.setup()
    try:
        async with _at_socket(runner, socket) if socket else _at_address(runner, listen) as address:
            yield address, site
    finally:
        await site.tabs.close()
        await runner.cleanup()


def site_of(box: BoxPaths, boxfile: BoxFile, front: Front, argv: Argv) -> Site:
    """All that answers, as box.toml has it."""
    settings = boxfile.web
    members = Members(box, settings.roles)
    seals = Seals()

    def make_tabs(may_stay: Callable[[Login], Awaitable[bool]]) -> Tabs:
        return Tabs(argv, may_stay, most=settings.tabs, most_each=settings.tabs_each, idle=settings.idle)

    way = _way(box, boxfile, front, members, seals)
    return Site(boxfile.name, front, way, members, Logins(seals, settings.login), settings.login, make_tabs)


def _way(box: BoxPaths, boxfile: BoxFile, front: Front, members: Members, seals: Seals) -> SignIn:
    if boxfile.forge.kind == "folder":
        return ByPassword(Passwords(box.web), members, boxfile.name)
    if not boxfile.web.oauth_client:
        return NotSetUp(boxfile.forge.url, front.public)
    secret = read_secret(secret_path(box, boxfile))
    return ByForge(ForgeOAuth(boxfile.forge.url, boxfile.web.oauth_client, secret), members, seals)


@contextlib.asynccontextmanager
async def _at_socket(runner: web.AppRunner, path: Path) -> AsyncGenerator[str, None]:
    """At a UNIX socket, whose folder says which group may use it. Raises AlreadyRunning."""
    lock = try_lock(path)
    if lock is None:
        raise AlreadyRunning(path, lock_holder(path))
    try:
        bound = bind(path, mode=SOCKET_MODE, group=None)
        try:
            site = web.SockSite(runner, bound.socket)
            await site.start()
            try:
                yield str(path)
            finally:
                await site.stop()
        finally:
            unlink_if_ours(path, bound)
            bound.socket.close()
    finally:
        os.close(lock)


@contextlib.asynccontextmanager
async def _at_address(runner: web.AppRunner, listen: str) -> AsyncGenerator[str, None]:
    """At a loopback address. Raises HeroError."""
    address = parse_listen(listen)
    if address is None:
        raise HeroError("usage", "--listen names no address.", hint="Write it like 127.0.0.1:8790.")
    site = web.TCPSite(runner, address.host, address.port)
    try:
        await site.start()
    except OSError as error:
        raise HeroError(
            "busy",
            f"The cockpit cannot listen at {address}: {error.strerror}.",
            hint="--listen names another port.",
        ) from error
    host, port = runner.addresses[0][:2]
    shown = f"[{host}]" if ":" in host else host
    try:
        yield f"http://{shown}:{port}{PREFIX}/"
    finally:
        await site.stop()
