"""Every build of the box: what runs, what waits and why, what ended and how; one of them in full, with its log."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from textual import on
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from backends.model.state import Build, Event
from screens.build_actions import BuildActions
from screens.build_feed import BuildFeed
from screens.desk import Changes, Desk, LogBatch, Target
from screens.filtered import FilteredScreen
from screens.widgets.build_cells import BuildLook
from screens.widgets.build_detail import build_detail
from screens.widgets.build_model import BuildFilters, filtered
from screens.widgets.buildlist import BuildList
from screens.widgets.buildlog import FIRST_LINES, BuildLog
from screens.widgets.detail import DetailPane, DetailView
from screens.widgets.filterbar import FilterBar
from screens.widgets.titles import set_titles

LOOKED_THROUGH = 500
"""Builds that are asked for by themselves for one that a filter leaves."""


class BuildsScreen(FilteredScreen[BuildFilters]):
    """The builds of `service`, or of all services."""

    PLACE = "builds"
    KEPT = ("_filters", "_described")
    CSS_PATH = "../styles/builds.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (180, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, service: str = "") -> None:
        super().__init__(desk, BuildFilters())
        self.service = service
        self._feed = BuildFeed(desk, service, self._show_builds)
        self._actions = BuildActions(desk)
        self._shown: list[Build] = []
        self._described = True
        self._settling = False
        self._online = False
        self._unwatch: Callable[[], None] | None = None

    def body(self) -> Iterable[Widget]:
        """The list; details and log of the build under the cursor."""
        with Container(id="builds-body"):
            with Container(id="builds-list", classes="panel"):
                yield BuildList(self._look(), id="builds")
                yield Static("", markup=False, id="builds-empty", classes="empty")
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
    def list(self) -> BuildList:
        """The table of builds."""
        return self.query_one(BuildList)

    @property
    def place(self) -> str:
        """`builds`, or `builds hero_db`."""
        return f"builds {self.service}".strip()

    @property
    def target(self) -> Target | None:
        """The slot and service of the build under the cursor."""
        build = self.list.build
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
        self._show_builds()

    def tick(self) -> None:
        """Seconds and ages."""
        if self._shown:
            self.list.show(self._shown, self._look())
            self._show_detail()

    def _look(self) -> BuildLook:
        busy = {cell: one.word for cell, one in self.desk.fleet.busy.items()}
        return BuildLook(self.desk.now(), self._feed.timings, busy)

    def _show_builds(self) -> None:
        if not self.ready:
            return
        shown = [self._newest(build) for build in filtered(self._feed.builds, self._filters)]
        if shown != self._shown:
            self._shown = shown
        self.list.show(self._shown, self._look())
        self._show_titles()
        self._show_empty()
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

    def _show_titles(self) -> None:
        builds = self._feed.builds
        counts = [(sum(one.state == state for one in builds), state) for state in ("running", "queued")]
        told = [f"{count} {state}" for count, state in counts if count]
        if self._feed.book.at_once and told:
            told.append(f"at most {self._feed.book.at_once} at once")
        stale = "" if self._online else "not up to date: the box is not connected"
        title = f"builds of {self.service}" if self.service else "builds"
        set_titles(self.query_one("#builds-list"), " · ".join((title, *told)), stale)

    def _show_empty(self) -> None:
        sentence = "" if self._shown else self._sentence()
        empty = self.query_one("#builds-empty", Static)
        empty.display, self.list.display = bool(sentence), not sentence
        self.query_one("#builds-side").display = self._described and not sentence
        empty.update(sentence)

    def _sentence(self) -> str:
        feed = self._feed
        if feed.builds:
            none = f"None of the newest {len(feed.builds)} matches." if feed.book.more else "Nothing matches."
            return f"{none}\n\n{self.desk.key('app.back')} clears the filter."
        if feed.problem:
            return f"{feed.problem.message}\n\n{feed.problem.hint or 'ctrl-r asks again.'}"
        if not feed.known:
            return "Asking the box…" if self._online else "The box is not connected.\n\nTrying again."
        what = f"Nothing of {self.service} was" if self.service else "Nothing was"
        return (
            f"{what} built yet.\n\n{self.desk.key('cell.build')} on a service builds it;\n"
            "`hero_dev hooks install` lets every push build."
        )

    def _show_detail(self) -> None:
        build, panel, pane = self.list.build, self.query_one("#builds-side"), self.query_one(DetailPane)
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
        return self.desk.follow(build.slot, (), FIRST_LINES, build.id)

    @on(BuildList.Highlighted)
    def _moved(self) -> None:
        self._show_detail()
        self.refresh_hints()

    @on(BuildList.EndNear)
    def _wants_more(self) -> None:
        if self._shown or len(self._feed.builds) < LOOKED_THROUGH:
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

    def show_filtered(self) -> None:
        self._show_builds()

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done to the build under the cursor is offered."""
        if not super().check_action(action, parameters):
            return False
        return self._actions.enabled(action, self.list.build if self.ready else None)

    @on(BuildList.Selected)
    def action_build_log(self) -> None:
        """The whole log, on the whole screen."""
        if build := self.list.build:
            self._actions.log(build)

    def action_build_cancel(self) -> None:
        """Stop it."""
        if build := self.list.build:
            self._actions.cancel(build)

    def action_build_again(self) -> None:
        """The same slot, service and branch."""
        if build := self.list.build:
            self._actions.build(build, publish=False)

    def action_build_publish(self) -> None:
        """The same, and publish what it makes."""
        if build := self.list.build:
            self._actions.build(build, publish=True)

    def action_build_copy(self) -> None:
        """Choose what to copy."""
        if build := self.list.build:
            self._actions.copy(build)

    def action_build_link(self) -> None:
        """Ask where the release is, and copy that."""
        if build := self.list.build:
            self.run_worker(self._actions.link(build), name="link", group="link", exclusive=True)

    def action_build_describe(self) -> None:
        """Show or hide details and log."""
        self._described = not self._described
        self._show_builds()
