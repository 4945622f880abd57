"""The doctor behind its screen: the checks of `hero_dev doctor`, told as they are done, made in a thread apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.client.locate import Where
from backends.model.errors import HeroError
from backends.model.health_report import HealthFinding, HealthMend
from hero_tui.apart import Apart, Tell
from screens.examination import Ill, Job, Looked, Plan

if TYPE_CHECKING:
    from backends.doctor.context import Context
    from backends.doctor.found import Check, Found

AT_ONCE = 8
"""Checks at the same time; each has its own time from when it begins."""
SILENCE_SECONDS = 60.0
"""After so long without any news, whatever has not answered is given up."""
MENDING_SECONDS = 300.0
_WHOLE = "slot.examination"
_GONE = "It is not as it was found any more; nothing was done."

Making = tuple[Job, "Check | None", "Context"]
"""A job, the check that it is (None: a process of the slot's owner looks), what that may know."""


class BoxDoctor:
    """Examines the box and the slots of it that this user may look into, as `hero_dev doctor` does."""

    def __init__(self, where: Where):
        self._where = where

    async def examine(self) -> AsyncGenerator[Plan | Looked, None]:
        """See `DoctorSource`."""
        waiting: dict[tuple[str, str], Job] = {}
        run: Apart[Plan | Looked] = Apart(self._look, "doctor looks")
        async with aclosing(run.news(SILENCE_SECONDS)) as news:
            try:
                async for told in news:
                    if isinstance(told, Plan):
                        waiting = {job.key: job for job in told.jobs}
                    else:
                        waiting.pop(told.job.key, None)
                    yield told
            except TimeoutError:
                for job in waiting.values():
                    yield Looked(job, (_hung(job),))

    async def mend(self, ill: Sequence[Ill]) -> AsyncGenerator[HealthMend, None]:
        """See `DoctorSource`."""

        async def work(tell: Tell[HealthMend]) -> None:
            await asyncio.to_thread(self._mend, ill, tell)

        async with aclosing(Apart(work, "doctor mends").news(MENDING_SECONDS)) as news:
            try:
                async for told in news:
                    yield told
            except TimeoutError:
                raise HeroError("failed", f"It was not done within {MENDING_SECONDS:g} s.") from None

    # -- in a thread ------------------------------------------------------------------------------

    def _making(self) -> list[Making]:
        from backends.doctor.checks import OF_BOX, OF_SLOT
        from backends.doctor.opening import open_context
        from hero_tui.verbs.doctor import slots_to_look_at

        context = open_context(self._where.box, self._where.users())
        slots = slots_to_look_at(self._where, "", system=context.system)
        making: list[Making] = [(_job(check, ""), check, context) for check in OF_BOX]
        for user in slots:
            inside = replace(context, user=user)
            if context.system and context.is_root:
                making.append((Job(_WHOLE, user, "slot", "examination", whole=True), None, inside))
            else:
                making += [(_job(check, user), check, inside) for check in OF_SLOT]
        return making

    async def _look(self, tell: Tell[Plan | Looked]) -> None:
        making = self._making()
        tell(Plan(tuple(job for job, _, _ in making)))
        gate = asyncio.Semaphore(AT_ONCE)

        async def look(job: Job, check: Check | None, context: Context) -> None:
            async with gate:
                tell(Looked(job, await _findings(job, check, context)))

        async with asyncio.TaskGroup() as tasks:
            for one in making:
                tasks.create_task(look(*one))

    def _mend(self, ill: Sequence[Ill], tell: Tell[HealthMend]) -> None:
        """Mend one after the other; each is in the audit log before it is told."""
        from hero_tui.verbs.doctor import note_mends

        making = {job.key: (check, context) for job, check, context in self._making()}
        done: set[str] = set()
        for one in ill:
            check, context = making[one.job.key]
            for mend in asyncio.run(_mended(one, check, context, done)):
                complaints: list[str] = []
                if mend.what != _GONE:
                    note_mends(self._where, [mend], system=context.system, complain=complaints.append)
                tell(mend.model_copy(update={"what": " ".join((mend.what, *complaints))}))


def _job(check: Check, slot: str) -> Job:
    return Job(check.id, slot, check.group, check.title)


async def _findings(job: Job, check: Check | None, context: Context) -> tuple[HealthFinding, ...]:
    if check is None:
        from backends.doctor.as_owner import Owners

        return (await Owners()(context, False)).findings
    from backends.doctor.examination import run_check

    return tuple(found.finding(check, job.slot) for found in await run_check(check, context))


async def _mended(ill: Ill, check: Check | None, context: Context, done: set[str]) -> list[HealthMend]:
    """The same mend is made once; of another user's slot all that its owner's process can mend."""
    if check is None:
        from backends.doctor.as_owner import Owners

        if ill.job.slot in done:
            return []
        done.add(ill.job.slot)
        return list((await Owners()(context, True)).mends)
    from backends.doctor.examination import carry_out, run_check

    found = _still_there(ill, check, await run_check(check, context))
    if found is None:
        return [HealthMend(id=ill.finding.id, slot=ill.finding.slot, done=True, what=_GONE)]
    if found.once and found.once in done:
        return []
    done.add(found.once)
    return [await carry_out(found, ill.finding)]


def _still_there(ill: Ill, check: Check, found: Sequence[Found]) -> Found | None:
    """What is found now that can be mended and is what the person looked at, word for word."""
    same = (one for one in found if one.repair and one.finding(check, ill.job.slot).what == ill.finding.what)
    return next(same, None)


def _hung(job: Job) -> HealthFinding:
    return HealthFinding(
        id=job.id,
        group=job.area,
        title=job.title,
        slot=job.slot,
        state="warn",
        what=f"This could not be looked at: no answer within {SILENCE_SECONDS:g} s.",
        why="What does not answer here may hang others, too; or the machine is very busy.",
        mend="hero_dev doctor, once more",
    )
