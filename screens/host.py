"""The machine: how busy and how full it is, who takes what of it, what takes the room, and what can go."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from textual import on
from textual.containers import Container
from textual.widget import Widget

from backends.model.state import Event
from screens.desk import Desk, Target
from screens.filtered import FilteredScreen
from screens.fleet_view import Changes
from screens.frame import HeroScreen
from screens.host_containers import EVERY_SECONDS, HostContainers
from screens.host_disk import HostDisk
from screens.host_machine import HostMachine
from screens.host_view import HostSource
from screens.host_words import container_titles, empty_sentence, list_titles, meters_titles, no_containers
from screens.widgets.detail import DetailPane
from screens.widgets.filterbar import FilterBar
from screens.widgets.host_cells import UseTable, table_of
from screens.widgets.host_detail import copied, host_detail
from screens.widgets.host_meters import HostMeters
from screens.widgets.host_model import (
    SORTS,
    VIEWS,
    DiskRow,
    HostFilters,
    HostRow,
    Sort,
    UseRow,
    View,
    filtered,
    rows_of,
)
from screens.widgets.host_warning import HostWarningLine
from screens.widgets.linelist import LineList, Table
from screens.widgets.list_order import next_of
from screens.widgets.listpanel import ListPanel
from screens.widgets.titles import set_titles

_IN_VIEWS: Mapping[str, tuple[View, ...]] = {
    "host_fold": ("processes", "containers"),
    "host_going": ("disk", "containers"),
    "host_copy": ("disk", "containers"),
}
"""Actions that mean something in some views only."""
_METERS_MOST = 9
_METERS_LOW = 5
"""Lines of meters at most, and on a low screen."""


class HostScreen(FilteredScreen[HostFilters, HostRow]):
    """The machine of the box; `source` tells of it while somebody looks."""

    PLACE = "host"
    CSS_PATH = "../styles/host.tcss"
    KEPT = (*FilteredScreen.KEPT, "_view", "_sorts", "_folded", "_days", "_described")
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (170, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, source: HostSource) -> None:
        super().__init__(desk, HostFilters())
        self._machine = HostMachine(desk, source, self._paint_all)
        self._disk = HostDisk(desk, self._paint_all)
        self._containers = HostContainers(desk, self._paint_all)
        self._ticks = 0
        self._view: View = "processes"
        self._sorts: dict[View, Sort] = {view: sorts[0] for view, sorts in SORTS.items()}
        self._folded = self._days = False
        self._described = True
        self._shown: Sequence[HostRow] = ()
        self._unwatch: Callable[[], None] | None = None

    def body(self) -> Iterable[Widget]:
        """The meters, what exceeds its limit, the list, one row in full."""
        with Container(id="host-machine", classes="panel"):
            yield HostMeters(id="host-meters")
        yield HostWarningLine(id="host-warning")
        with Container(id="host-body"):
            yield ListPanel[HostRow](UseTable(), id="host-list")
            with Container(id="host-side", classes="panel"):
                yield DetailPane(id="host-detail")
        yield FilterBar(id="host-filter")

    def on_mount(self) -> None:
        """Look, until the screen is left."""
        self._unwatch = self.desk.watch_events(self._hear)
        self.list.focus()
        super().on_mount()
        self._begin()

    def on_unmount(self) -> None:
        """Listen no more."""
        if self._unwatch:
            self._unwatch()

    @property
    def target(self) -> Target | None:
        """The slot of the row under the cursor, and the service that the row is about."""
        row = self.row
        known = self.desk.fleet.slots
        if isinstance(row, UseRow) and row.slot in known:
            return Target(row.slot, row.name if row.kind == "service" else "")
        if isinstance(row, DiskRow) and row.slot in known:
            service = row.part.name.partition(" ")[0]
            return Target(row.slot, service if service in known[row.slot].cells else "")
        return Target(self.desk.me)

    # -- looking ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        self.run_worker(self._machine.follow(), name="host", group="host", exclusive=True)
        self.run_worker(self._disk.ask(), name="disk", group="disk", exclusive=True)
        self._ask_containers()

    def _ask_containers(self) -> None:
        if self._view == "containers":
            self.run_worker(self._containers.ask(), name="containers", group="containers")

    def _hear(self, event: Event) -> None:
        if event.kind == "host.disk":
            self.run_worker(self._disk.ask(), name="disk", group="disk", exclusive=True)

    def again(self) -> None:
        """Ask anew."""
        self._begin()

    def on_screen_suspend(self) -> None:
        """Under another screen nobody looks, and the box need not; a dialog is gone soon."""
        if isinstance(self.app.screen, HeroScreen):
            self.workers.cancel_group(self, "host")

    def on_screen_resume(self) -> None:
        """Look again."""
        super().on_screen_resume()
        if self.ready and not any(
            one.group == "host" and one.is_running for one in self.workers if one.node is self
        ):
            self._begin()

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """The line to the box may have come or gone."""
        if changes.connection and self.ready:
            self._paint_all()

    def tick(self) -> None:
        """How old what is shown has become; now and then what runs in containers, while that is looked at."""
        self._paint_meters()
        self._ticks += 1
        if self._ticks % EVERY_SECONDS == 0:
            self._ask_containers()

    def _paint_all(self) -> None:
        if self.ready and self.query(ListPanel):  # an answer may come while the screen is being left
            self._paint_meters()
            self.show_rows()

    def _paint_meters(self) -> None:
        view, meters, panel = self._machine.view, self.query_one(HostMeters), self.query_one("#host-machine")
        meters.show(self._machine.meters(days=self._days))
        most = _METERS_LOW if self.has_class("-low") else _METERS_MOST
        height = max(1, min(most, meters.lines)) + 2
        if panel.styles.height is None or panel.styles.height.value != height:
            panel.styles.height = height
        set_titles(panel, *meters_titles(view, self.desk.now(), days=self._days))
        growth = self._disk.report.growth if self._disk.report and self._view == "disk" else ()
        self.query_one(HostWarningLine).show(view.sample.warnings if view.sample else (), growth)

    def show_rows(self) -> None:
        """See `FilteredScreen`."""
        if not self.ready or not self.query(ListPanel):
            return
        sort, sample, disks = self._sorts[self._view], self._machine.view.sample, self._disk.report
        rows = rows_of(self._view, sample, disks, self._containers.report, sort, self._folded)
        self._shown = filtered(rows, self._filters)
        sentence = "" if self._shown else self._sentence()
        self.query_one(ListPanel).show(self._shown, self._table(), self._titles(sort), sentence)
        self.query_one("#host-side").display = self._described and bool(self._shown)
        self._paint_detail()
        self.refresh_hints()

    def _titles(self, sort: Sort) -> tuple[str, str]:
        if self._view == "containers":
            return container_titles(sort, self._containers.report, self._containers.problem)
        return list_titles(self._view, sort, self._disk.report, self.desk.now())

    def _table(self) -> Table[HostRow]:
        return table_of(self._view, self._shown, self.desk.me)

    def _sentence(self) -> str:
        if self._view == "containers":
            told = self._containers
            return no_containers(told.report, told.problem, self._filters, self.desk.key)
        problem = self._disk.problem if self._view == "disk" else ""
        machine, disks = self._machine.view, self._disk.report
        return empty_sentence(self._view, machine, disks, self._filters, problem, self.desk.key)

    @on(LineList.Highlighted)
    def _paint_detail(self) -> None:
        sample, disks = self._machine.view.sample, self._disk.report
        self.query_one(DetailPane).show(host_detail(self.row, sample, disks, self.desk.now(), self.desk.me))

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what has a meaning in this view is offered."""
        if action == "host_clean":
            return self.desk.may_change(self.desk.me)
        return self._view in _IN_VIEWS.get(action, VIEWS) and super().check_action(action, parameters)

    def action_host_view(self) -> None:
        """The next view."""
        self._view = next_of(VIEWS, self._view)
        self._ask_containers()
        self._paint_all()

    def action_host_sort(self) -> None:
        """By the next thing."""
        self._sorts = {**self._sorts, self._view: next_of(SORTS[self._view], self._sorts[self._view])}
        self.show_rows()

    def action_host_fold(self) -> None:
        """Only the slots' sums, or all."""
        self._folded = not self._folded
        self.show_rows()

    def action_host_span(self) -> None:
        """The last hour, or two days."""
        self._days = not self._days
        self._paint_meters()

    def action_host_describe(self) -> None:
        """Show or hide the details."""
        self._described = not self._described
        self.show_rows()

    def action_host_filter(self) -> None:
        """Ask for a filter."""
        self.ask_filter()

    def action_host_going(self) -> None:
        """Only what can go, or all again."""
        self._filter(self._filters.toggled("only_going"))

    def action_host_mine(self) -> None:
        """Only mine, or all again."""
        self.only_mine(self.desk.me)

    @on(LineList.Selected)
    def action_host_open(self) -> None:
        """The slot under the cursor."""
        if (target := self.target) and target.user in self.desk.fleet.slots:
            self.desk.ways.show_slot(target.user, target.service)

    def action_host_copy(self) -> None:
        """Path, or the verb; of a container what it is called."""
        if values := copied(self.row):
            self.desk.copy_one(values)

    def action_host_measure(self) -> None:
        """Begin to measure, or give it up; what is measured is in the disk's view."""
        if self._view == "processes" and not self._disk.measuring:
            self._view = "disk"
        self.run_worker(self._disk.measure(), name="measure", group="measure", exclusive=True)

    def action_host_clean(self) -> None:
        """What could go of my slot, then the question."""
        self.run_worker(self._clean(), name="clean", group="clean", exclusive=True)

    async def _clean(self) -> None:
        self.say("looking for what can go…")
        await self._disk.clean()
        self.say(self._filters.says)
