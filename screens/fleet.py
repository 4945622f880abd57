"""The face of the cockpit: every user's services at one glance, and the selected one in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import is_
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from screens.desk import Desk, InboxView, Target
from screens.fleet_looks import FleetLooks
from screens.fleet_side import FleetSide
from screens.fleet_view import INTEGRATION, Cell, Changes, SlotView
from screens.fleet_words import empty_sentence, notes
from screens.frame import HeroScreen
from screens.widgets.faultlist import FaultList
from screens.widgets.filterbar import FilterBar
from screens.widgets.fleet_rows import row_of, waits_by_slot
from screens.widgets.grid import FleetGrid
from screens.widgets.grid_data import Filters, GridColumn, GridRow
from screens.widgets.grid_layout import Density
from screens.widgets.grid_order import Order, is_head

if TYPE_CHECKING:
    from backends.model.state import ServiceStatus, SlotStatus

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
        self._marked: set[Cell] = set()
        self._described = True
        self._tagged = False
        self._pointed = False
        self._sectioned = False
        self._services: list[str] = []
        self._inbox: InboxView | None = None
        self._waits: Mapping[str, int] = {}
        self._broken: list[tuple[ServiceStatus, ...]] = []

    def body(self) -> Iterable[Widget]:
        """Grid and details, or a sentence that says why there is none."""
        with Container(id="fleet-body"):
            yield FleetGrid(id="fleet-grid")
            yield Static("", markup=False, id="fleet-empty", classes="empty")
            yield FleetSide(self.desk)
        yield FilterBar(id="fleet-filter")

    def on_mount(self) -> None:
        """The grid has the keys."""
        if self._density:
            self.grid.set_density(self._density)
        looks = FleetLooks(self.desk, lambda: self._marked)
        self.grid.show_from(looks)
        self.grid.tell_from(lambda user, service: looks.tip(user, service, self.grid.order))
        self.grid.focus()
        super().on_mount()

    @property
    def grid(self) -> FleetGrid:
        """The grid."""
        return self.query_one(FleetGrid)

    @property
    def side(self) -> FleetSide:
        """What stands beside it."""
        return self.query_one(FleetSide)

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
        shape = changes.shape or self._is_reshaped(changes.cells)
        if shape:
            self._show_shape()
        else:
            self.grid.look_again(changes.cells)
        self._drop_marks()
        if self.grid.cursor in changes.cells or shape:
            self._show_detail()
        broken = [slot.faulty for slot in self.desk.fleet.slots.values()]
        if changes.shape or len(broken) != len(self._broken) or not all(map(is_, broken, self._broken)):
            self._broken = broken
            self.side.show_faults()
        self._show_empty()

    def _is_reshaped(self, cells: Iterable[Cell]) -> bool:
        """Whether a service that the catalogue does not name has its first binding, or lost its last one."""
        fleet = self.desk.fleet
        named = {entry.name for entry in fleet.catalogue}
        others = [(user, service) for user, service in cells if service not in named]
        differs = any((name in self._services) is not bool(fleet.cell(user, name)) for user, name in others)
        return differs and self._services != fleet.services()

    def _show_shape(self) -> None:
        fleet, grid = self.desk.fleet, self.grid
        heads = [fleet.slots[user].head for user in fleet.users()]
        self._tagged = tagged = self._has_tags()
        rows = [self._row(fleet.slots[head.slot], tagged) for head in heads]
        self._section(heads)
        self._services = services = fleet.services()
        grid.set_shape(rows, [GridColumn(service, service) for service in services])
        if not self._pointed and rows and services:
            self._pointed = True
            grid.cursor = (self.desk.me, services[0])

    def _section(self, heads: Sequence[SlotStatus]) -> None:
        """More boxes than one stand in sections, unless the person has put the rows in an order before."""
        if not self._sectioned and len({head.box for head in heads}) > 1:
            self._sectioned = True
            if self.grid.order == Order():
                self.grid.set_order(Order(group="box"))

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
        slots = self.desk.fleet.slots
        users = {user for user, _ in agents} & slots.keys()
        self.grid.set_rows(self._row(slots[user], self._tagged) for user in users)

    def _show_detail(self) -> None:
        cursor, view, target = self.grid.cursor, self.grid.view, self.target
        if target:
            self.side.show_cell(target.user, target.service)
        elif cursor:
            row = view.rows[view.row_at[cursor[0]]]
            self.side.show_head(row, [user for user, head in view.heads.items() if head == row.key])
        else:
            self.side.show_nothing()

    def _show_empty(self) -> None:
        """Say what to do where there is no grid to look at."""
        view = self.grid.view
        shown = bool(view.rows and view.columns)
        sentence = empty_sentence(self.desk.fleet, self.grid.filters, self.desk.key, shown=shown)
        empty = self.query_one("#fleet-empty", Static)
        empty.display = bool(sentence)
        self.grid.display = not sentence
        self.side.display = not sentence and self._described
        if sentence:
            empty.update(sentence)

    def tick(self) -> None:
        """The detail pane counts seconds, the cells minutes."""
        self._show_detail()
        self.side.show_faults()
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
            self.desk.ways.show_releases(event.column_key)
        else:
            self.desk.ways.show_slot(event.row_key, event.column_key)

    # -- faults -----------------------------------------------------------------------------------

    @on(FaultList.Chosen)
    def _clicked_fault(self, event: FaultList.Chosen) -> None:
        if self.grid.shows(event.user, event.service):
            self.grid.go_to(event.user, event.service)
        else:
            key = self.desk.key("app.back")
            self.desk.tell(f"The filter leaves {event.user} {event.service} out; {key} clears it.")

    @on(FaultList.More)
    def _all_faults(self) -> None:
        self._filter(replace(self.grid.filters, only_faults=True))

    def action_next_fault(self, step: int) -> None:
        """Go to the next broken service, in the order of the list, or to the one before."""
        found = [(fault.user, fault.service) for fault in self.side.faults]
        cells = [cell for cell in found if self.grid.shows(*cell)]
        if not cells:
            self.desk.tell("Nothing that is shown is broken.")
            return
        here = self.grid.cursor
        place = cells.index(here) + step if here in cells else 0 if step > 0 else -1
        self.grid.go_to(*cells[place % len(cells)])

    # -- filters and marks ------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(FilterBar).open(self.grid.filters.text)

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):  # a key may still come while it is being closed
            self._filter(replace(self.grid.filters, text=event.value.strip()))

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        self._filter(replace(self.grid.filters, text=event.text.strip()))
        self.grid.focus()

    def action_faults(self) -> None:
        """Only rows with something broken, or all again."""
        self._filter(self.grid.filters.toggled("only_faults"))

    def action_waiting(self) -> None:
        """Only rows with something that waits for a person, or all again."""
        self._filter(self.grid.filters.toggled("only_waiting"))

    def action_mine(self) -> None:
        """Only my row and the pinned one, or all again."""
        if self.desk.me:
            self._filter(self.grid.filters.toggled("mine", self.desk.me))

    def _filter(self, filters: Filters) -> None:
        self.grid.set_filters(filters)
        self._tell_choice()

    @on(FleetGrid.OrderChanged)
    def _tell_choice(self) -> None:
        self._show_empty()
        self._show_detail()
        self.say(notes(self.grid.filters, self.grid.order, len(self._marked)))

    def action_mark(self) -> None:
        """Mark or unmark the cell and go on to the next; marks are of one user at a time."""
        target = self.target
        if target is None or self.desk.fleet.cell(target.user, target.service) is None:
            return
        cell = (target.user, target.service)
        self._mark({one for one in self._marked if one[0] == target.user} ^ {cell})
        self.grid.action_move(0, 1)

    def _mark(self, cells: set[Cell]) -> None:
        changed, self._marked = self._marked ^ cells, cells
        self.grid.look_again(changed)
        self._tell_choice()

    def _drop_marks(self) -> None:
        """What is not bound any more cannot be acted on."""
        bound = {cell for cell in self._marked if self.desk.fleet.cell(*cell)}
        if bound != self._marked:
            self._mark(bound)

    def action_describe(self) -> None:
        """Show or hide the detail pane."""
        self._described = not self._described
        self._show_empty()

    def clear(self) -> bool:
        """Esc takes back the filters, one after the other, then the marks."""
        if self.grid.filters.any:
            self._filter(self.grid.filters.widened())
        elif self._marked:
            self._mark(set())
        else:
            return False
        return True
