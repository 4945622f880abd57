"""What the Host screen knows of the disks and asks of them: a report, a measurement, a clean of my slot."""

from __future__ import annotations

from collections.abc import Callable

from backends.model.errors import HeroError
from backends.model.host import CleanPlan, DiskReport
from backends.model.host_calls import CleanParams, CleanPlanParams, HostMeasureParams
from backends.model.method import Empty
from screens.desk import Desk
from screens.doings import Asked
from screens.host_words import clean_question, nothing_to_clean
from screens.question import Question

_AT_ONCE = 1000
"""Things that one clean removes."""


class HostDisk:
    """`report` is None until the box has answered; `problem` says why it has not. `changed` is called then."""

    def __init__(self, desk: Desk, changed: Callable[[], None]):
        self._desk = desk
        self._changed = changed
        self.report: DiskReport | None = None
        self.problem = ""

    @property
    def measuring(self) -> bool:
        """Whether somebody's measurement runs."""
        return bool(self.report and self.report.measuring)

    async def ask(self) -> None:
        """Ask the box anew."""
        try:
            self.report = await self._desk.ask_box("host.disk", Empty(), DiskReport)
            self.problem = ""
        except HeroError as error:
            self.problem = f"{error.message} {error.hint}".strip()
        self._changed()

    async def measure(self) -> None:
        """Begin to measure, or where that is being done, give it up."""
        try:
            if self.measuring:
                await self._desk.ask_box("host.measure_stop", Empty(), Empty)
            else:
                self.report = await self._desk.ask_box("host.measure", HostMeasureParams(), DiskReport)
        except HeroError as error:
            self._desk.tell(str(error), failed=True)
        await self.ask()

    async def clean(self) -> None:
        """Find out what could go of my slot, ask, and remove it."""
        try:
            plan = await self._desk.call(self._desk.me, "slot.clean_plan", CleanPlanParams(), CleanPlan)
        except HeroError as error:
            self._desk.tell(str(error), failed=True)
            return
        if not plan.items:
            self._desk.tell(nothing_to_clean(plan))
            return
        title, lines = clean_question(plan)
        question = Question(title, plan.slot, tuple(lines), "Remove")
        self._desk.confirm("host.clean", question, lambda: self._remove(plan))

    def _remove(self, plan: CleanPlan) -> None:
        ids = tuple(item.id for item in plan.items)[:_AT_ONCE]
        title = f"clean {len(ids)} thing{'s' * (len(ids) != 1)}"
        params = CleanParams(items=ids, confirm=plan.slot)
        self._desk.doings.begin(Asked(plan.slot, "slot.clean", params, title, (), "cleaning"))
