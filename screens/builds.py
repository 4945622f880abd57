"""Every build of the box: what runs, what waits and why, what ended and how; one of them in full, with its log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from textual import on
from textual.containers import Container
from textual.widget import Widget

from backends.model.state import Build, Event
from screens.build_actions import BuildActions
from screens.build_feed import BuildFeed
from screens.build_words import empty_sentence, titles
from screens.desk import Desk, Target
from screens.fleet_view import Changes
from screens.log_source import LogBatch
from screens.marked import MarkedScreen
from screens.widgets.build_cells import BuildLook, BuildTable
from screens.widgets.build_detail import build_detail
from screens.widgets.build_model import SORTS, BuildFilters, Sort, filtered, sorted_by
from screens.widgets.buildlog import FIRST_LINES, BuildLog
from screens.widgets.detail import DetailPane, DetailView
from screens.widgets.filterbar import FilterBar
from screens.widgets.linelist import LineList
from screens.widgets.list_order import next_of
from screens.widgets.listpanel import ListPanel
from screens.widgets.no_answer import no_box
from screens.widgets.titles import set_titles

LOOKED_THROUGH = 500
"""Builds that are asked for by themselves: for one that a filter leaves, or where older ones stand anywhere."""


class BuildsScreen(MarkedScreen[BuildFilters, Build]):
    """The builds of `service`, or of all services."""

    PLACE = "builds"
    KEPT = (*MarkedScreen.KEPT, "_described", "_sort")
    CSS_PATH = "../styles/builds.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (180, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, service: str = "") -> None:
        super().__init__(desk, BuildFilters())
        self.service = service
        self._feed = BuildFeed(desk, service, self.show_rows)
        self._actions = BuildActions(desk, self._feed)
        self._shown: list[Build] = []
        self._described = True
        self._sort: Sort = SORTS[0]
        self._settling = False
        self._online = False
        self._unwatch: Callable[[], None] | None = None

    def body(self) -> Iterable[Widget]:
        """The list; details and log of the build under the cursor."""
        with Container(id="builds-body"):
            yield ListPanel[Build](self._table(), id="builds-list")
            with Container(id="builds-side", classes="panel"):
                yield DetailPane(id="builds-detail")
                yield BuildLog(self._follow, id="builds-log")
        yield FilterBar(id="builds-filter")

    def on_mount(self) -> None:
        """Listen, then ask."""
        self._unwatch = self.desk.watch_events(self._hear)
        self.list.focus()
        super().on_mount()

    def on_unmount(self) -> None:
        """Listen no more."""
        if self._unwatch:
            self._unwatch()

    @property
    def place(self) -> str:
        """`builds`, or `builds hero_db`."""
        return f"builds {self.service}".strip()

    @property
    def target(self) -> Target | None:
        """The slot and service of the build under the cursor."""
        build = self.row
        return Target(build.slot, build.service) if build else Target(self.desk.me, self.service)

    # -- what the box tells -----------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        if self._feed.heard(event) and not self._settling:
            self._settling = True
            self.call_later(self._settle)

    def _settle(self) -> None:
        self._settling = False
        self._feed.settle()

    def again(self) -> None:
        """Ask the box anew."""
        self.run_worker(self._feed.ask(), name="builds", group="builds", exclusive=True)

    def _older(self) -> None:
        self.run_worker(self._feed.ask_older(), name="older builds", group="older")

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """Ask whenever the box is there again; else what runs may have come to another phase."""
        online = self.desk.fleet.connection == "online"
        if online and not self._online:
            self.again()
        self._online = online
        self.show_rows()

    def tick(self) -> None:
        """Seconds and ages; what runs may have become slower than another one."""
        if self._shown and self._sort == "slowest":
            self.show_rows()
        elif self._shown:
            self.list.show(self._shown, self._table())
            self._show_detail()

    def _look(self) -> BuildLook:
        busy = {cell: one.word for cell, one in self.desk.fleet.busy.items()}
        return BuildLook(self.desk.now(), self._feed.timings, busy)

    def _table(self) -> BuildTable:
        return BuildTable(self._look(), self._marks)

    def show_rows(self) -> None:
        """See `FilteredScreen`."""
        if not self.ready:
            return
        feed, online, key = self._feed, self._online, self.desk.key
        self.take(feed.builds, known=feed.known)
        left = sorted_by(filtered(feed.builds, self._filters), self._sort, self.desk.now())
        self._shown = [self._newest(build) for build in left]
        away = "" if online else no_box(self.desk.fleet.why)
        sentence = "" if self._shown else empty_sentence(feed, self.service, key, away)
        over = titles(feed, self.service, self._sort, len(self._marks), online=online)
        self.query_one(ListPanel).show(self._shown, self._table(), over, sentence)
        self.query_one("#builds-side").display = self._described and bool(self._shown)
        self._show_detail()
        self.refresh_hints()
        if not self._shown and self._filters.any:
            self._wants_more()

    def _newest(self, build: Build) -> Build:
        """With the phases that its slot tells while it runs; the box learns them at its end."""
        cell = self.desk.fleet.cell(build.slot, build.service) if build.state == "running" else None
        told = cell.build if cell else None
        if told is None or told.id != build.id or len(told.phases) <= len(build.phases):
            return build
        return build.model_copy(update={"phases": told.phases})

    def _show_detail(self) -> None:
        build, panel, pane = self.row, self.query_one("#builds-side"), self.query_one(DetailPane)
        if not panel.display:
            self.query_one(BuildLog).show(None)
            return
        if build is None:
            pane.show(DetailView(sentence="Nothing is selected."))
            return
        set_titles(panel, f"{build.slot} · {build.service} · {build.branch}", build.id)
        pane.show(build_detail(build, self._look(), pane.room))
        self.query_one(BuildLog).show(build)

    def on_resize(self) -> None:
        """The bar of the phases has another length."""
        if self.ready:
            self.call_after_refresh(self._show_detail)

    def _follow(self, build: Build) -> AsyncIterator[LogBatch]:
        return self.desk.logs.follow(build.slot, (), FIRST_LINES, build.id)

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._show_detail()
        self.refresh_hints()

    @on(LineList.EndNear)
    def _wants_more(self) -> None:
        # Sorted, older ones may come anywhere: the end of the list is near still, and would be until the first.
        scrolled = bool(self._shown) and self._sort == SORTS[0]
        if scrolled or len(self._feed.builds) < LOOKED_THROUGH:
            self._older()

    # -- filters ----------------------------------------------------------------------------------

    def action_build_filter(self) -> None:
        """Ask for a filter."""
        self.ask_filter()

    def action_build_failed(self) -> None:
        """Only what failed, or all again."""
        self._filter(self._filters.toggled("only_failed"))

    def action_build_mine(self) -> None:
        """Only builds of my slot, or all again."""
        self.only_mine(self.desk.me)

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done to the build under the cursor is offered."""
        if not super().check_action(action, parameters):
            return False
        return self._actions.enabled(action, self.row, self.meant if self.ready else ())

    @on(LineList.Selected)
    def action_build_open(self) -> None:
        """The whole log, on the whole screen, or why there is none."""
        if build := self.row:
            self._actions.log(build)

    def action_build_log(self) -> None:
        """The whole log, on the whole screen."""
        self.action_build_open()

    def action_build_sort(self) -> None:
        """By the next thing."""
        self._sort = next_of(SORTS, self._sort)
        self.show_rows()

    def action_build_mark(self) -> None:
        """Mark or unmark it: copy, cancel and rebuild are of all that are marked."""
        self.mark()

    def action_build_cancel(self) -> None:
        """Stop it, or all that are marked."""
        self._actions.cancel(self.meant, self.unmark)

    def action_build_again(self) -> None:
        """The same slot, service and branch, of each that is marked."""
        self._actions.again(self.meant, self.unmark)

    def action_build_publish(self) -> None:
        """The same as the one under the cursor, and publish what it makes."""
        if build := self.row:
            self._actions.publish(build)

    def action_build_copy(self) -> None:
        """Choose what to copy."""
        self._actions.copy(self.meant)

    def action_build_link(self) -> None:
        """Ask where the release is, and copy that."""
        if build := self.row:
            self.run_worker(self._actions.link(build), name="link", group="link", exclusive=True)

    def action_build_describe(self) -> None:
        """Show or hide details and log."""
        self._described = not self._described
        self.show_rows()
