"""Has a machine be what the team repo says: follow, read, look, plan, apply, tell; one run at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from backends.box_files import read_boxfile, read_team
from backends.failpoints import failpoint
from backends.model.errors import HeroError
from backends.model.team_calls import TeamAction, TeamDiff, TeamRun, TeamStatus, TeamUser
from backends.team import restoring
from backends.team.applying import Applier
from backends.team.audit import AuditLog
from backends.team.commands import Run, run
from backends.team.differing import differences
from backends.team.following import Followed
from backends.team.git_source import Clone
from backends.team.homes import CHILD
from backends.team.looking import look, remembered
from backends.team.machine import Machine
from backends.team.places import Places
from backends.team.plan import notes, plan, refusals
from backends.team.reading import Reading, publish, read_commit
from backends.team.setting import Setting, open_setting
from backends.team.state import StateFile
from backends.team.telling import remember, tell
from backends.team.values import Actual, Desired

log = logging.getLogger(__name__)

KEYS_EVERY = 24 * 3600.0
"""Seconds between two comparisons of all keys, whatever their files look like."""

USUAL_INTERVAL = 300.0


class _Stopwatch:
    """When a run began, and how long it takes."""

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self._began = time.monotonic()

    def run(
        self,
        followed: Followed,
        actions: tuple[TeamAction, ...] = (),
        problems: tuple[str, ...] = (),
        moved_from: str = "",
    ) -> TeamRun:
        """The run as it ends now."""
        return TeamRun(
            commit=followed.commit,
            moved_from=moved_from,
            actions=actions,
            problems=(followed.stopped, *problems) if followed.stopped else problems,
            stopped=followed.stopped,
            started_at=self.started_at,
            seconds=round(time.monotonic() - self._began, 3),
        )


class Reconciler:
    """The machine at `places`. `group` (a gid) may read what is published.

    `run` and `child` are how programs and work in homes are started. Raises HeroError for a state that is damaged.
    """

    def __init__(self, places: Places, group: int | None, *, run: Run = run, child: Sequence[str] = CHILD) -> None:
        places.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.places = places
        self.state = StateFile(places.state)
        self._audit = AuditLog(places.log, group)
        self._group = group
        self._run = run
        self._child = child
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[TeamRun] | None = None
        self._reading: Reading | None = None
        self._leaving = False

    @property
    def admins(self) -> tuple[str, ...]:
        """Who may restore and accept, as the commit in force says."""
        team = read_team(self.places.box.team)[0].team
        return team.admins if team else ()

    @property
    def interval(self) -> float:
        """Seconds between two runs."""
        try:
            return read_boxfile(self.places.box).team_sync.interval
        except HeroError as error:
            log.error("%s", error.message)
            return USUAL_INTERVAL

    def leave(self) -> None:
        """Let a run that is going end after its present action."""
        self._leaving = True

    async def settle(self) -> None:
        """Return once no run is going."""
        async with self._lock:
            return

    def status(self) -> TeamStatus:
        """What is in force, who is there, how the last run went. Raises HeroError."""
        now = self.state.now
        shown = {"uid", "phase", "role", "kept", "archive", "secrets"}
        users = (TeamUser(user=name, **now.users[name].model_dump(include=shown)) for name in sorted(now.users))
        return TeamStatus(
            commit=now.reviewed,
            branch=now.branch,
            repo=read_boxfile(self.places.box).team_repo,
            candidate=now.candidate if now.candidate != now.reviewed else "",
            running=self._lock.locked(),
            last=now.last,
            users=tuple(users),
            interval=self.interval,
        )

    async def plan(self) -> TeamRun:
        """What `apply` would do; nothing on disk changes. Raises HeroError."""
        watch = _Stopwatch()
        async with (
            self._lock,
            open_setting(self.places) as setting,
            setting.following(self.state.now, passing=True) as (clone, followed),
        ):
            if followed.stopped:
                return watch.run(followed)
            reading = await read_commit(clone, followed.commit)
            desired = setting.desired(reading)
            actual = await look(self.places, desired, self.state.now, child=self._child)
            actions = tuple(action.told() for action in plan(desired, actual))
            return watch.run(
                followed, actions, _problems(followed, reading, desired, actual), self._moved(followed)
            )

    async def differences(self) -> TeamDiff:
        """What is wanted beside what there is; nothing on disk changes. Raises HeroError."""
        async with (
            self._lock,
            open_setting(self.places) as setting,
            setting.following(self.state.now, passing=True) as (clone, followed),
        ):
            if followed.stopped:
                return TeamDiff(commit=followed.commit, stopped=followed.stopped)
            desired = setting.desired(await read_commit(clone, followed.commit))
            actual = await look(self.places, desired, self.state.now, child=self._child)
            return TeamDiff(commit=followed.commit, differences=differences(desired, actual))

    async def apply(self) -> TeamRun:
        """Reconcile. Whoever asks while a run is going waits for the one that follows it. Raises HeroError."""
        if self._next is None:
            self._next = asyncio.create_task(self._apply_next(), name="reconcile")
        return await asyncio.shield(self._next)

    async def restore(self, user: str, actor: str) -> TeamRun:
        """Bring back somebody who was removed, whom the team repo need not name. Raises HeroError."""
        watch = _Stopwatch()
        async with self._lock, open_setting(self.places) as setting:
            restoring.check(self.state.now, user)
            actual = await look(self.places, Desired(), self.state.now, child=self._child)
            actions = restoring.steps(user, actual)
            self._audit.add("restore", f"{actor} brings {user} back", user=user, actor=actor)
            self.state.record(user, kept=True)
            done = await self._applier(setting, Desired()).apply(actions, self._going_on)
            return await self._ended(watch.run(Followed(self.state.now.reviewed), done, _failures(done)))

    async def accept(self, commit: str, actor: str) -> TeamRun:
        """Follow the head `commit`, though it does not come after what is reviewed, and reconcile.

        Raises HeroError, `conflict` where it is not the head, `verification` where something speaks against it.
        """
        async with (
            self._lock,
            open_setting(self.places) as setting,
            setting.following(self.state.now) as (clone, followed),
        ):
            await self._check_acceptable(setting, clone, followed, commit)
            before = self.state.now.reviewed or "nothing"
            self._audit.add("accept", f"{actor} accepts {commit} after {before}", actor=actor, commit=commit)
            self.state.change(reviewed=commit, branch=followed.branch, candidate=commit)
        return await self.apply()

    async def _check_acceptable(self, setting: Setting, clone: Clone, followed: Followed, commit: str) -> None:
        if followed.trouble:
            raise HeroError("unreachable", followed.trouble)
        if followed.candidate != commit:
            raise HeroError(
                "conflict",
                f"The head of {followed.branch} is {followed.candidate}, not {commit}.",
                hint="Look at it again: somebody has pushed meanwhile.",
            )
        if objection := await setting.guard.objection(clone, commit, followed.branch):
            raise HeroError("verification", objection)

    async def _apply_next(self) -> TeamRun:
        async with self._lock:
            self._next = None
            try:
                return await self._ended(await self._apply())
            except HeroError as error:
                stopped = Followed(self.state.now.reviewed, stopped=error.message)
                await self._ended(_Stopwatch().run(stopped))
                raise

    async def _apply(self) -> TeamRun:
        watch, before = _Stopwatch(), self.state.now
        async with (
            open_setting(self.places) as setting,
            setting.following(before) as (clone, followed),
        ):
            self.state.change(branch=followed.branch, candidate=followed.candidate)
            if followed.stopped:
                return watch.run(followed)
            reading = await self._read(clone, followed.commit)
            moved_from = self._moved(followed)
            self.state.change(reviewed=followed.commit)
            failpoint("team_sync.reviewed")
            await asyncio.to_thread(publish, self.places.box.team, reading, self._group)
            desired = setting.desired(reading)
            actual = await self._look(desired)
            done = await self._applier(setting, desired).apply(plan(desired, actual), self._going_on)
            problems = (*_problems(followed, reading, desired, actual), *_failures(done))
            return watch.run(followed, done, problems, moved_from)

    def _moved(self, followed: Followed) -> str:
        before = self.state.now.reviewed
        return before if followed.commit != before else ""

    async def _read(self, clone: Clone, commit: str) -> Reading:
        """A commit never changes, so it is read once."""
        if self._reading is None or self._reading.commit != commit:
            self._reading = await read_commit(clone, commit)
        return self._reading

    async def _look(self, desired: Desired) -> Actual:
        """The machine; what was found out about keys on the way is remembered."""
        now = time.time()
        everybody = now - self.state.now.keys_checked >= KEYS_EVERY
        actual = await look(self.places, desired, self.state.now, all_keys=everybody, child=self._child)
        self.state.change(users=remembered(self.state.now.users, desired, actual))
        if everybody:
            self.state.change(keys_checked=now)
        return actual

    def _applier(self, setting: Setting, desired: Desired) -> Applier:
        machine = Machine(self.places, self.state, self._note, setting.forge, self._run, self._child)
        return Applier(machine, desired.users, self._told)

    def _note(self, user: str, sentence: str) -> None:
        log.info("%s: %s", user or "all", sentence)
        self._audit.add("note", sentence, user=user)

    def _told(self, action: TeamAction) -> None:
        log.log(logging.INFO if action.ok else logging.ERROR, "%s %s", action.sentence, action.error)
        more = action.model_dump(mode="json", exclude={"kind", "sentence"})
        self._audit.add(action.kind, action.sentence, commit=self.state.now.reviewed, **more)
        remember(self.state, (action,))

    def _going_on(self) -> bool:
        return not self._leaving

    async def _ended(self, run: TeamRun) -> TeamRun:
        """Keep how it went, and tell the box's daemon what is new."""
        before = self.state.now.last
        if run.problems and (before is None or run.problems != before.problems):
            for problem in run.problems:
                log.warning("%s", problem)
                self._audit.add("stopped" if problem == run.stopped else "problem", problem, commit=run.commit)
        if run.moved_from or (before is None and run.commit):
            self._audit.add("reviewed", f"{run.commit} is in force", commit=run.commit, before=run.moved_from)
        self.state.change(last=run)
        await tell(self.places.box.rpc_socket, self.state, run.commit, run.problems)
        return run


def _problems(followed: Followed, reading: Reading, desired: Desired, actual: Actual) -> tuple[str, ...]:
    """Everything that a person should know of, in sentences."""
    trouble = (followed.trouble,) if followed.trouble else ()
    files = (str(problem) for problem in reading.problems)
    return (*trouble, *files, *refusals(desired, actual).values(), *notes(desired, actual))


def _failures(done: Sequence[TeamAction]) -> tuple[str, ...]:
    return tuple(f"{one.user}: could not {one.sentence}: {one.error}" for one in done if not one.ok)
