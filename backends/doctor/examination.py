"""One examination: all checks at once, each with its time; what can be mended is mended, and looked at again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from backends.doctor.checks import OF_BOX, OF_SLOT
from backends.doctor.context import Context
from backends.doctor.found import Check, Found
from backends.model.errors import HeroError
from backends.model.health_report import HealthFinding, HealthMend, HealthReport
from backends.model.text import safe_line
from backends.version import VERSION

MEND_SECONDS = 30.0
"""How long one mend may take."""

Told = Callable[[str, Sequence[HealthFinding]], None]
"""Hears of each part of an examination as it is done: its heading, its findings."""

Away = Callable[[Context, bool], Awaitable[HealthReport]]
"""Examines another user's slot (and mends there, if so asked) by a process of that user's."""


@dataclass(frozen=True)
class Looked:
    """What a check found at a slot, or with "" at the box."""

    check: Check
    context: Context
    found: Sequence[Found]

    def findings(self) -> list[HealthFinding]:
        """As they are reported."""
        slot = self.context.user if self.check.scope == "slot" else ""
        return [one.finding(self.check, slot) for one in self.found]


@dataclass(frozen=True)
class Part:
    """Checks that stand under one heading."""

    heading: str
    jobs: tuple[tuple[Check, Context], ...]


@dataclass
class _Results:
    looked: list[Looked] = field(default_factory=list)
    reports: list[HealthReport] = field(default_factory=list)


async def examine(
    context: Context,
    slots: Sequence[str],
    told: Told,
    *,
    fix: bool = False,
    whole_box: bool = True,
    away: Away | None = None,
) -> HealthReport:
    """Look at the box and at `slots`, with `away` at those through processes of their owners; with `fix`, mend.

    Without `whole_box`, at the slots alone. `told` hears of every part as it is done. Never raises for what is
    wrong with a box.
    """
    began = time.monotonic()
    parts = _parts(context, () if away else slots, whole_box)
    outside = slots if away else ()
    results = await _look_at_all(context, parts, outside, told, away, fix=fix)
    mends = await _mend_all(results.looked) if fix else []
    of_owners = [mend for report in results.reports for mend in report.mends]
    if any(mend.done for mend in mends):
        # All of it again: what was mended may have been the reason for something else.
        results = await _look_at_all(context, parts, outside, lambda *_: None, away, fix=fix)
        of_owners += [mend for report in results.reports for mend in report.mends]
    return HealthReport(
        box=context.file.name if context.file else context.box.root.name,
        kind="system" if context.system else "rootless",
        version=VERSION,
        seconds=round(time.monotonic() - began, 2),
        findings=tuple(_in_order(results)),
        mends=(*mends, *of_owners),
    )


async def _look_at_all(
    context: Context, parts: Sequence[Part], outside: Sequence[str], told: Told, away: Away | None, *, fix: bool
) -> _Results:
    results = _Results()
    async with asyncio.TaskGroup() as tasks:
        for part in parts:
            tasks.create_task(_look(part, results, told))
        for user in outside:
            assert away
            tasks.create_task(_send(away, replace(context, user=user), fix, results, told))
    return results


def _in_order(results: _Results) -> list[HealthFinding]:
    """All findings: the box's, then each slot's, each in the order of the checks."""
    order = {id(check): number for number, check in enumerate((*OF_BOX, *OF_SLOT))}
    looked = sorted(results.looked, key=lambda one: (one.context.user, order.get(id(one.check), 0)))
    reports = sorted(results.reports, key=lambda one: one.findings[0].slot if one.findings else "")
    return [
        *(finding for one in looked for finding in one.findings()),
        *(finding for report in reports for finding in report.findings),
    ]


def _parts(context: Context, slots: Sequence[str], whole_box: bool) -> list[Part]:
    """A heading for each group of checks; where there are several slots, one for each of these, too."""
    jobs: dict[str, list[tuple[Check, Context]]] = {}
    for check in OF_BOX if whole_box else ():
        jobs.setdefault(check.group, []).append((check, context))
    for user in slots:
        for check in OF_SLOT:
            heading = check.group if len(slots) == 1 else f"slot {user}"
            jobs.setdefault(heading, []).append((check, replace(context, user=user)))
    return [Part(heading, tuple(some)) for heading, some in jobs.items()]


async def _look(part: Part, results: _Results, told: Told) -> None:
    found = await asyncio.gather(*(run_check(check, context) for check, context in part.jobs))
    looked = [Looked(check, context, one) for (check, context), one in zip(part.jobs, found, strict=True)]
    results.looked += looked
    told(part.heading, [finding for one in looked for finding in one.findings()])


async def _send(away: Away, context: Context, fix: bool, results: _Results, told: Told) -> None:
    report = await away(context, fix)
    results.reports.append(report)
    told(f"slot {context.user}", report.findings)


async def run_check(check: Check, context: Context) -> Sequence[Found]:
    """What `check` finds within its time; what keeps it from finding anything is a finding, too."""
    seconds = check.seconds * context.patience
    try:
        async with asyncio.timeout(seconds):
            return await check.look(context)
    except TimeoutError as error:
        what = str(error) or f"no answer within {seconds:g} s"
        why = "What does not answer here may hang others, too; or the machine is very busy."
        return [Found("warn", f"This could not be looked at: {what}.", why, "hero_dev doctor, once more")]
    except HeroError as error:
        return [Found("warn", f"This could not be looked at: {error.message}", mend=error.hint)]
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return [Found("warn", f"This could not be looked at: {error.strerror or error}{where}.")]
    except Exception as error:
        # One check that breaks must not hide what the others found.
        return [Found("warn", f"This check broke: {type(error).__name__}: {safe_line(str(error), 200)}.")]


async def _mend_all(looked: Iterable[Looked]) -> list[HealthMend]:
    """Mend what this caller can, one after the other; the same mend only once."""
    mends: list[HealthMend] = []
    done: set[str] = set()
    for one in looked:
        for found, finding in zip(one.found, one.findings(), strict=True):
            if found.repair is None or (found.once and found.once in done):
                continue
            done.add(found.once)
            mends.append(await carry_out(found, finding))
    return mends


async def carry_out(found: Found, finding: HealthFinding) -> HealthMend:
    """Mend what `found` has a repair for, within `MEND_SECONDS`; how that went. Raises nothing for what fails."""
    assert found.repair
    try:
        async with asyncio.timeout(MEND_SECONDS):
            what, done = await found.repair(), True
    except HeroError as error:
        what, done = error.message, False
    except TimeoutError as error:
        what, done = str(error) or f"It was not done within {MEND_SECONDS:g} s.", False
    except OSError as error:
        what, done = f"{error.strerror or error}.", False
    return HealthMend(id=finding.id, slot=finding.slot, done=done, what=safe_line(what, 600))
