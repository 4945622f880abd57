"""The face of the cockpit: every user's services at one glance, and the selected one in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from operator import is_
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from screens.desk import INTEGRATION, Cell, Changes, Desk, InboxView, SlotView, Target
from screens.frame import HeroScreen
from screens.widgets.cells import grid_cell
from screens.widgets.detail import DetailPane, DetailView, detail_of
from screens.widgets.faultlist import FaultList, faults_of
from screens.widgets.filterbar import FilterBar
from screens.widgets.fleet_rows import head_detail, row_of, waits_by_slot
from screens.widgets.grid import FleetGrid
from screens.widgets.grid_data import GridCell, GridColumn, GridRow
from screens.widgets.grid_layout import Density
from screens.widgets.grid_order import is_head
from screens.widgets.titles import set_titles

if TYPE_CHECKING:
    from backends.model.state import ServiceStatus

AGES_EVERY = 15
"""Seconds between two looks at the ages in the cells, which count minutes."""
TAGS_FROM = 140
"""Width in cells from which on the credential column is shown even if it says `none` everywhere."""


class FleetScreen(HeroScreen):
    """Users × services, live."""

    PLACE = "fleet"
    KEPT = ("_marked", "_described")
    ACTS = True
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (160, "-wide"), (220, "-huge")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, density: Density | None = None) -> None:
        super().__init__(desk)
        self._density = density
        self._ticks = 0
        self._marked: set[tuple[str, str]] = set()
        self._described = True
        self._tagged = False
        self._inbox: InboxView | None = None
        self._waits: Mapping[str, int] = {}
        self._broken: list[tuple[ServiceStatus, ...]] = []

    def body(self) -> Iterable[Widget]:
        """Grid and detail pane, or a sentence that says why there is none."""
        with Container(id="fleet-body"):
            yield FleetGrid(id="fleet-grid")
            yield Static("", markup=False, id="fleet-empty", classes="empty")
            with Container(id="fleet-side"):
                with Container(id="fleet-faults", classes="panel"):
                    yield FaultList(id="faults")
                with Container(id="fleet-detail", classes="panel"):
                    yield DetailPane(id="detail")
        yield FilterBar(id="fleet-filter")

    def on_mount(self) -> None:
        """The grid has the keys."""
        if self._density:
            self.grid.set_density(self._density)
        self.grid.show_from(self._look_of, self._faults_of)
        self.grid.tell_from(self._tip_of)
        self.grid.focus()
        super().on_mount()

    @property
    def grid(self) -> FleetGrid:
        """The grid."""
        return self.query_one(FleetGrid)

    @property
    def target(self) -> Target | None:
        """The cell under the cursor."""
        if self.grid.cursor is None or is_head(self.grid.cursor[0]):
            return None
        user, service = self.grid.cursor
        marked = tuple(sorted(name for owner, name in self._marked if owner == user))
        return Target(user, service, marked)

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """Rows and columns where they changed, else the changed cells alone."""
        if changes.shape:
            self._show_shape()
        else:
            self.grid.look_again(changes.cells)
        if self.grid.cursor in changes.cells or changes.shape:
            self._show_detail()
        broken = [slot.faulty for slot in self.desk.fleet.slots.values()]
        if changes.shape or len(broken) != len(self._broken) or not all(map(is_, broken, self._broken)):
            self._broken = broken
            self._show_faults()
        self._show_empty()

    def _show_shape(self) -> None:
        fleet, grid = self.desk.fleet, self.grid
        heads = [fleet.slots[user].head for user in fleet.users()]
        self._tagged = tagged = self._has_tags()
        rows = [self._row(fleet.slots[head.slot], tagged) for head in heads]
        first = grid.cursor is None
        if first and len({head.box for head in heads}) > 1:
            grid.set_order(replace(grid.order, group="box"))
        services = fleet.services()
        grid.set_shape(rows, [GridColumn(service, service) for service in services])
        if first and self.desk.me in fleet.slots and services:
            grid.cursor = (self.desk.me, services[0])

    def _has_tags(self) -> bool:
        """Where nobody has a credential the column tells nothing, and a narrow screen needs its room."""
        slots = self.desk.fleet.slots.values()
        return self.app.size.width >= TAGS_FROM or any(slot.head.credential != "none" for slot in slots)

    def _row(self, slot: SlotView, tagged: bool) -> GridRow:
        return row_of(slot, tagged=tagged, waits=self._waits.get(slot.head.slot, 0))

    def refresh_frame(self, *, hints: bool = True) -> None:
        """The rows tell what of them waits for this person, too."""
        super().refresh_frame(hints=hints)
        if self.ready and self.desk.inbox is not self._inbox:
            self._inbox = self.desk.inbox
            before, self._waits = self._waits, waits_by_slot(self._inbox.items)
            changed = {user for user in {*before, *self._waits} if before.get(user) != self._waits.get(user)}
            self.show_agents(frozenset((user, "") for user in changed))

    def show_agents(self, agents: frozenset[Cell]) -> None:
        """The sign of a slot whose agents are others now."""
        for user in {user for user, _ in agents}:
            if slot := self.desk.fleet.slots.get(user):
                self.grid.set_row(self._row(slot, self._tagged))

    def _look_of(self, user: str, service: str) -> GridCell | None:
        fleet, cell = self.desk.fleet, (user, service)
        status = fleet.cell(user, service)
        if status is None:
            return None
        busy = fleet.busy.get(cell)
        look = grid_cell(status, self.desk.now(), (busy.word, busy.share) if busy else None)
        return replace(look, marked=True) if cell in self._marked else look

    def _tip_of(self, user: str, service: str) -> Content | None:
        from screens.widgets.cell_tip import cell_tip  # who has no mouse has no use for it

        status, busy = self.desk.fleet.cell(user, service), self.desk.fleet.busy.get((user, service))
        return cell_tip(user, status, self.desk.now(), busy.word if busy else "") if status else None

    def _faults_of(self, user: str) -> int:
        slot = self.desk.fleet.slots.get(user)
        return len(slot.faulty) if slot else 0

    def _show_detail(self) -> None:
        panel, pane = self.query_one("#fleet-detail"), self.query_one(DetailPane)
        target = self.target
        if target is None:
            self._show_head(panel, pane)
            return
        user, service = target.user, target.service
        fleet = self.desk.fleet
        away = user in fleet.slots and fleet.slots[user].head.stale
        set_titles(panel, f"{user} · {service}", "not up to date: its daemon is away" if away else "")
        panel.set_class(not self.desk.may_change(user), "foreign")
        status = fleet.cell(user, service)
        if status is None:
            how = " Press s to bind and run it." if self.desk.may_change(user) else ""
            pane.show(DetailView(sentence=f"{user} does not run {service}.{how}"))
            return
        busy = fleet.busy.get((user, service))
        pane.show(detail_of(status, self.desk.now(), busy.word if busy else ""))

    def _show_head(self, panel: Widget, pane: DetailPane) -> None:
        cursor, view = self.grid.cursor, self.grid.view
        panel.set_class(False, "foreign")
        if cursor is None:
            set_titles(panel, "")
            pane.show(DetailView(sentence="Nothing is selected."))
            return
        row = view.rows[view.row_at[cursor[0]]]
        members = [user for user, head in view.heads.items() if head == row.key]
        set_titles(panel, row.title)
        pane.show(head_detail(row, self.query_one(FaultList).faults, members, self.desk.key("grid.fold")))

    def _show_faults(self) -> None:
        fleet = self.desk.fleet
        cells = [(user, cell) for user, slot in fleet.slots.items() for cell in slot.faulty]
        faults = faults_of(cells, self.desk.now(), self.desk.me)
        self.query_one(FaultList).show(faults)
        panel = self.query_one("#fleet-faults")
        panel.display = bool(faults)
        set_titles(panel, "needs attention" if faults else "")

    def _show_empty(self) -> None:
        """Say what to do where there is no grid to look at."""
        sentence = self._empty_sentence()
        empty = self.query_one("#fleet-empty", Static)
        empty.display = bool(sentence)
        self.grid.display = not sentence
        self.query_one("#fleet-side").display = not sentence and self._described
        if sentence:
            empty.update(sentence)

    def _empty_sentence(self) -> str:
        fleet, filters = self.desk.fleet, self.grid.filters
        if not fleet.known:
            if fleet.connection == "reconnecting":
                return f"The box does not answer.\n{fleet.why}\n\nTrying again; `hero_dev box status` tells more."
            return "Connecting to the box…\n\nIts daemon is started if it does not run."
        if not fleet.slots:
            return "This box has no slots yet.\n\n`hero_tui demo` makes a box with four of them."
        if not fleet.catalogue and not any(slot.cells for slot in fleet.slots.values()):
            return "The catalogue names no services yet.\n\nThey stand in services.toml of the team repo."
        if self.grid.view.rows and self.grid.view.columns:
            return ""
        if filters.only_faults:
            return "Nothing is broken.\n\n! shows everybody again."
        if filters.only_waiting:
            return "Nothing waits for a person.\n\n@ shows everybody again."
        if filters.text:
            return f"Nothing matches /{filters.text}\n\nesc clears the filter."
        return "Nothing to show.\n\nesc clears the filters."

    def tick(self) -> None:
        """The detail pane counts seconds, the cells minutes."""
        self._show_detail()
        self._show_faults()
        self._ticks += 1
        if self._ticks % AGES_EVERY == 0:
            self.grid.grow_older()

    def on_resize(self) -> None:
        """The credential column comes and goes with the width."""
        if self.ready and self._has_tags() != self._tagged:
            self._show_shape()

    @on(FleetGrid.CellHighlighted)
    def _moved(self) -> None:
        self._show_detail()
        self.refresh_hints()

    @on(FleetGrid.CellSelected)
    def _chosen(self, event: FleetGrid.CellSelected) -> None:
        if event.row_key == INTEGRATION:
            self.desk.show_releases(event.column_key)
        else:
            self.desk.show_slot(event.row_key, event.column_key)

    @on(FaultList.Chosen)
    def _clicked_fault(self, event: FaultList.Chosen) -> None:
        self.grid.cursor = (event.user, event.service)

    def action_next_fault(self, step: int) -> None:
        """Go to the next broken service, in the order of the list, or to the one before."""
        cells = [(fault.user, fault.service) for fault in self.query_one(FaultList).faults]
        cells = [one for one in cells if one[0] in self.grid.view.row_at and one[1] in self.grid.view.column_at]
        if not cells:
            self.desk.tell("Nothing that is shown is broken.")
            return
        here = self.grid.cursor
        place = cells.index(here) + step if here in cells else 0 if step > 0 else -1
        self.grid.cursor = cells[place % len(cells)]

    # -- filters ----------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(FilterBar).open(self.grid.filters.text)

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):  # a key may still come while it is being closed
            self._filter(event.value)

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        self._filter(event.text)
        self.grid.focus()

    def _filter(self, text: str) -> None:
        self.grid.set_filter(text)
        self._filters_changed()

    def action_faults(self) -> None:
        """Only rows with something broken, or all again."""
        self.grid.set_only_faults(not self.grid.filters.only_faults)
        self._filters_changed()

    def action_waiting(self) -> None:
        """Only rows with something that waits for a person, or all again."""
        self.grid.set_only_waiting(not self.grid.filters.only_waiting)
        self._filters_changed()

    def action_mine(self) -> None:
        """Only my row and the pinned one, or all again."""
        if self.desk.me:
            self.grid.set_only_mine(not self.grid.filters.only_mine, self.desk.me)
            self._filters_changed()

    @on(FleetGrid.OrderChanged)
    def _filters_changed(self) -> None:
        filters, order = self.grid.filters, self.grid.order
        notes = [f"/{filters.text}"] if filters.text else []
        notes += ["faults only"] if filters.only_faults else []
        notes += ["waiting only"] if filters.only_waiting else []
        notes += ["mine only"] if filters.only_mine else []
        notes += [f"by {order.sort}"] if order.sort != "name" else []
        notes += [f"grouped by {order.group}"] if order.group != "none" else []
        notes += [f"{len(self._marked)} marked"] if self._marked else []
        self._show_empty()
        self._show_detail()
        self.say(" · ".join(notes))

    def action_mark(self) -> None:
        """Mark or unmark the cell and go on to the next; marks are of one user at a time."""
        target = self.target
        if target is None or self.desk.fleet.cell(target.user, target.service) is None:
            return
        cell = (target.user, target.service)
        old = {one for one in self._marked if one[0] != target.user}
        self._marked = (self._marked - old) ^ {cell}
        self.grid.look_again((*old, cell))
        self.grid.action_move(0, 1)
        self._filters_changed()

    def action_describe(self) -> None:
        """Show or hide the detail pane."""
        self._described = not self._described
        self._show_empty()

    def clear(self) -> bool:
        """Esc takes back the filters, one after the other."""
        filters = self.grid.filters
        if filters.text:
            self._filter("")
        elif filters.only_faults:
            self.action_faults()
        elif filters.only_waiting:
            self.action_waiting()
        elif filters.only_mine:
            self.action_mine()
        elif self._marked:
            cells, self._marked = self._marked, set()
            self.grid.look_again(cells)
            self._filters_changed()
        else:
            return False
        return True
