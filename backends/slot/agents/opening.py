"""A session's window: opened, its program handed over to that window's process alone, and once, and watched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from backends.model.agent_calls import AgentLaunch
from backends.model.errors import HeroError
from backends.slot.agents import process
from backends.slot.agents.ports import Payer, Payers, Starter
from backends.slot.agents.session import Session
from backends.slot.agents.situation import Launched
from backends.slot.agents.speaking import prepare
from backends.slot.agents.watching import StatusWatch
from backends.slot.agents.windows import Windows

LAUNCH_SECONDS = 30.0
"""Seconds from a window to its program's first word."""


@dataclass
class _Start:
    """A start that is under way: who pays, whether the window's process is `known`, and what came of it."""

    payer: Payer
    launched: asyncio.Future[None]
    known: asyncio.Event = field(default_factory=asyncio.Event)
    asked: bool = False


class Opening:
    """Opens the windows of one slot's sessions. `ended` is called when a session's process is gone."""

    def __init__(
        self,
        windows: Windows,
        starter: Starter,
        payers: Payers,
        watch: StatusWatch,
        boot: str,
        ended: Callable[[Session], None],
    ):
        self._windows = windows
        self._starter = starter
        self._payers = payers
        self._watch = watch
        self._boot = boot
        self._ended = ended
        self._starts: dict[str, _Start] = {}
        self._stops: dict[str, Callable[[], None]] = {}

    async def open(self, session: Session) -> None:
        """Start the session's program in a window; returns once it has what it needs. Raises HeroError."""
        planted = asyncio.to_thread(self._starter.plant, session.folder, session.agent)
        payer, _ = await asyncio.gather(self._payers.payer(session.agent.name), planted)
        session.know(Launched())
        start = self._starts[session.id] = _Start(payer, asyncio.get_running_loop().create_future())
        try:
            window = await self._windows.open(f"agent-{session.id}", self._starter.words(session.agent))
            session.change(window=window.id, pid=window.pid, credential=payer.credential.name)
            key = payer.key
            session.keep(
                process=process.identify(window.pid, self._boot),
                boot=self._boot,
                lease=key.lease if key else "",
                has_key=key is not None and not key.base_url,
            )
            start.known.set()
            self.watch(session)
            await prepare(session, self._windows)
            await self._wait(session, start)
        finally:
            del self._starts[session.id]
        await session.save()

    async def launch(self, session: Session, pid: int, caller: int) -> AgentLaunch:
        """What the window's process `pid` becomes; `caller` is the one that asks. Raises HeroError `denied`."""
        start = self._starts.get(session.id)
        if start is None:
            raise HeroError("denied", f"Nobody starts agent {session.agent.name} now.")
        await start.known.wait()
        known = session.record.process
        if start.asked or known is None or not (known.pid == pid == caller):
            raise HeroError("denied", f"Only the window of agent {session.agent.name} starts it, and once.")
        start.asked = True
        try:
            launch = await self._starter.launch(session.folder, session.record, start.payer)
        except HeroError as error:
            start.launched.set_exception(error)
            raise
        start.launched.set_result(None)
        return launch

    def watch(self, session: Session) -> None:
        """Notice the end of the session's process, and what its status file says. Raises HeroError, OSError."""
        known = session.record.process
        stop = process.watch_end(known, lambda: self._gone(session)) if known else None
        if known is None or stop is None:
            self._ended(session)
            return
        self._stops[session.id] = stop
        self._watch.add(session.id, self._starter.config(session.folder), known.pid)

    def close(self) -> None:
        """Watch nothing any more."""
        for stop in self._stops.values():
            stop()
        self._stops.clear()

    def _gone(self, session: Session) -> None:
        self._stops.pop(session.id, None)
        self._ended(session)

    async def _wait(self, session: Session, start: _Start) -> None:
        """Wait for the program's launch; a window that ends before says why."""
        ended: asyncio.Future[Any] = asyncio.ensure_future(session.ended.wait())
        both: list[asyncio.Future[Any]] = [start.launched, ended]
        try:
            done, _ = await asyncio.wait(both, timeout=LAUNCH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if start.launched in done:
            start.launched.result()
            return
        start.launched.cancel()
        why = f"ended: {session.agent.detail}" if done else "did not start its program"
        raise HeroError("failed", f"The window of agent {session.agent.name} {why}.")
