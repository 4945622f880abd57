"""Whose turn it is to compile in this slot: the box's queue says so; while the box is away, the slot itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from backends.model.build_calls import BuildSubmitParams, BuildSubmitResult
from backends.model.errors import HeroError
from backends.model.state import Build
from backends.model.text import safe_line
from backends.rpc.connection import Connection
from backends.slot.course import ENDED, Course
from backends.slot.operations import Progress

log = logging.getLogger(__name__)

SUBMIT_SECONDS = 5.0
"""A box that has not taken a build within this time is taken for away."""
ENDS_KEPT = 50

Reach = Callable[[], Connection]
"""Gives the connection to the box, or raises HeroError `unreachable`."""


@dataclass
class _Wait:
    """A build of a running operation. `go`: it need not wait for the box any longer; `by_box`: the box said so."""

    course: Course
    progress: Progress
    ended: asyncio.Future[Build]
    go: asyncio.Event = field(default_factory=asyncio.Event)
    submitted: bool = False
    by_box: bool = False
    refused: str = ""


class Turns:
    """One build at a time in the slot of `user`. `use` says how the box is reached."""

    def __init__(self, user: str):
        self._user = user
        self._reach: Reach = _nobody
        self._compiling = asyncio.Lock()
        self._waits: dict[str, _Wait] = {}
        self._ended: OrderedDict[str, Build] = OrderedDict()
        self._hastened: set[str] = set()
        self._telling: set[asyncio.Task[None]] = set()

    def use(self, reach: Reach) -> None:
        """Ask the box over `reach` from now on."""
        self._reach = reach

    @contextlib.asynccontextmanager
    async def turn(self, course: Course, progress: Progress) -> AsyncIterator[None]:
        """Wait for the turn of an operation's build, and have it inside; `course` must have ended when it leaves.

        A box that is away, refuses, or is lost before its word, is not waited for. Raises HeroError `cancelled`
        where somebody took the build out of the box's queue.
        """
        wait = _Wait(course, progress, asyncio.get_running_loop().create_future())
        self._waits[course.build.id] = wait
        try:
            with course.phase("queue"):
                progress.tell("queue")
                await self._until_go(wait)
                course.alone = not wait.by_box
                await self._compiling.acquire()
            try:
                yield
            finally:
                self._compiling.release()
        except BaseException as error:
            course.fail(error)
            raise
        finally:
            self._over(wait)

    @contextlib.asynccontextmanager
    async def queued(self, course: Course) -> AsyncIterator[None]:
        """The turn of a build that the box has given it to; one that went ahead without the box ends first."""
        if self._compiling.locked():
            course.change(waits_for="Another build of this slot runs.")
        async with self._compiling:
            course.change(waits_for="")
            yield

    @contextlib.contextmanager
    def hasten(self, operation: str) -> Iterator[None]:
        """A build that has the slot's turn waits for `operation`: it must not wait for that turn itself."""
        self._hastened.add(operation)
        for wait in self._waits.values():
            if wait.progress.id == operation:
                wait.go.set()
        try:
            yield
        finally:
            self._hastened.discard(operation)

    async def given(self, build: Build) -> Build:
        """The box gives an operation's build its turn; how it ended. One that nobody knows was cancelled."""
        wait = self._waits.get(build.id)
        if wait is None:
            lost = {"state": "cancelled", "error": "The slot's daemon was restarted; its operation is over."}
            return self._ended.get(build.id) or build.model_copy(update=lost)
        wait.by_box = True
        wait.go.set()
        return await asyncio.shield(wait.ended)

    def news(self, build: Build) -> bool:
        """The box tells of a build in its queue; whether it is one of an operation here."""
        wait = self._waits.get(build.id)
        if wait is None or wait.go.is_set():
            return wait is not None
        if build.state in ENDED:
            wait.refused = build.error or "Somebody took the build out of the box's queue."
            wait.go.set()
        elif build.waits_for:
            wait.course.change(waits_for=safe_line(build.waits_for, 200))
            wait.progress.tell(f"queue: {safe_line(build.waits_for, 200)}")
        return True

    def operation_of(self, build_id: str) -> str | None:
        """The operation whose build that is, while it waits or runs."""
        wait = self._waits.get(build_id)
        return wait.progress.id if wait else None

    async def close(self) -> None:
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def _until_go(self, wait: _Wait) -> None:
        if wait.progress.id in self._hastened:
            return
        try:
            connection = self._reach()
            # Before its answer: one that is cancelled meanwhile may stand in the queue all the same.
            wait.submitted = True
            taken = await _submit(connection, self._user, wait.course.build)
        except HeroError as error:
            log.info("build %s does without the box's queue: %s", wait.course.build.id, error.message)
            return
        if taken.state in ENDED:
            return
        await _first(wait.go.wait(), connection.wait_lost())
        if wait.refused:
            raise HeroError("cancelled", wait.refused)

    def _over(self, wait: _Wait) -> None:
        build = wait.course.build
        del self._waits[build.id]
        self._ended[build.id] = build
        while len(self._ended) > ENDS_KEPT:
            self._ended.popitem(last=False)
        if not wait.ended.done():
            wait.ended.set_result(build)
        # One that went ahead and succeeded is left there: asked for in its turn, it is answered from here.
        if wait.submitted and not wait.by_box and not wait.refused and build.state == "cancelled":
            task = asyncio.create_task(self._take_out(build.id), name=f"take-out-{build.id}")
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _take_out(self, build_id: str) -> None:
        """What ended without its turn need not have one."""
        with contextlib.suppress(HeroError):
            await self._reach().call("build.cancel", {"build_id": build_id}, timeout=SUBMIT_SECONDS)


async def _submit(connection: Connection, user: str, build: Build) -> BuildSubmitResult:
    params = BuildSubmitParams(
        user=user,
        service=build.service,
        repo=build.repo,
        branch=build.branch,
        commit=build.commit,
        publish=build.publish,
        restart=build.restart,
        reason=build.reason,
        priority="interactive",
        build_id=build.id,
        attached=True,
    )
    answer = await connection.call(
        "codescalers.build.submit", params.model_dump(mode="json", by_alias=True), timeout=SUBMIT_SECONDS
    )
    try:
        return BuildSubmitResult.model_validate(answer)
    except ValidationError as error:
        raise HeroError("failed", f"The box answered no build: {error.error_count()} faults.") from error


async def _first(*waits: Awaitable[object]) -> None:
    """Return when the first of `waits` has ended."""
    tasks = [asyncio.ensure_future(one) for one in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _nobody() -> Connection:
    raise HeroError("unreachable", "The box's daemon is away.")
