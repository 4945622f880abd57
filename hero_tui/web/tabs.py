"""The cockpits that are open in browsers: as many as there may be, each ended with its tab."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from backends.model.errors import HeroError
from backends.rpc.looking import VARIABLE
from hero_tui.deep_link import Link
from hero_tui.web.logins import Login
from hero_tui.web.served import TEXT_LIMIT, Nonsense, TabProcess

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
"""How often it is looked whether a person may still be here, and still is."""
_HEARTBEAT_SECONDS = 20.0
_KEPT = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "USER",
    "LOGNAME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "PYTHONPATH",
)
"""What of the daemon's own environment a cockpit gets, and the daemons that it starts on a rootless box."""


Argv = Callable[[Login, Link, Path], list[str]]
"""The command of a cockpit: whose, where it begins, a folder of its own."""


class Full(HeroError):
    """There are as many as there may be."""


@dataclass
class Tab:
    """One that is open. `touched` is when its person did something last (seconds of a monotonic clock)."""

    login: Login
    socket: web.WebSocketResponse
    process: TabProcess
    touched: float = field(default_factory=time.monotonic)


class Tabs:
    """Those of one daemon, each run by `argv`. `may_stay(login)` is the word of whoever signs people in."""

    def __init__(
        self,
        argv: Argv,
        may_stay: Callable[[Login], Awaitable[bool]],
        *,
        most: int,
        most_each: int,
        idle: float,
        look: float = LOOK_SECONDS,
    ):
        self._argv = argv
        self._may_stay = may_stay
        self._most = most
        self._most_each = most_each
        self._idle = idle
        self._look = look
        self._open: dict[int, Tab] = {}
        self._here: list[str] = []
        self._watching: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    @property
    def pids(self) -> list[int]:
        """Of the cockpits' processes."""
        return [tab.process.pid for tab in self._open.values()]

    def check_room(self, user: str) -> None:
        """Raises Full where this person may not open one more."""
        if self._here.count(user) >= self._most_each:
            raise Full(
                "busy",
                f"You have {self._most_each} cockpits open in browsers, and nobody has more.",
                hint="Close one of their tabs.",
            )
        if len(self._here) >= self._most:
            raise Full(
                "busy",
                f"{len(self._here)} cockpits are open in browsers, as many as this box has room for.",
                hint="Try again later, or `ssh` to the box and run `hero_tui`.",
            )

    async def serve(
        self, request: web.Request, login: Login, link: Link, size: tuple[int, int]
    ) -> web.WebSocketResponse:
        """Run a cockpit for as long as the tab is there."""
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=TEXT_LIMIT, compress=True)
        await socket.prepare(request)
        try:
            self.check_room(login.user)
        except Full as full:
            await socket.close(code=4001, message=reason(f"{full.message} {full.hint}"))
            return socket
        self._here.append(login.user)
        try:
            with tempfile.TemporaryDirectory(prefix="hero-web-") as folder:
                await self._run(socket, login, link, size, Path(folder))
        finally:
            self._here.remove(login.user)
        return socket

    async def _run(
        self, socket: web.WebSocketResponse, login: Login, link: Link, size: tuple[int, int], folder: Path
    ) -> None:
        process = TabProcess(self._argv(login, link, folder), environment(os.environ), folder, socket)
        tab = Tab(login, socket, process)
        try:
            await process.start(*size)
            log.info("%s has opened a cockpit (pid %d)", login.user, process.pid)
            self._add(tab)
            async for message in socket:
                if await process.take(message):
                    tab.touched = time.monotonic()
        except Nonsense:
            await socket.close(code=1003, message=b"The page sent what no page of ours sends.")
        except ConnectionError:
            pass
        finally:
            # Also if this task is being cancelled: no process outlives its tab.
            try:
                await _to_the_end(process.end())
            finally:
                self._open.pop(id(tab), None)
            log.info("%s's cockpit has ended (pid %d)", login.user, process.pid)

    def _add(self, tab: Tab) -> None:
        self._open[id(tab)] = tab
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="tabs")

    async def _watch(self) -> None:
        """While any is open, look who has gone, or has to go."""
        while self._open:
            await asyncio.sleep(min(self._look, self._idle))
            for tab in list(self._open.values()):
                if why := await self._why_not(tab):
                    await self._close(tab, why)

    async def _why_not(self, tab: Tab) -> str:
        if time.monotonic() - tab.touched >= self._idle:
            return "Nobody has touched this cockpit for a while."
        with contextlib.suppress(HeroError):  # while nobody can tell, who is here stays
            if not await self._may_stay(tab.login):
                return "Your login has ended. Sign in again."
        return ""

    async def close_of(self, login: Login) -> None:
        """End those that were opened with this login."""
        theirs = [tab for tab in self._open.values() if tab.login.id == login.id]
        await asyncio.gather(*(self._close(tab, "You have signed out.") for tab in theirs))

    async def close(self) -> None:
        """End all of them: the daemon ends."""
        if self._watching is not None:
            self._watching.cancel()
        await asyncio.gather(*(self._close(tab, "", code=1001) for tab in list(self._open.values())))

    async def _close(self, tab: Tab, why: str, *, code: int = 4000) -> None:
        with contextlib.suppress(ConnectionError):
            await tab.socket.close(code=code, message=reason(why))
        await tab.process.end()


def cockpit_argv(box: Path) -> Argv:
    """The cockpit of the box in `box`."""

    def argv(login: Login, link: Link, folder: Path) -> list[str]:
        return [
            *(sys.executable, "-P", "-m", "hero_tui.web.tab", "--box", str(box), "--user", login.user),
            *("--settings", str(folder / "settings.toml"), "--screen", link.place),
            *(f"--link-slot={link.slot}", f"--link-service={link.service}"),
        ]

    return argv


async def _to_the_end(work: Awaitable[None]) -> None:
    """Await `work` although this task is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """What a cockpit's process is started with: nothing of the daemon's but what any program needs."""
    kept = {name: own[name] for name in _KEPT if name in own}
    return {
        **kept,
        "LANG": kept.get("LANG") or "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HERO_RESIDENT": "0",
        VARIABLE: "1",
    }


def reason(text: str) -> bytes:
    """As a WebSocket's end can carry it: at most 123 bytes."""
    return text.encode()[:123].decode("utf-8", "ignore").encode()
