"""One slot in detail: mine to act on, or somebody else's to look at (the peek), which says so all the time."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from textual import on
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from backends.model.state import ServiceStatus
from screens.desk import Desk, Target
from screens.fleet_view import Changes
from screens.frame import HeroScreen
from screens.widgets.cells import age_text, is_faulty, reason_text
from screens.widgets.celltext import clean, first_of
from screens.widgets.detail import DetailPane, DetailView, detail_of
from screens.widgets.filterbar import FilterBar
from screens.widgets.list_filters import matcher
from screens.widgets.list_order import next_of, order_notes
from screens.widgets.no_answer import no_box, slot_doubt
from screens.widgets.service_order import SORTS, Sort, ordered
from screens.widgets.servicelist import ServiceList, ServiceRow
from screens.widgets.titles import set_titles

_LONG = 1_000
"""Characters of a problem that are shown; a broken manifest may quote much of itself."""


class SlotScreen(HeroScreen):
    """The services of one user."""

    PLACE = "slot"
    KEPT = ("_filter_text", "_only_faults", "_marked", "_described", "_sort")
    ACTS = True
    CSS_PATH = "../styles/slot.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (200, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, user: str, service: str = "") -> None:
        super().__init__(desk)
        self.user = user
        self._first = service
        self._marked: set[str] = set()
        self._filter_text = ""
        self._only_faults = False
        self._sort: Sort = SORTS[0]
        self._described = True

    def body(self) -> Iterable[Widget]:
        """List and details; a banner where the slot is not mine."""
        yield Static("", markup=False, id="slot-banner", classes="banner")
        yield Static("", markup=False, id="slot-problems", classes="banner")
        with Container(id="slot-body"):
            with Container(id="slot-list", classes="panel"):
                yield ServiceList(id="services")
                yield Static("", markup=False, id="slot-empty", classes="empty")
            with Container(id="slot-detail", classes="panel"):
                yield DetailPane(id="detail")
        yield FilterBar(id="slot-filter")

    def on_mount(self) -> None:
        """The list has the keys."""
        foreign = not self.desk.may_change(self.user)
        banner = self.query_one("#slot-banner", Static)
        banner.display = foreign
        mine = self.user == self.desk.me
        banner.update(f"{'looking at my slot' if mine else f'peeking at {self.user}'} — read-only")
        for panel in self.query(".panel"):
            panel.set_class(foreign, "foreign")
        self.list.focus()
        super().on_mount()
        if self._first:
            self.list.service = self._first

    @property
    def list(self) -> ServiceList:
        """The table of services."""
        return self.query_one(ServiceList)

    @property
    def place(self) -> str:
        """`slot alice`, or `peek mik`."""
        return f"{'slot' if self.user == self.desk.me else 'peek'} {self.user}"

    @property
    def target(self) -> Target:
        """The service under the cursor, and the marked ones."""
        return Target(self.user, self.list.service, tuple(sorted(self._marked)))

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """The rows anew if services came or went, else the changed ones."""
        slot = self.desk.fleet.slots.get(self.user)
        mine = {service for user, service in changes.cells if user == self.user}
        self._drop_marks(slot.cells if slot else ())
        kept = [cell for cell in slot.cells.values() if self._keeps(cell)] if slot else []
        wanted = ordered(kept, self._sort, self.desk.fleet.services())
        if changes.shape or [row.service for row in self.list.rows] != [cell.service for cell in wanted]:
            self.list.set_rows(self._row(cell) for cell in wanted)
        else:
            for cell in wanted:
                if cell.service in mine:
                    self.list.set_row(self._row(cell))
        self._show_head()
        self._show_detail()

    def _drop_marks(self, bound: Collection[str]) -> None:
        """What is not bound any more cannot be acted on."""
        if not self._marked.issubset(bound):
            self._marked.intersection_update(bound)
            self._say_filters()

    def _keeps(self, cell: ServiceStatus) -> bool:
        if self._only_faults and not is_faulty(cell):
            return False
        return matcher(self._filter_text)(f"{cell.service}\n{cell.branch}")

    def _row(self, cell: ServiceStatus) -> ServiceRow:
        busy = self.desk.fleet.busy.get((self.user, cell.service))
        word = "" if busy is None else busy.word if busy.share is None else f"{busy.share:.0%} {busy.word}"
        return ServiceRow(
            service=cell.service,
            branch=cell.branch,
            hash8=cell.hash[:8],
            source=cell.running_from or cell.source,
            drift=cell.drift,
            health=cell.health,
            build=cell.build.state if cell.build else "",
            age=age_text(cell, self.desk.now()),
            reason=reason_text(cell),
            busy=word,
            marked=cell.service in self._marked,
        )

    def _show_head(self) -> None:
        slot, sentence = self.desk.fleet.slots.get(self.user), self._sentence()
        problems = self.query_one("#slot-problems", Static)
        problems.display = bool(slot and slot.head.problems)
        if slot:
            problems.update("\n".join(clean(one, _LONG) for one in slot.head.problems))
        panel, empty = self.query_one("#slot-list"), self.query_one("#slot-empty", Static)
        self.list.display, empty.display = not sentence, bool(sentence)
        empty.update(sentence)
        if slot:
            head = slot.head
            name = f" · {head.full_name}" if head.full_name and head.full_name.lower() != self.user else ""
            doubt = slot_doubt(lost=self.desk.fleet.connection == "reconnecting", stale=head.stale)
            told = [*([doubt] if doubt else []), head.role, f"claude: {head.credential}"]
            set_titles(panel, f"{self.user}{name}", " · ".join(told))

    def _sentence(self) -> str:
        """Why there is no service in the list, and what to do; "" where there is one."""
        fleet, user, key = self.desk.fleet, self.user, self.desk.key
        slot = fleet.slots.get(user)
        if slot is None and not fleet.known:
            return no_box(fleet.why)
        if slot is None:
            there = ", ".join(first_of(fleet.users()))
            return (
                f"There is no slot {user!r}.\n\nThere are: {there or 'none'}.\n{key('app.peek')} looks into one."
            )
        if not slot.cells and slot.head.stale:
            return "Nothing is known of this slot yet: its daemon is away.\n\nWhat it tells is shown as it comes."
        if not slot.cells and not self.desk.may_change(user):
            return f"No service is bound in this slot.\n\n{key('app.peek')} looks into another one."
        if not slot.cells:
            how = f"`:switch SERVICE BRANCH` binds and runs one; so does {key('cell.switch')} on the fleet."
            return f"No service is bound in your slot.\n\n{how}"
        return "" if self.list.rows else f"Nothing matches.\n\n{key('app.back')} clears the filter."

    def _show_detail(self) -> None:
        panel, pane = self.query_one("#slot-detail"), self.query_one(DetailPane)
        service = self.list.service
        cell = self.desk.fleet.cell(self.user, service)
        panel.display = self._described and cell is not None and self.list.display
        if cell is None:
            pane.show(DetailView(sentence="Nothing is selected."))
            return
        set_titles(panel, service)
        busy = self.desk.fleet.busy.get((self.user, service))
        pane.show(detail_of(cell, self.desk.now(), busy.word if busy else ""))

    def tick(self) -> None:
        """Ages."""
        self._show_detail()
        slot = self.desk.fleet.slots.get(self.user)
        for row in list(self.list.rows):
            if slot and (cell := slot.cells.get(row.service)):
                self.list.set_row(self._row(cell))

    @on(ServiceList.Highlighted)
    def _moved(self) -> None:
        self._show_detail()
        self.refresh_hints()

    @on(ServiceList.Selected)
    def _chosen(self, event: ServiceList.Selected) -> None:
        self.desk.ways.show_logs(self.user, sorted(self._marked) or [event.service])

    # -- keys -------------------------------------------------------------------------------------

    def action_mark(self) -> None:
        """Mark or unmark the service, and go on to the next."""
        service = self.list.service
        self._marked ^= {service}
        if cell := self.desk.fleet.cell(self.user, service):
            self.list.set_row(self._row(cell))
        self.list.action_move(1)
        self._say_filters()

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(FilterBar).open(self._filter_text)

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):  # a key may still come while it is being closed
            self._filter(event.value)

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        self._filter(event.text)
        self.list.focus()

    def _filter(self, text: str) -> None:
        self._filter_text = text.strip()
        self._filters_changed()

    def action_faults(self) -> None:
        """Only what is broken, or all again."""
        self._only_faults = not self._only_faults
        self._filters_changed()

    def action_slot_sort(self) -> None:
        """By the next thing."""
        self._sort = next_of(SORTS, self._sort)
        self._filters_changed()

    def action_describe(self) -> None:
        """Show or hide the details."""
        self._described = not self._described
        self._show_detail()

    def _filters_changed(self) -> None:
        self.show(Changes(shape=True))
        self._say_filters()

    def _say_filters(self) -> None:
        notes = [f"/{self._filter_text}"] if self._filter_text else []
        notes += ["faults only"] if self._only_faults else []
        notes += order_notes(SORTS, self._sort, len(self._marked))
        self.say(" · ".join(notes))

    def clear(self) -> bool:
        """Esc takes back filter, faults, marks."""
        if self._filter_text:
            self._filter("")
        elif self._only_faults:
            self.action_faults()
        elif self._marked:
            self._marked.clear()
            self._filters_changed()
        else:
            return False
        return True
