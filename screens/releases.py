"""What is published of a service: whether its trunk is fit for everybody, every release, one of them in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual import on
from textual.containers import Container
from textual.widget import Widget

from backends.model.forge import ReleaseInfo
from backends.model.state import Event
from screens.desk import Desk, Target
from screens.filtered import FilteredScreen
from screens.fleet_view import INTEGRATION, Changes
from screens.release_actions import ReleaseActions
from screens.release_feed import ReleaseFeed
from screens.release_gate import ReleaseGate
from screens.widgets.detail import DetailPane, DetailView
from screens.widgets.filterbar import FilterBar
from screens.widgets.linelist import LineList
from screens.widgets.list_filters import ListFilters
from screens.widgets.list_order import next_of
from screens.widgets.listpanel import ListPanel
from screens.widgets.no_answer import no_box
from screens.widgets.release_cells import ReleaseTable
from screens.widgets.release_detail import release_detail
from screens.widgets.release_model import SORTS, Runners, Sort, filtered, ordered, runners_of
from screens.widgets.release_text import branch_ring, empty_sentence, list_titles
from screens.widgets.titles import set_titles

LOOKED_THROUGH = 500
"""Releases that are asked for by themselves for one that a filter leaves."""
GATE_EVERY = 60
"""Seconds after which the box is asked for the gate again: a push that nobody builds is told by no event."""


class ReleasesScreen(FilteredScreen[ListFilters, ReleaseInfo]):
    """The releases of `service`."""

    PLACE = "releases"
    KEPT = (*FilteredScreen.KEPT, "_mark", "_described", "_branch", "_sort")
    CSS_PATH = "../styles/releases.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (180, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, service: str) -> None:
        super().__init__(desk, ListFilters())
        self.service = service
        self._feed = ReleaseFeed(desk, service, self.show_rows)
        self._gate = ReleaseGate(desk, service, id="releases-head")
        self._actions = ReleaseActions(desk, service)
        self._runners = Runners()
        self._shown: Sequence[ReleaseInfo] = ()
        self._sort: Sort = SORTS[0]
        self._ended_on = ""
        self._mark: ReleaseInfo | None = None
        self._described = True
        self._online = False
        self._wanted: set[str] = set()
        self._ticks = 0
        self._unwatch: Callable[[], None] | None = None

    def body(self) -> Iterable[Widget]:
        """The gate, the list, and what is under the cursor."""
        yield self._gate
        with Container(id="releases-body"):
            yield ListPanel[ReleaseInfo](self._table(), id="releases-list")
            with Container(id="releases-side", classes="panel"):
                yield DetailPane(id="releases-detail")
        yield FilterBar(id="releases-filter")

    def on_mount(self) -> None:
        """Listen, then ask."""
        self._unwatch = self.desk.watch_events(self._hear)
        self.query_one(FilterBar).placeholder = "words   !without   =branch, of all that is published"
        self.list.focus()
        super().on_mount()

    def on_unmount(self) -> None:
        """Listen no more."""
        if self._unwatch:
            self._unwatch()

    @property
    def place(self) -> str:
        """`releases hero_db`."""
        return f"releases {self.service}"

    @property
    def _branch(self) -> str:
        return self._feed.branch

    @_branch.setter
    def _branch(self, branch: str) -> None:
        self._feed.choose(branch)

    @property
    def target(self) -> Target | None:
        """The service in my slot."""
        return Target(self.desk.me, self.service)

    # -- what the box tells -----------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        wanted = self._feed.heard(event)
        if wanted and not self._wanted:
            self.call_later(self._settle)
        self._wanted.update(wanted)

    def _settle(self) -> None:
        wanted, self._wanted = self._wanted, set()
        if "settle" in wanted:
            self._feed.settle()
        if "ask" in wanted:
            self._ask_releases()
        if "gate" in wanted:
            self._gate.ask()

    def again(self) -> None:
        """Ask the box, and through it the forge, anew."""
        self._ask_releases()
        self._gate.ask(fresh=True)

    def _ask_releases(self) -> None:
        self.run_worker(self._feed.ask(), name="releases", group="releases", exclusive=True)

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """Ask whenever the box is there again; what slots run may have changed."""
        online = self.desk.fleet.connection == "online"
        if online and not self._online:
            self._ask_releases()
            self._gate.ask()
        elif (INTEGRATION, self.service) in changes.cells:
            self._gate.ask()
        self._online = online
        if changes.shape or any(service == self.service for _, service in changes.cells):
            slots = self.desk.fleet.slots.items()
            cells = [(user, slot.cells[self.service]) for user, slot in slots if self.service in slot.cells]
            self._runners = runners_of(cells)
        self._gate.show(self._runners)
        self.show_rows()

    def tick(self) -> None:
        """Ages; now and then the gate."""
        self._ticks += 1
        if self._ticks % GATE_EVERY == 0 and self._online:
            self._gate.ask()
        self.list.show(self._shown, self._table())
        self._show_detail()

    def _table(self) -> ReleaseTable:
        mark = self._mark.tag if self._mark else ""
        return ReleaseTable(self.desk.now(), self._runners, self.desk.me, mark)

    def show_rows(self) -> None:
        """See `FilteredScreen`."""
        if not self.ready or not self.app.is_running:
            return
        self._shown = ordered(filtered(self._feed.book.releases, self._filters.text), self._sort)
        feed = self._feed
        titles = list_titles(feed.branch, feed.book, feed.problem, self._online, self._sort)
        self.query_one(ListPanel).show(self._shown, self._table(), titles, "" if self._shown else self._sentence())
        self.query_one("#releases-side").display = self._described and bool(self._shown)
        self._show_detail()
        self.refresh_hints()
        if not self._shown and self._filters.any:
            self._wants_more()

    def _sentence(self) -> str:
        feed, key = self._feed, self.desk.key
        keys = {"back": key("app.back"), "branch": key("releases.branch"), "again": key("app.refresh")}
        away = "" if self._online else no_box(self.desk.fleet.why)
        return empty_sentence(self.service, feed.branch, feed.book, feed.problem, away, keys)

    def _show_detail(self) -> None:
        release, pane = self.row, self.query_one(DetailPane)
        if release is None:
            pane.show(DetailView(sentence="Nothing is selected."))
            return
        set_titles(self.query_one("#releases-side"), release.tag)
        pane.show(release_detail(release, self._table()))

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._show_detail()
        self.refresh_hints()

    @on(LineList.EndNear)
    def _wants_more(self) -> None:
        row = self.row
        if row and self._sort != SORTS[0]:
            # Older ones come in above the last line too, and would leave the cursor there to ask for all of them.
            if row.tag == self._ended_on:
                return
            self._ended_on = row.tag
        self.run_worker(self._older(), name="older releases", group="older")

    async def _older(self) -> None:
        """The next page, unless another one has come since it was wanted."""
        looking = not self._shown and len(self._feed.book.releases) < LOOKED_THROUGH
        if looking or self.list.end_near:
            await self._feed.ask_older()

    # -- filters ----------------------------------------------------------------------------------

    def action_release_branch(self) -> None:
        """All branches, the trunk alone, mine alone, and so on."""
        cell = self.desk.fleet.cell(self.desk.me, self.service)
        ring = branch_ring(self.desk.fleet.trunk, cell.branch if cell else "")
        self._choose_branch(next_of(ring, self._feed.branch))

    def _choose_branch(self, branch: str) -> None:
        if branch == self._feed.branch:
            return
        self._ended_on = ""
        self._feed.choose(branch)
        self.show_rows()
        self._ask_releases()

    def action_release_sort(self) -> None:
        """By the next thing, of what is known; older ones are asked for as ever."""
        self._sort, self._ended_on = next_of(SORTS, self._sort), ""
        self.show_rows()

    def action_release_filter(self) -> None:
        """Ask for a filter."""
        self.ask_filter()

    def narrow(self, typed: str, *, done: bool) -> None:
        """What stands after `=` is a branch."""
        names_branch = typed.startswith("=")
        super().narrow("" if names_branch else typed, done=done)
        if names_branch and done:
            self._choose_branch(typed[1:].strip())

    def _filter(self, filters: ListFilters) -> None:
        self._ended_on = ""
        super()._filter(filters)

    @property
    def note_of_filters(self) -> str:
        """With the release to compare with."""
        compared = f"compare with {self._mark.tag}" if self._mark else ""
        return " · ".join(filter(None, (super().note_of_filters, compared)))

    def clear(self) -> bool:
        """Esc takes back filter, mark, branch, one after the other."""
        if super().clear():
            return True
        if self._mark:
            self._set_mark(None)
        elif self._feed.branch:
            self._choose_branch("")
        else:
            return False
        return True

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done with the release under the cursor is offered."""
        if not super().check_action(action, parameters):
            return False
        return self._actions.enabled(action, self.row)

    @on(LineList.Selected)
    def action_release_install(self) -> None:
        """Run it in my slot."""
        if self.row and self._actions.enabled("release_install", self.row):
            self._actions.install(self.row)

    def action_release_follow(self) -> None:
        """Run the newest of its branch in my slot."""
        if self.row:
            self._actions.follow(self.row)

    def action_release_mark(self) -> None:
        """Mark it, or take the mark back."""
        release = self.row
        self._set_mark(None if release and self._mark and self._mark.tag == release.tag else release)

    def _set_mark(self, release: ReleaseInfo | None) -> None:
        self._mark = release
        self.list.show(self._shown, self._table())
        self.say(self.note_of_filters)

    def action_release_compare(self) -> None:
        """The commits between it and the marked one, or else what I run."""
        from screens.compare import CompareScreen

        release = self.row
        pair = self._actions.pair(release, self._mark, self._feed.book.releases) if release else None
        if pair:
            self.app.push_screen(CompareScreen(self.desk, self.service, *pair))

    def action_release_copy(self) -> None:
        """Choose what to copy."""
        if self.row:
            self._actions.copy(self.row)

    def action_release_link(self) -> None:
        """Copy where it is."""
        if self.row:
            self._actions.link(self.row)

    def action_release_builds(self) -> None:
        """The builds of the service, in every slot."""
        self.desk.ways.show_builds(self.service)

    def action_release_describe(self) -> None:
        """Show or hide the details."""
        self._described = not self._described
        self.show_rows()
