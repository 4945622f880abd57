"""The box's build queue: what was asked for is on disk, begins in its turn, and is brought to an end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from backends.box.links import Links
from backends.box.queue import rows, rules
from backends.box.queue.ask import ask
from backends.box.queue.asked import check_asked
from backends.box.queue.counts import Counts
from backends.box.queue.news import News
from backends.box.queue.records import Records
from backends.database import Database
from backends.failpoints import failpoint
from backends.model.build_calls import BuildSubmitParams, BuildSubmitResult
from backends.model.errors import HeroError
from backends.model.state import Build, Phase

log = logging.getLogger(__name__)

STOP_SECONDS = 20.0
"""How long a slot may take to stop a build that is cancelled."""
AWAY_SECONDS = 60.0
"""How long a slot that is away keeps its build's place."""
TRIM_EVERY = 200
"""Ended builds between two looks for old ones."""


class BuildQueue(Records):
    """Builds of all slots. `tell` is given each change of one; `memory` says how many bytes are free.

    To be made before the database's first use; then `open`, and at the end `close`. What is acknowledged
    survives a kill of this process and of a slot's: a build that ran is asked for again by its id, which the slot
    knows.
    """

    def __init__(
        self,
        database: Database,
        links: Links,
        *,
        at_once: int,
        memory: Callable[[], int],
        tell: Callable[[Build], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        super().__init__(database, at_once)
        self._links = links
        self._news = News(links)
        self._memory = memory
        self._tell = tell
        self._now = now
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._arrived: dict[str, asyncio.Event] = {}
        self._served: dict[str, int] = {}
        self._on_disk: dict[str, Build] = {}
        self._absent: set[str] = set()
        self._to_stop: dict[str, set[str]] = {}
        self._news_of: dict[str, dict[str, str]] = {}
        self.counts = Counts()
        self._ends = 0
        self._open = False

    async def open(self) -> None:
        """Take up what an earlier process left. Raises HeroError where the file cannot be read."""
        for build in await self._database.run(rows.active):
            self._active[build.id] = self._on_disk[build.id] = build
        self._open = True
        alone = [one for one in self._active.values() if one.attached and one.state == "queued"]
        for build in alone:
            await self._end(
                build, "cancelled", "The box's daemon was restarted; the slot went on without its turn."
            )
        for build in self._in_state("running"):
            self._run(build)
        self._schedule()

    async def close(self) -> None:
        """Begin nothing more; what runs in the slots runs on, and is asked for after the next start."""
        self._open = False
        tasks = list(self._runs.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._news.close()
        await self._keeping.close()

    async def submit(self, params: BuildSubmitParams, actor: str) -> BuildSubmitResult:
        """Queue a build whose repository and branch are given; it is on disk after this. Raises HeroError."""
        check_asked(params)
        if params.build_id and (known := await self._known(params)):
            return BuildSubmitResult(build_id=known.id, state=known.state)
        waiting = rules.waiting_for(self._in_state("queued"), params)
        build = rules.merged(waiting, params) if waiting else self._new(params, actor)
        self._active[build.id] = build
        try:
            await self._keeping.keep(build)
        except HeroError:
            self._take_back(build)
            raise
        failpoint("queue.submitted")
        # While it was written it may have begun, and even have ended.
        if present := self._active.get(build.id):
            self._on_disk[build.id] = build
            self._tell_of(present)
            self._schedule()
        found = await self._find(build.id) or build
        return BuildSubmitResult(build_id=build.id, state=found.state, coalesced=waiting is not None)

    async def cancel(self, build_id: str, actor: str) -> Build:
        """Take a build out of the queue, or have its slot stop it.

        One that runs in a slot that is away is over for the box; the slot stops it when it comes back.
        Raises HeroError: not_found, conflict where it is over.
        """
        build = await self.get(build_id)
        if build.state == "queued":
            return await self._end(build, "cancelled", f"Cancelled by {actor} before it began.")
        if build.state != "running":
            raise HeroError("conflict", f"The build {build.id} is over already: {build.state}.")
        if self._links.get(build.slot) is None:
            return await self._let_go(build, actor)
        await self._links.reach(build.slot).call("slot.build_stop", {"build_id": build.id}, timeout=STOP_SECONDS)
        if task := self._runs.get(build.id):
            await asyncio.wait([task], timeout=STOP_SECONDS)
        return await self.get(build_id)

    def slot_connected(self, slot: str) -> None:
        """The slot's daemon is there (again), and has told all of its state."""
        self._arrived.setdefault(slot, asyncio.Event()).set()
        self._absent.discard(slot)
        self._news_of.pop(slot, None)
        if link := self._links.get(slot):
            for build_id in self._to_stop.pop(slot, ()):
                self._links.tell(slot, link, "slot.build_stop", {"build_id": build_id})
        self._schedule()

    def is_news(self, build: Build) -> bool:
        """Whether it ended after its slot last told all of its state: what it made may not be told yet."""
        return self._news_of.get(build.slot, {}).get(build.service) == build.id

    def slot_lost(self, slot: str) -> None:
        """The slot's daemon is away. What it waited for with an operation of its own, it does without us."""
        self._arrived.setdefault(slot, asyncio.Event()).clear()
        for build in self._in_state("queued"):
            if build.slot == slot and build.attached and self._open:
                reason = "The slot's daemon went away; it goes on without its turn."
                self._runs[f"end {build.id}"] = self._task(
                    self._end(build, "cancelled", reason), f"end {build.id}"
                )
        self._schedule()

    # -- inside ----------------------------------------------------------------------------------

    def _new(self, params: BuildSubmitParams, actor: str) -> Build:
        return Build(
            id=params.build_id or f"{params.service}-{secrets.token_hex(5)}",
            slot=params.user,
            service=params.service,
            repo=params.repo,
            branch=params.branch,
            commit=params.commit,
            state="queued",
            publish=params.publish,
            restart=params.restart,
            attached=params.attached,
            priority=params.priority,
            reason=params.reason,
            actor=actor,
            queued_at=self._now(),
        )

    async def _known(self, params: BuildSubmitParams) -> Build | None:
        """The build that has the id which is asked for, on the disk. Raises HeroError."""
        # Looked for among the active ones once more: while the disk was asked it may have come.
        known = await self._find(params.build_id) or self._active.get(params.build_id)
        if known is None:
            return None
        if (known.slot, known.service) != (params.user, params.service):
            raise HeroError("conflict", f"There is a build {known.id!r} already, of another slot or service.")
        if known.id in self._active and known.id not in self._on_disk:
            await self._keeping.keep(self._active[known.id])
        return known

    def _take_back(self, build: Build) -> None:
        """What could not be kept was not asked for; later requests that it answers too decide for themselves."""
        present = self._active.get(build.id)
        if present is None or (present.state, present.coalesced) != ("queued", build.coalesced):
            return
        if before := self._on_disk.get(build.id):
            self._active[build.id] = before
        else:
            del self._active[build.id]

    def _schedule(self) -> None:
        """Begin what can begin now, and say of the rest what it waits for."""
        if not self._open:
            return
        online = {slot for slot in {one.slot for one in self._active.values()} if self._links.get(slot)}
        room = rules.Room(self.at_once, self._memory(), online, self._served, self._absent)
        begun, waits = rules.choose(self._in_state("queued"), self._in_state("running"), room)
        for build in begun:
            self._begin(build)
        for build_id, reason in waits.items():
            build = self._active[build_id]
            if build.waits_for != reason:
                self._change(build_id, reason)

    def _begin(self, build: Build) -> None:
        now = self._now()
        waited = (now - build.queued_at).total_seconds() if build.queued_at else 0.0
        self._served[build.slot] = max(self._served.values(), default=0) + 1
        running = build.model_copy(
            update={
                "state": "running",
                "started_at": now,
                "waits_for": "",
                "phases": (Phase(name="queue", seconds=max(0.0, waited)),),
            }
        )
        self._active[build.id] = running
        self._run(running)

    def _run(self, build: Build) -> None:
        self._runs[build.id] = self._task(self._see_through(build.id), f"build {build.id}")

    def _task(self, work: object, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)  # type: ignore[arg-type]
        task.add_done_callback(partial(self._ended, name))
        return task

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._runs.pop(name.removeprefix("build "), None)
        self._runs.pop(name, None)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s: %s", name, error, exc_info=error)

    async def _see_through(self, build_id: str) -> None:
        """Have the slot run a build, again after each loss of its daemon, until it tells an end."""
        with contextlib.suppress(HeroError):  # it stays in memory, and is written with its next change
            await self._keeping.keep(self._active[build_id])
        failpoint("queue.begun")
        self._tell_of(self._active[build_id])
        while (answer := await ask(self._links, self._active[build_id])) is None:
            await self._until_back(build_id)
        ended = rules.as_ended(self._active[build_id], answer)
        await self._finish(ended.model_copy(update={"finished_at": self._now()}))

    async def _until_back(self, build_id: str) -> None:
        slot = self._active[build_id].slot
        arrived = self._arrived.setdefault(slot, asyncio.Event())
        arrived.clear()
        self._change(build_id, f"The daemon of {slot}'s slot is away.")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(arrived.wait(), AWAY_SECONDS)
        if not arrived.is_set():
            self._absent.add(slot)
            self._schedule()
            await arrived.wait()
        self._change(build_id, "")

    async def _let_go(self, build: Build, actor: str) -> Build:
        if task := self._runs.get(build.id):
            task.cancel()
        self._to_stop.setdefault(build.slot, set()).add(build.id)
        return await self._end(build, "cancelled", f"Cancelled by {actor} while the slot's daemon was away.")

    def _change(self, build_id: str, waits_for: str) -> None:
        self._active[build_id] = self._active[build_id].model_copy(update={"waits_for": waits_for})
        self._tell_of(self._active[build_id])

    async def _end(self, build: Build, state: str, reason: str) -> Build:
        """End a build without its slot."""
        ended = self._active.get(build.id, build).model_copy(
            update={"state": state, "error": reason, "finished_at": self._now(), "waits_for": ""}
        )
        await self._finish(ended)
        self._news.tell(ended)
        return ended

    async def _finish(self, ended: Build) -> None:
        self._active.pop(ended.id, None)
        self._on_disk.pop(ended.id, None)
        self._news_of.setdefault(ended.slot, {})[ended.service] = ended.id
        await self._keeping.keep_end(ended)
        failpoint("queue.ended")
        self.counts.add(ended)
        self._tell(ended)
        self._schedule()
        self._ends += 1
        if self._ends % TRIM_EVERY == 0:
            with contextlib.suppress(HeroError):
                await self._database.run(partial(rows.forget_old, now=time.time()))

    def _tell_of(self, build: Build) -> None:
        self._tell(build)
        if build.state == "queued":
            self._news.tell(build)
