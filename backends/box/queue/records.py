"""What the queue knows of its builds: the active ones in memory, all of them on the disk."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from backends.box.queue import rows, rules
from backends.box.queue.keeping import Keeping
from backends.database import Database
from backends.model.build_calls import BuildListParams, BuildListResult
from backends.model.errors import HeroError
from backends.model.state import Build


class Records:
    """Answers questions about builds. `at_once`: how many run on the box at the same time at most."""

    def __init__(self, database: Database, at_once: int):
        self._database = database
        self.at_once = at_once
        self._active: dict[str, Build] = {}
        self._keeping = Keeping(database)

    async def get(self, build_id: str) -> Build:
        """One build. Raises HeroError `not_found`."""
        if build := await self._find(build_id):
            return build
        raise HeroError(
            "not_found",
            f"There is no build {build_id!r} in the box's queue.",
            hint="`hero_dev builds` lists them; old ones are forgotten.",
        )

    async def listed(self, params: BuildListParams) -> BuildListResult:
        """What runs, what waits in the order in which it was asked for, then what ended, the newest first."""
        held = [one for one in (*self._in_order(), *self._just_ended()) if _is_asked_for(one, params)]
        ids = [one.id for one in held]
        ending = sum(one.state != "queued" for one in held)
        if params.before in ids:
            held = held[ids.index(params.before) + 1 :]
            params = params.model_copy(update={"before": None})
        elif params.before:
            held = []
        shown = held[: params.limit]
        room = params.limit - len(shown)
        # While the disk is asked, it may be given what is held here.
        kept = await self._database.run(partial(rows.ended, params=params, limit=room + 1 + ending))
        past = [one for one in kept if one.id not in ids]
        more = len(held) > len(shown) or len(past) > room
        return BuildListResult(builds=(*shown, *past[:room]), more=more, at_once=self.at_once)

    async def of_commit(self, slot: str, service: str, branch: str, commit: str) -> list[Build]:
        """The builds of one commit for one binding, the newest first."""
        active = [
            one
            for one in self._active.values()
            if (*rules.binding_of(one), one.commit) == (slot, service, branch, commit)
        ]
        kept = await self._database.run(
            partial(rows.of_commit, slot=slot, service=service, branch=branch, commit=commit)
        )
        return active + [one for one in kept if one.id not in self._active]

    def active(self, slot: str, service: str) -> Build | None:
        """What runs or waits of a service in a slot, what runs first."""
        found = [one for one in self._in_order() if (one.slot, one.service) == (slot, service)]
        return found[0] if found else None

    async def latest(self, slot: str, service: str, branch: str) -> Build | None:
        """The newest build of one binding, ended or not."""
        return await self._database.run(partial(rows.latest, slot=slot, service=service, branch=branch))

    def by_state(self) -> dict[str, int]:
        """How many wait and how many run."""
        return {state: len(self._in_state(state)) for state in ("queued", "running")}

    def _in_state(self, state: str) -> list[Build]:
        return [one for one in self._active.values() if one.state == state]

    def _in_order(self) -> Iterable[Build]:
        return (*self._in_state("running"), *self._in_state("queued"))

    def _just_ended(self) -> Iterable[Build]:
        """What ended and is not on the disk as such yet, the newest first."""
        return reversed(self._keeping.unkept.values())

    async def _find(self, build_id: str) -> Build | None:
        known = self._active.get(build_id) or self._keeping.unkept.get(build_id)
        return known or await self._database.run(partial(rows.find, build_id=build_id))


def _is_asked_for(build: Build, params: BuildListParams) -> bool:
    return (
        params.user in (None, build.slot)
        and params.service in (None, build.service)
        and (not params.states or build.state in params.states)
    )
