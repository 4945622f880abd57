"""The durable queue behind the webhooks: what was answered is on disk, and is handled whatever dies."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from backends.box.edge import inboxrows
from backends.box.edge.delivery import Delivery
from backends.box.edge.inboxrows import Row
from backends.database import Database
from backends.failpoints import failpoint
from backends.model.errors import HeroError

log = logging.getLogger(__name__)

Taken = Literal["taken", "duplicate"]

AT_ONCE = 4
"""Repositories that are handled at the same time."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between two tries of a repository: twice as long each time, give or take a quarter."""

    first: float = 1.0
    longest: float = 60.0

    def pause(self, failures: int) -> float:
        """How long to wait after so many failures in a row."""
        steady = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return steady * random.uniform(0.75, 1.25)  # noqa: S311


@dataclass(frozen=True, slots=True)
class Look:
    """What deliveries ask for: look at `branch` of `repo` (None: at the repository). `events` and `deliveries`
    tell what came, and how many were merged."""

    repo: str
    branch: str | None
    events: frozenset[str]
    deliveries: int


@dataclass
class _Waiting:
    """Deliveries of one branch that wait together; `newest` is the number of the last."""

    newest: int
    events: set[str]
    count: int


class Inbox:
    """Takes deliveries into `database`, and gives them merged to `handle`, which may be called again for what it
    was called for before. Where it raises HeroError, that repository is tried again later and the others go on.
    """

    def __init__(
        self,
        database: Database,
        handle: Callable[[Look], Awaitable[None]],
        *,
        backoff: Backoff | None = None,
        now: Callable[[], float] = time.time,
    ):
        self._database = database
        self._database.add_schema(inboxrows.create)
        self._handle = handle
        self._backoff = backoff or Backoff()
        self._now = now
        self._unwritten: list[tuple[Delivery, float, asyncio.Future[Taken]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._waiting: dict[str, dict[str, _Waiting]] = {}
        self._in_hand: dict[str, int] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(AT_ONCE)
        self._troubles: dict[str, str] = {}
        self._open = False

    @property
    def depth(self) -> int:
        """Deliveries that are taken and not yet handled."""
        waiting = sum(each.count for branches in self._waiting.values() for each in branches.values())
        return waiting + sum(self._in_hand.values())

    @property
    def problems(self) -> tuple[str, ...]:
        """Which repositories cannot be handled at the moment, in sentences."""
        return tuple(f"Webhooks of {repo} wait: {why}" for repo, why in sorted(self._troubles.items()))

    async def open(self) -> None:
        """Begin to handle, with what an earlier process left. Raises HeroError where the file cannot be read."""
        rows = await self._database.run(inboxrows.pending)
        self._open = True
        for row in rows:
            self._add(row)

    async def close(self) -> None:
        """Write what waits for the disk and stop; what was not handled is handled after the next start."""
        self._open = False
        if self._writer is not None:
            await asyncio.wait([self._writer])
        workers = tuple(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def accept(self, delivery: Delivery) -> Taken:
        """Keep `delivery`; it is on the disk when this returns. All that wait meanwhile share one write.

        Raises HeroError where the disk refuses, or the inbox is closed: it was not taken.
        """
        if not self._open:
            raise HeroError("unreachable", "The box takes no webhooks at the moment.", hint="Send it again.")
        written: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._unwritten.append((delivery, self._now(), written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="inbox-writer")
        return await written

    async def last_seen(self) -> dict[str, float]:
        """When each repository's last delivery was taken, in seconds since the epoch."""
        return await self._database.run(inboxrows.last_seen)

    async def _write(self) -> None:
        while self._unwritten:
            batch, self._unwritten = self._unwritten, []
            deliveries = [(delivery, received) for delivery, received, _ in batch]
            try:
                kept = await self._database.run(partial(inboxrows.accept, deliveries=deliveries))
            except Exception as error:
                log.error("webhooks could not be kept: %s", error)
                _refuse([written for _, _, written in batch], error)
                continue
            failpoint("edge.accepted")
            for (_, _, written), row in zip(batch, kept, strict=True):
                if row is not None:
                    self._add(row)
                if not written.done():
                    written.set_result("duplicate" if row is None else "taken")

    def _add(self, row: Row) -> None:
        branches = self._waiting.setdefault(row.repo, {})
        waiting = branches.setdefault(row.branch, _Waiting(row.seq, set(), 0))
        waiting.newest = row.seq
        waiting.events.add(row.event)
        waiting.count += 1
        if self._open and row.repo not in self._workers:
            self._workers[row.repo] = asyncio.create_task(self._work(row.repo), name=f"inbox {row.repo}")

    async def _work(self, repo: str) -> None:
        """Handle one repository's deliveries until none waits."""
        failures = 0
        try:
            while branches := self._waiting[repo]:
                branch, waiting = next(iter(branches.items()))
                # Taken out, so that what comes from now on is looked at once more.
                del branches[branch]
                self._in_hand[repo] = waiting.count
                trouble = await self._try(repo, branch, waiting)
                del self._in_hand[repo]
                if trouble is None:
                    failures = 0
                    self._troubles.pop(repo, None)
                    continue
                failures += 1
                self._put_back(repo, branch, waiting)
                self._troubles[repo] = trouble
                await asyncio.sleep(self._backoff.pause(failures))
            del self._waiting[repo]
        finally:
            del self._workers[repo]

    async def _try(self, repo: str, branch: str, waiting: _Waiting) -> str | None:
        """Have it handled and taken away; why that could not be, or None."""
        look = Look(repo, branch or None, frozenset(waiting.events), waiting.count)
        try:
            async with self._room:
                await self._handle(look)
            failpoint("edge.handled")
            await self._database.run(partial(inboxrows.delete, repo=repo, branch=branch, upto=waiting.newest))
        except HeroError as error:
            log.warning("webhooks of %s wait: %s", repo, error.message)
            return error.message
        except Exception as error:
            log.exception("webhooks of %s could not be handled", repo)
            return f"{type(error).__name__}: {error}"
        return None

    def _put_back(self, repo: str, branch: str, waiting: _Waiting) -> None:
        """To the end, so that one branch that fails does not keep the others of its repository waiting."""
        branches = self._waiting[repo]
        newer = branches.pop(branch, None)
        if newer is not None:
            waiting = _Waiting(newer.newest, waiting.events | newer.events, waiting.count + newer.count)
        branches[branch] = waiting


def _refuse(written: Sequence[asyncio.Future[Taken]], error: Exception) -> None:
    told = error if isinstance(error, HeroError) else HeroError("internal", f"The inbox failed: {error}")
    for future in written:
        if not future.done():
            future.set_exception(told)
