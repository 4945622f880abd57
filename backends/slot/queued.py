"""The builds that the box's queue has this slot run: each once, whoever is killed meanwhile, never over work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from backends.archives.disk import in_thread
from backends.model.errors import HeroError
from backends.model.manifest import Binding
from backends.model.state import Build
from backends.model.text import safe_line
from backends.slot.board import now
from backends.slot.context import SlotContext
from backends.slot.course import ENDED, Course
from backends.slot.making import Made, compile_tree
from backends.slot.operations import Progress
from backends.slot.queued_records import QueuedRecords
from backends.slot.switching import run_made, runs_already
from backends.slot.worktrees import Worktree

log = logging.getLogger(__name__)

ATTEMPTS = 3
"""How often a build is begun that the slot's daemon does not survive."""

Result = dict[str, Any]
Audit = Callable[[str, Mapping[str, Any]], None]
"""Takes an operation's id and what was asked, and audits its end."""


class QueuedBuilds:
    """Answers `slot.build`, `slot.build_stop` and `build.changed` of one slot."""

    def __init__(self, slot: SlotContext, audit: Audit):
        self._slot = slot
        self._audit = audit
        self._records = QueuedRecords(slot.paths)
        self._tasks: dict[str, asyncio.Task[Build]] = {}
        self._operations: dict[str, str] = {}
        self._closing = False

    async def run(self, asked: Build) -> Build:
        """Run `asked` and answer how it ended; one that ran or runs here is not begun again.

        What an operation waits for is told to go on. A failure is an answer, no error; raises HeroError only for
        what is no build's id.
        """
        if asked.attached:
            return await self._slot.turns.given(asked)
        task = self._tasks.get(asked.id)
        if task is None:
            known = self._records.read(asked.id)
            if known and known.state in ENDED:
                return known
            task = asyncio.create_task(self._see_through(asked, known), name=f"queued-{asked.id}")
            self._tasks[asked.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(asked.id, None))
        return await asyncio.shield(task)

    def stop(self, build_id: str) -> None:
        """End a build that runs or waits here. Raises HeroError conflict where it cannot be stopped."""
        operation = self._operations.get(build_id) or self._slot.turns.operation_of(build_id)
        if operation:
            self._slot.operations.cancel(operation)
        elif task := self._tasks.get(build_id):
            task.cancel()
        else:
            raise HeroError(
                "conflict",
                f"The build {safe_line(build_id, 200)!r} does not run in {self._slot.user}'s slot.",
                hint="It may have ended meanwhile: `hero_dev builds` tells.",
            )

    def news(self, build: Build) -> None:
        """The box tells of a build in its queue: the operation that waits goes by that, or the cell shows it."""
        facts = self._slot.board.facts(build.service)
        if self._slot.turns.news(build) or build.attached or facts is None:
            return
        if facts.binding.branch == build.branch and _is_news(build, facts.build):
            self._slot.board.update(build.service, build=build)

    def closing(self) -> None:
        """What is cancelled from here on is begun again after the restart."""
        self._closing = True

    async def close(self) -> None:
        """End what waits; operations are closed by whoever owns them."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _see_through(self, asked: Build, known: Build | None) -> Build:
        begun = known.attempt if known and known.state == "running" else 0
        queue = tuple(phase for phase in asked.phases if phase.name == "queue")
        course = self._slot.course(asked.model_copy(update={"phases": queue, "repo": self._repo_of(asked)}))
        course.change(state="running", started_at=now(), attempt=begun + 1, waits_for="")
        try:
            if begun >= ATTEMPTS:
                raise _given_up(asked)
            await self._keep(course.build)
            await self._until_free(course)
            await self._operate(course, again=known is not None)
        except (HeroError, asyncio.CancelledError) as error:
            course.fail(error)
        given_back = self._closing and course.build.state == "cancelled"
        try:
            # "queued" is what did not end, and not by a death of ours.
            await self._keep(course.build.model_copy(update={"state": "queued"}) if given_back else course.build)
        except HeroError as error:
            log.warning("the record of build %s: %s", asked.id, error.message)
        return course.build

    def _repo_of(self, build: Build) -> str:
        facts = self._slot.board.facts(build.service)
        return build.repo or (facts.repo if facts else self._slot.repos.get(build.service, ""))

    async def _keep(self, build: Build) -> None:
        # To the end even if this is cancelled: two writes of one record must not pass each other.
        await in_thread(lambda: self._records.keep(build))

    async def _until_free(self, course: Course) -> None:
        """Wait until no operation has the service; one that waits for a turn itself is given this one."""
        operations = self._slot.operations
        while other := operations.running_on(course.build.service):
            course.change(waits_for=f"{safe_line(other.title, 100)} is running.")
            with self._slot.turns.hasten(other.id):
                await operations.wait(other.id)
        course.change(waits_for="")

    async def _operate(self, course: Course, *, again: bool) -> None:
        """Run the build as an operation of the slot, to its end."""
        build, operations = course.build, self._slot.operations
        work = partial(self._work, course, again)
        title = f"build {build.service} {safe_line(build.branch, 100)}"
        operation = operations.start("build", work, service=build.service, title=title, actor=build.actor)
        self._operations[build.id] = operation
        self._audit(operation, {"build_id": build.id, "service": build.service, "branch": build.branch})
        try:
            ended = await operations.wait(operation)
        finally:
            del self._operations[build.id]
        if ended.error:
            course.fail(HeroError(ended.error.code, ended.error.message, hint=ended.error.hint))

    async def _work(self, course: Course, again: bool, progress: Progress) -> Result:
        with course.running():
            async with self._slot.turns.queued(course):
                made = await self._make(course, progress, again)
            if made is None:
                return {
                    "build": course.build.id,
                    "nothing_to_do": True,
                    "superseded_by": course.build.superseded_by,
                }
            return {**made.result, **await self._put_in_force(course.build, made, progress)}

    async def _make(self, course: Course, progress: Progress, again: bool) -> Made | None:
        """Bring the worktree to the forge's head and build that; None if it was built before. Raises HeroError."""
        slot, build = self._slot, course.build
        progress.tell("worktree")
        with course.phase("worktree"):
            tree = await self._advance(build)
        if earlier := await asyncio.to_thread(self._built_before, build, tree.commit):
            course.change(commit=tree.commit)
            course.supersede(earlier)
            return None
        made = await compile_tree(slot, course, tree, progress, again=again)
        _check_unchanged(tree, made)
        return made

    async def _advance(self, build: Build) -> Worktree:
        try:
            return await self._slot.worktrees.advance(build.service, build.repo, build.branch)
        except HeroError as error:
            if error.code != "conflict":
                raise
            message = f"{build.service} is not built in {self._slot.user}'s slot. {error.message}"
            raise HeroError(error.code, message, hint=error.hint, data=error.data) from error

    def _built_before(self, build: Build, commit: str) -> Build | None:
        """The build that did already what `build` is to do; what a person asks for is done again."""
        binding = self._deployed_to(build)
        facts = self._slot.board.facts(build.service)
        runs = facts.installed.hash if facts and facts.installed else ""
        if build.priority == "interactive" or (binding and runs != commit):
            return None

        def does_it(one: Build) -> bool:
            same = (one.service, one.repo, one.branch) == (build.service, build.repo, build.branch)
            done = one.state == "succeeded" and one.commit == commit
            return same and done and one.id != build.id and bool(one.tag or not build.publish)

        return self._records.newest(does_it)

    def _deployed_to(self, build: Build) -> Binding | None:
        """The binding that is to run the result."""
        binding = self._slot.binding(build.service) if build.restart else None
        if binding is None or (binding.source, binding.branch) != ("build", build.branch):
            return None
        return binding if self._slot.repo_of(binding) == build.repo else None

    async def _put_in_force(self, build: Build, made: Made, progress: Progress) -> Result:
        binding = self._deployed_to(build)
        if binding is None:
            return {}
        self._slot.require_good_manifest()
        if await runs_already(self._slot, binding, made.target):
            return {"note": f"{made.target.version[:8]} runs already."}
        return await run_made(self._slot, binding, made, progress)


def _check_unchanged(tree: Worktree, made: Made) -> None:
    if made.result["dirty"]:
        raise HeroError(
            "conflict",
            f"The worktree {tree.path} changed while it was built, so the result is not used.",
            hint="Commit and push the changes; `hero_dev rebuild` builds the worktree as it is.",
        )


def _given_up(build: Build) -> HeroError:
    return HeroError(
        "failed",
        f"The slot's daemon died {ATTEMPTS} times in the build of {build.service}; it is not begun again.",
        hint="Does the machine run out of memory in it? slotd.out and the build's log tell more.",
    )


def _is_news(build: Build, shown: Build | None) -> bool:
    """Whether `build` is newer than what the cell shows."""
    if shown is None:
        return True
    if shown.id == build.id:
        return shown.state == "queued"
    if shown.state == "running":
        return False
    when = shown.finished_at or shown.started_at or shown.queued_at
    return not (when and build.queued_at) or build.queued_at >= when
