"""The people of the team repo and what the reconciler makes of them: files, keys, the last run, plan and diff."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from textual import on
from textual.containers import Container
from textual.widget import Widget

from backends.model.errors import HeroError
from backends.model.state import Event
from backends.model.team_calls import TeamDiff, TeamRun
from screens.desk import Desk, Target
from screens.fleet_view import Changes
from screens.marked import MarkedScreen
from screens.team_view import TeamLook, TeamSource
from screens.team_words import View, asked_lines, empty_sentence, titles
from screens.widgets.celltext import clean
from screens.widgets.filterbar import FilterBar
from screens.widgets.linelist import LineList
from screens.widgets.list_order import next_of
from screens.widgets.listpanel import ListPanel
from screens.widgets.team_cells import TeamTable
from screens.widgets.team_model import SORTS, Sort, TeamFilters, TeamRow, filtered, ordered, rows_of
from screens.widgets.team_text import copied, file_lines, fingerprints, person_lines, reconciler_lines
from screens.widgets.textpane import Line, TextPane
from screens.widgets.titles import set_titles

EVERY_SECONDS = 30
"""After so long the team is looked at anew; what the box tells of it comes at once."""


class TeamScreen(MarkedScreen[TeamFilters, TeamRow]):
    """The team that `source` knows; the cursor begins on the user `first`."""

    PLACE = "team"
    CSS_PATH = ["../styles/textpane.tcss", "../styles/team.tcss"]  # noqa: RUF012
    KEPT = (*MarkedScreen.KEPT, "_described", "_look", "_looked_at", "_sort")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (160, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, source: TeamSource, first: str = "") -> None:
        super().__init__(desk, TeamFilters())
        self._source = source
        self._first = first
        self._look: TeamLook | None = None
        self._looked_at: datetime | None = None
        self._problem: HeroError | None = None
        self._view: View = "about"
        self._answer: TeamRun | TeamDiff | HeroError | None = None
        self._asked_at: datetime | None = None
        self._described = True
        self._sort: Sort = SORTS[0]
        self._ticks = 0
        self._rowed: TeamLook | None = None
        self._shown: Sequence[TeamRow] = ()
        self._unwatch: Callable[[], None] | None = None

    def body(self) -> Iterable[Widget]:
        """The people; one of them in full."""
        with Container(id="team-body"):
            yield ListPanel[TeamRow](self._table(), id="team-list")
            with Container(id="team-side", classes="panel"):
                yield TextPane(id="team-text")
        yield FilterBar(id="team-filter")

    def on_mount(self) -> None:
        """Listen, then look."""
        self._unwatch = self.desk.watch_events(self._hear)
        self.list.focus()
        super().on_mount()
        self.again()

    def on_unmount(self) -> None:
        """Listen no more."""
        if self._unwatch:
            self._unwatch()

    @property
    def target(self) -> Target | None:
        """The slot of the person under the cursor."""
        row = self.row
        slots = self.desk.fleet.slots
        return Target(row.name if row and row.kind == "person" and row.name in slots else self.desk.me)

    # -- looking ----------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if event.kind == "team.changed":
            self.again()

    def again(self) -> None:
        """Look anew."""
        self.run_worker(self._ask_look(), name="team", group="team", exclusive=True)

    async def _ask_look(self) -> None:
        try:
            self._look, self._problem = await self._source.look(), None
            self._looked_at = self.desk.now()
        except HeroError as error:
            self._problem = error
        self.show_rows()

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """Nothing of the fleet is shown here; the keys may have come or gone with the box."""
        if changes.connection:
            self.show_rows()

    def tick(self) -> None:
        """Ages, and how long one has waited; now and then another look."""
        self._ticks += 1
        if self._ticks % EVERY_SECONDS == 0:
            self.again()
        set_titles(self.query_one(ListPanel), *self._titles())
        if self._shown:
            self._show_side()

    def _table(self) -> TeamTable:
        return TeamTable(self.desk.me, self._marks)

    def show_rows(self) -> None:
        """See `FilteredScreen`."""
        if not self.ready or not self.query(ListPanel):  # an answer may come while the screen is being left
            return
        if self._look and self._look is not self._rowed:
            self._rowed = self._look
            self.take(rows_of(self._look))
        self._shown = ordered(filtered(self._rows, self._filters), self._sort)
        sentence = "" if self._shown else self._sentence()
        self.query_one(ListPanel).show(self._shown, self._table(), self._titles(), sentence)
        if self._first and self._look and self.list.put_cursor(f"person:{self._first}"):
            self._first = ""
        self.query_one("#team-side").display = self._described and bool(self._shown)
        self._show_side()
        self.refresh_hints()

    def _titles(self) -> tuple[str, str]:
        trouble = clean(self._problem.message) if self._problem else ""
        now, told = self.desk.now(), len(self._marks)
        return titles(self._rows, self._look, self._looked_at, trouble, now, sort=self._sort, marked=told)

    def _sentence(self) -> str:
        return empty_sentence(self._problem, self._look, self._filters, self.desk.key)

    def _show_side(self) -> None:
        row = self.row
        if row is None or self._look is None:
            return
        if self._view == "about":
            titles = row.name, ""
        else:
            titles = f"{self._view} · {self._whose(row)}", f"{self.desk.key('app.back')} back"
        set_titles(self.query_one("#team-side"), *titles)
        about = (self._view, row.key, self._answer is None)
        self.query_one(TextPane).show(self._lines(row, self._look), about)

    def _whose(self, row: TeamRow) -> str:
        people = self._people(row)
        return f"{len(people)} marked" if self._marks else "".join(people) or "everybody"

    def _people(self, row: TeamRow) -> Sequence[str]:
        """Those that are marked, else the one under the cursor, else nobody in particular."""
        return [one.name for one in self.marked] or ([row.name] if row.kind == "person" else [])

    def _lines(self, row: TeamRow, look: TeamLook) -> Sequence[Line]:
        if self._view != "about":
            return asked_lines(self._view, self._answer, self._people(row), self.desk.now(), self._asked_at)
        now = self.desk.now()
        if row.kind == "reconciler":
            return reconciler_lines(row, look, now)
        return file_lines(row, look) if row.kind == "file" else person_lines(row, look, now)

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._show_side()
        self.refresh_hints()

    # -- plan and diff ----------------------------------------------------------------------------

    def action_team_plan(self) -> None:
        """What the reconciler would do now."""
        self._question("plan")

    def action_team_diff(self) -> None:
        """What there is beside what is wanted."""
        self._question("diff")

    def _question(self, view: View) -> None:
        """Ask anew each time: what is wanted and what there is may both be others by now."""
        self._view, self._answer, self._asked_at = view, None, self.desk.now()
        self._described = True
        self.run_worker(self._ask(view), name=view, group="question", exclusive=True)
        self.show_rows()

    async def _ask(self, view: View) -> None:
        try:
            self._answer = await (self._source.plan() if view == "plan" else self._source.diff())
        except HeroError as error:
            self._answer = error
        self.show_rows()

    def _end_question(self) -> None:
        self.workers.cancel_group(self, "question")
        self._view, self._answer = "about", None
        self.show_rows()

    # -- keys -------------------------------------------------------------------------------------

    def action_team_filter(self) -> None:
        """Ask for a filter."""
        self.ask_filter()

    def action_team_wrong(self) -> None:
        """Only what needs somebody, or all again."""
        self._filter(self._filters.toggled("only_needy"))

    def action_team_describe(self) -> None:
        """Show or hide the person in full."""
        self._described = not self._described
        self.show_rows()

    def action_team_sort(self) -> None:
        """By the next thing."""
        self._sort = next_of(SORTS, self._sort)
        self.show_rows()

    def action_team_mark(self) -> None:
        """Mark or unmark a person: plan, diff and copy are of all that are marked; anything else is passed."""
        if self.row and self.row.kind != "person":
            self.list.action_move(1)
        else:
            self.mark()

    def action_team_copy(self) -> None:
        """Choose what to copy."""
        row = self.row
        if row is None:
            return
        if self._marks:
            self.desk.copy_one(copied(self.marked))
            return
        keys = [fingerprint for fingerprint, _ in fingerprints(row.file)] if row.file else []
        values = {"name": row.name, "file": row.path, "what": row.what}
        values |= {"uid": str(row.known.uid)} if row.known else {}
        self.desk.copy_one(values | {f"key {number + 1}": one for number, one in enumerate(keys)})

    @on(LineList.Selected)
    def action_team_open(self) -> None:
        """All of it, alone, to read; or again the list."""
        full = not self.has_class("-full")
        if full and not self._shown:
            return
        self._described = True
        self.set_class(full, "-full")
        self.query_one("#team-side").display = True
        (self.query_one(TextPane) if full else self.list).focus()

    def clear(self) -> bool:
        """Esc ends the reading first, then plan or diff."""
        if self.has_class("-full"):
            self.action_team_open()
        elif self._view != "about":
            self._end_question()
        else:
            return super().clear()
        return True
