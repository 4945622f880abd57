"""What the box looks at again because something may have changed on the forge: pushed, told, or by the clock."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from backends.box.fleet import Fleet
from backends.box.gates import Gates
from backends.box.links import Links
from backends.box.queue.fanout import FanOut
from backends.box.queue.queue import BuildQueue
from backends.box.releases import ReleaseNews
from backends.box.team import Team
from backends.forge.base import Forge
from backends.model.errors import HeroError
from backends.model.state import Event

log = logging.getLogger(__name__)

FORGE_RETRY_SECONDS = 5.0

POLL_FIRST, POLL_EVERY = 5.0, 300.0
"""Seconds from a slot's coming to a look at all that is followed, and between two looks."""

Record = Callable[[str, str, dict[str, Any]], Awaitable[None]]
"""Keeps and tells an event: kind, subject, data."""
Spawn = Callable[[Coroutine[Any, Any, None], str], None]
"""Has work done that nobody waits for."""


class Following:
    """Looks at repositories for everybody who depends on them; looking twice does no harm.

    `team_pushed` is called when the team repo may have changed.
    """

    def __init__(
        self,
        forge: Forge,
        team: Team,
        fleet: Fleet,
        queue: BuildQueue,
        links: Links,
        gates: Gates,
        *,
        record: Record,
        team_pushed: Callable[[], Awaitable[None]],
        spawn: Spawn,
    ):
        self._forge = forge
        self._team = team
        self._fleet = fleet
        self._links = links
        self._gates = gates
        self._record = record
        self._team_pushed = team_pushed
        self._spawn = spawn
        self._fanout = FanOut(forge, fleet, queue, self._have_look)
        self._news = ReleaseNews(forge)
        self._came = asyncio.Event()

    async def watch(self) -> None:
        """Hear of what the forge itself tells."""
        while True:
            try:
                async for repo in self._forge.changes():
                    await self.changed(repo, reason="push")
            except HeroError as error:
                log.warning("the forge cannot be watched: %s", error)
            await asyncio.sleep(FORGE_RETRY_SECONDS)

    async def poll(self) -> None:
        """What no webhook and no watch told of is found here."""
        self._came.set()
        while True:
            with contextlib.suppress(TimeoutError):
                # Not wait_for, which can swallow a cancellation that comes together with the event.
                async with asyncio.timeout(POLL_EVERY):
                    await self._came.wait()
            # Slots come in crowds; one look does for all of them.
            await asyncio.sleep(POLL_FIRST)
            self._came.clear()
            await self._fanout.poll()

    def follows(self, repo: str) -> bool:
        """Whether anything here depends on `repo`."""
        if repo == self._team.repo or any(entry.repo == repo for entry in self._team.catalogue):
            return True
        return any(cell.repo == repo for slot in self._fleet.slots() for cell in slot.services)

    async def changed(self, repo: str, branch: str | None = None, *, reason: str = "webhook") -> None:
        """Look at `repo` again, whoever says that something changed there. Raises HeroError to be called again."""
        if repo == self._team.repo:
            await self._team_pushed()
        self._links.tell_all("forge.changed", {"repo": repo})
        self._gates.forge_changed(repo)
        services = [entry.name for entry in self._team.catalogue if entry.repo == repo]
        for release in await self._news.new_in(repo):
            data = {"repo": repo, "services": services, "release": release.model_dump(mode="json")}
            await self._record("release.published", release.tag, data)
        await self._fanout.look(repo, branch, reason=reason)

    async def take_catalogue(self) -> None:
        """Releases of what the team's catalogue names now are news from here on."""
        await self._news.begin({entry.repo for entry in self._team.catalogue})

    def slot_came(self) -> None:
        """A slot's daemon has connected: what its bindings follow is looked at before long."""
        self._came.set()

    def bindings_told(self, slot: str) -> None:
        """A slot has told of cells: what one of them follows from now on is looked at before long."""
        status = self._fleet.slot(slot)
        if status is not None and self._fanout.follows_anew(status):
            self._came.set()

    def heard(self, slot: str, events: Sequence[Event]) -> None:
        """A slot told of these: where it has published, everybody looks, for webhooks may be late or not there."""
        services = {event.subject for event in events if event.kind == "release.published"}
        status = self._fleet.slot(slot)
        for repo in {cell.repo for cell in (status.services if status else ()) if cell.service in services}:
            self._spawn(self.changed(repo, reason="published"), f"published {repo}")

    def _have_look(self, slot: str, repo: str) -> None:
        if link := self._links.get(slot):
            self._links.tell(slot, link, "forge.changed", {"repo": repo})
