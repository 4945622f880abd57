"""What is wrong with the box and its slots, why it matters, what mends it: told as it is found, mended by key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from datetime import datetime

from textual import on
from textual.containers import Container
from textual.widget import Widget

from backends.model.errors import HeroError
from backends.model.health_report import HealthMend
from screens.desk import Desk, Target
from screens.examination import DoctorSource, Ill, Job, Key, Looked, Plan
from screens.fleet_view import Changes
from screens.marked import MarkedScreen
from screens.question import Question
from screens.widgets.doctor_words import (
    copied,
    empty_sentence,
    how_mended,
    list_title,
    looked_words,
    mend_question,
)
from screens.widgets.filterbar import FilterBar
from screens.widgets.finding_cells import FindingTable, finding_lines
from screens.widgets.finding_model import SORTS, FindingFilters, FindingRow, Sort, filtered, ordered, rows_of
from screens.widgets.linelist import LineList
from screens.widgets.list_order import next_of
from screens.widgets.listpanel import ListPanel
from screens.widgets.no_answer import outdated
from screens.widgets.textpane import TextPane
from screens.widgets.titles import set_titles

FRESH_SECONDS = 60
"""Whoever comes back sooner sees what was found; later it is looked at anew."""
GATHER_SECONDS = 0.05
"""How long answers are gathered before the list is painted."""


class DoctorScreen(MarkedScreen[FindingFilters, FindingRow]):
    """The doctor; `source` looks and mends."""

    PLACE = "doctor"
    CSS_PATH = ["../styles/textpane.tcss", "../styles/doctor.tcss"]  # noqa: RUF012
    KEPT = (*MarkedScreen.KEPT, "_described", "_jobs", "_found", "_mends", "_looked_at", "_sort")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, source: DoctorSource) -> None:
        super().__init__(desk, FindingFilters())
        self._source = source
        self._jobs: tuple[Job, ...] = ()
        self._found: dict[Key, Looked] = {}
        self._stale: set[Key] = set()
        self._mends: tuple[HealthMend, ...] = ()
        self._sort: Sort = SORTS[0]
        self._looked_at: datetime | None = None
        self._problem: HeroError | None = None
        self._looking = self._mending = self._gathering = False
        self._described = True
        self._shown: Sequence[FindingRow] = ()

    def body(self) -> Iterable[Widget]:
        """The findings; one of them in full."""
        with Container(id="doctor-body"):
            yield ListPanel[FindingRow](self._table(), id="doctor-list")
            with Container(id="doctor-side", classes="panel"):
                yield TextPane(id="doctor-text")
        yield FilterBar(id="doctor-filter")

    def on_mount(self) -> None:
        """Look, unless that was done just now."""
        self.list.focus()
        super().on_mount()
        if self._age is None or self._age > FRESH_SECONDS:
            self.again()

    @property
    def target(self) -> Target | None:
        """The slot that the finding is about."""
        return Target((self.row.job.slot if self.row else "") or self.desk.me)

    @property
    def _age(self) -> float | None:
        return None if self._looked_at is None else (self.desk.now() - self._looked_at).total_seconds()

    # -- looking ----------------------------------------------------------------------------------

    def again(self) -> None:
        """Look at everything anew."""
        if not self._mending:
            self.run_worker(self._examine(), name="doctor", group="doctor", exclusive=True)

    action_doctor_again = again

    async def _examine(self) -> None:
        self._looking, self._problem = True, None
        self.show_rows()
        try:
            async with aclosing(self._source.examine()) as told:
                async for one in told:
                    self._take(one)
            self._looked_at = self.desk.now()
        except HeroError as error:
            self._problem = error
        self._looking, self._stale = False, set()
        self.show_rows()

    def _take(self, told: Plan | Looked) -> None:
        if isinstance(told, Plan):
            self._jobs = told.jobs
            keys = {job.key for job in told.jobs}
            self._found = {key: looked for key, looked in self._found.items() if key in keys}
            self._stale = set(self._found)
        else:
            before = self._found.get(told.job.key)
            if before and before.findings != told.findings:  # what was marked of it may be another one by now
                self._marks -= {row.key for row in self._rows if row.job.key == told.job.key}
            self._found[told.job.key] = told
            self._stale.discard(told.job.key)
        if not self._gathering:
            self._gathering = True
            self.set_timer(GATHER_SECONDS, self._gathered)

    def _gathered(self) -> None:
        self._gathering = False
        if self.query(ListPanel):  # it may have been left meanwhile
            self.show_rows()

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """The doctor looks without the box's daemon; that is one of the findings."""
        if changes.shape:
            self.show_rows()

    def tick(self) -> None:
        """How long ago it was."""
        set_titles(self.query_one(ListPanel), *self._titles())

    def _table(self) -> FindingTable:
        return FindingTable(self._marks)

    def show_rows(self) -> None:
        """See `FilteredScreen`."""
        if not self.ready or not self.app.is_running:
            return
        self.take(rows_of(self._jobs, self._found, self._stale))
        self._shown = filtered(ordered(self._rows, self._sort), self._filters)
        sentence = empty_sentence(self._filters, self._problem, self._rows, self.desk.key)
        self.query_one(ListPanel).show(self._shown, self._table(), self._titles(), sentence)
        self.query_one("#doctor-side").display = self._described and bool(self._shown)
        self._show_detail()
        self.refresh_hints()

    def _titles(self) -> tuple[str, str]:
        left = sum(row.state == "waiting" or row.again for row in self._rows)
        going = "mending…" if self._mending else f"{left} to come" if self._looking and left else ""
        title = list_title(self._rows, going, self._sort, self._marks)
        if self._problem and self._rows:
            return title, outdated(self._looked_at, self.desk.now(), self._problem.message)
        if self._looking or self._looked_at is None:
            return title, "looking…" if self._looking else ""
        return title, looked_words(self._looked_at, self.desk.now(), self.desk.key("doctor.again"))

    def _show_detail(self) -> None:
        row = self.list.row
        if row is None:
            return
        whose = f" · {row.job.slot}" if row.job.slot else ""
        set_titles(self.query_one("#doctor-side"), f"{row.job.area}{whose}")
        mends = [
            one for one in self._mends if row.finding and (one.id, one.slot) == (row.finding.id, row.finding.slot)
        ]
        how = how_mended(row, self.desk.key("doctor.mend"), read_only=self.desk.read_only)
        self.query_one(TextPane).show(finding_lines(row, mends, how=how), row.key)

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._show_detail()
        self.refresh_hints()

    # -- mending ----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be mended is offered for it, and nothing while this is going on."""
        if action in ("doctor_mend", "doctor_mend_all"):
            busy = self.desk.read_only or self._mending or not self.ready
            return not busy and bool(self._ill_here() if action == "doctor_mend" else self._ill())
        if action == "doctor_mark":
            return self.row is not None and self.row.mendable
        return super().check_action(action, parameters)

    def _ill_here(self) -> Sequence[Ill]:
        return [self.row.ill] if self.row and self.row.ill else []

    def _ill(self) -> Sequence[Ill]:
        """What is marked, or without marks all that can be mended, as `doctor --fix` would."""
        return [row.ill for row in self.marked or self._rows if row.ill]

    def action_doctor_mend(self) -> None:
        """Mend what is under the cursor, if the person agrees."""
        self._ask("doctor.mend", self._ill_here())

    def action_doctor_mend_all(self) -> None:
        """Mend what is marked, or all that can be, if the person agrees."""
        self._ask("doctor.mend_all", self._ill())

    def _ask(self, action: str, ill: Sequence[Ill]) -> None:
        def agreed() -> None:
            if not self._mending:
                self.run_worker(self._mend(ill), name="mend", group="mend")

        title, lines = mend_question(ill)
        self.desk.confirm(action, Question(title, self.desk.fleet.box, tuple(lines), "Mend"), agreed)

    async def _mend(self, ill: Sequence[Ill]) -> None:
        self.workers.cancel_group(self, "doctor")  # it would tell of what is about to change
        self._mending, self._looking, self._mends = True, False, ()
        self.show_rows()
        try:
            async with aclosing(self._source.mend(ill)) as mends:
                async for mend in mends:
                    self._mends = (*self._mends, mend)
                    self.show_rows()
        except HeroError as error:
            self.desk.tell(f"{error.message} {error.hint}".strip(), failed=True)
        finally:
            self._mending = False
        done = sum(mend.done for mend in self._mends)
        self.desk.tell(f"{done} of {len(self._mends)} mended", failed=done < len(self._mends))
        # All of it again: what was mended may have been the reason for something else.
        self.again()

    # -- keys -------------------------------------------------------------------------------------

    def action_doctor_mark(self) -> None:
        """Mark or unmark what can be mended."""
        self.mark()

    def action_doctor_sort(self) -> None:
        """By the next thing."""
        self._sort = next_of(SORTS, self._sort)
        self.show_rows()

    def action_doctor_filter(self) -> None:
        """Ask for a filter."""
        self.ask_filter()

    def action_doctor_wrong(self) -> None:
        """Only what is wrong, or all again."""
        self._filter(self._filters.toggled("only_wrong"))

    def action_doctor_mendable(self) -> None:
        """Only what can be mended here, or all again."""
        self._filter(self._filters.toggled("only_mendable"))

    def action_doctor_mine(self) -> None:
        """Only the box and my slot, or all again."""
        self.only_mine(self.desk.me)

    def action_doctor_describe(self) -> None:
        """Show or hide the finding in full."""
        self._described = not self._described
        self.show_rows()

    def action_doctor_copy(self) -> None:
        """Choose what to copy."""
        if self.row:
            self.desk.copy_one(copied(self.row))

    @on(LineList.Selected)
    def action_doctor_open(self) -> None:
        """The finding alone, to read; or again the list."""
        full = not self.has_class("-full")
        if full and not self._shown:
            return
        self._described = True
        self.set_class(full, "-full")
        self.query_one("#doctor-side").display = True
        (self.query_one(TextPane) if full else self.list).focus()

    def clear(self) -> bool:
        """Esc ends the reading first."""
        if not self.has_class("-full"):
            return super().clear()
        self.action_doctor_open()
        return True
