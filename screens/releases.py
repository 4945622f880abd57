"""What is published of a service: whether its trunk is fit for everybody, every release, one of them in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from textual import on
from textual.containers import Container
from textual.widget import Widget

from backends.model.state import Event, ReleaseInfo
from screens.desk import INTEGRATION, Changes, Desk, Target
from screens.frame import HeroScreen
from screens.release_actions import ReleaseActions
from screens.release_feed import GateFeed, ReleaseFeed
from screens.widgets.detail import DetailPane, DetailView
from screens.widgets.filterbar import FilterBar
from screens.widgets.gateline import GateLine, gate_lines
from screens.widgets.linelist import LineList
from screens.widgets.list_order import next_of
from screens.widgets.listpanel import ListPanel
from screens.widgets.release_cells import ReleaseTable
from screens.widgets.release_detail import release_detail
from screens.widgets.release_model import SORTS, Runners, Sort, filtered, ordered, runners_of
from screens.widgets.release_text import branch_ring, empty_sentence, list_titles, running_parts
from screens.widgets.titles import set_titles

LOOKED_THROUGH = 500
"""Releases that are asked for by themselves for one that a filter leaves."""
GATE_EVERY = 60
"""Seconds after which the box is asked for the gate again: a push that nobody builds is told by no event."""


class ReleasesScreen(HeroScreen):
    """The releases of `service`."""

    PLACE = "releases"
    KEPT = ("_filter_text", "_mark", "_described", "_branch", "_sort")
    CSS_PATH = "../styles/releases.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (180, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-low"), (32, "-high")]  # noqa: RUF012

    def __init__(self, desk: Desk, service: str) -> None:
        super().__init__(desk)
        self.service = service
        self._feed = ReleaseFeed(desk, service, self._show_releases)
        self._gate = GateFeed(desk, service, self._show_gate)
        self._actions = ReleaseActions(desk, service)
        self._runners = Runners()
        self._shown: Sequence[ReleaseInfo] = ()
        self._filter_text = ""
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
        with Container(id="releases-head", classes="panel"):
            yield GateLine(id="gate")
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
    def list(self) -> LineList[ReleaseInfo]:
        """The table of releases."""
        return self.query_one(ListPanel).list

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
            self._ask_gate()

    def again(self) -> None:
        """Ask the box, and through it the forge, anew."""
        self._ask_releases()
        self._ask_gate(fresh=True)

    def _ask_releases(self) -> None:
        self.run_worker(self._feed.ask(), name="releases", group="releases", exclusive=True)

    def _ask_gate(self, *, fresh: bool = False) -> None:
        self.run_worker(self._gate.ask(fresh=fresh), name="gate", group="gate")

    @property
    def _there(self) -> bool:
        """False before the widgets are there, and for an answer that comes while the cockpit is being left."""
        return self.ready and self.app.is_running

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """Ask whenever the box is there again; what slots run may have changed."""
        online = self.desk.fleet.connection == "online"
        if online and not self._online:
            self._ask_releases()
            self._ask_gate()
        elif (INTEGRATION, self.service) in changes.cells:
            self._ask_gate()
        self._online = online
        if changes.shape or any(service == self.service for _, service in changes.cells):
            slots = self.desk.fleet.slots.items()
            cells = [(user, slot.cells[self.service]) for user, slot in slots if self.service in slot.cells]
            self._runners = runners_of(cells)
        self._show_gate()
        self._show_releases()

    def tick(self) -> None:
        """Ages; now and then the gate."""
        self._ticks += 1
        if self._ticks % GATE_EVERY == 0 and self._online:
            self._ask_gate()
        self.list.show(self._shown, self._table())
        self._show_detail()

    def _table(self) -> ReleaseTable:
        mark = self._mark.tag if self._mark else ""
        return ReleaseTable(self.desk.now(), self._runners, self.desk.me, mark)

    def _show_gate(self) -> None:
        if not self._there:
            return
        gate, line = self._gate.gate, self.query_one(GateLine)
        line.show([*gate_lines(gate, self._gate.problem), running_parts(self._runners, line.size.width)])
        trunk = f"{gate.branch} {gate.commit[:8]}" if gate else self.desk.fleet.trunk
        set_titles(self.query_one("#releases-head"), f"gate of {self.service} · {trunk}".rstrip(" ·"))

    def _show_releases(self) -> None:
        if not self._there:
            return
        shown = ordered(filtered(self._feed.book.releases, self._filter_text), self._sort)
        if shown != self._shown:
            self._shown = shown
        feed = self._feed
        titles = list_titles(feed.branch, feed.book, feed.problem, self._online, self._sort)
        self.query_one(ListPanel).show(self._shown, self._table(), titles, "" if self._shown else self._sentence())
        self.query_one("#releases-side").display = self._described and bool(self._shown)
        self._show_detail()
        self.refresh_hints()
        if not self._shown and self._filter_text:
            self._wants_more()

    def _sentence(self) -> str:
        feed, key = self._feed, self.desk.key
        keys = {"back": key("app.back"), "branch": key("releases.branch"), "again": key("app.refresh")}
        return empty_sentence(self.service, feed.branch, feed.book, feed.problem, self._online, keys)

    def _show_detail(self) -> None:
        release, pane = self.list.row, self.query_one(DetailPane)
        if release is None:
            pane.show(DetailView(sentence="Nothing is selected."))
            return
        set_titles(self.query_one("#releases-side"), release.tag)
        pane.show(release_detail(release, self._table()))

    def on_resize(self) -> None:
        """The gate's lines have another length."""
        if self.ready:
            self.call_after_refresh(self._show_gate)

    @on(LineList.Highlighted)
    def _moved(self) -> None:
        self._show_detail()
        self.refresh_hints()

    @on(LineList.EndNear)
    def _wants_more(self) -> None:
        row = self.list.row
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
        place = ring.index(self._feed.branch) if self._feed.branch in ring else -1
        self._choose_branch(ring[(place + 1) % len(ring)])

    def _choose_branch(self, branch: str) -> None:
        if branch == self._feed.branch:
            return
        self._ended_on = ""
        self._feed.choose(branch)
        self._show_releases()
        self._ask_releases()

    def action_release_sort(self) -> None:
        """By the next thing, of what is known; older ones are asked for as ever."""
        self._sort, self._ended_on = next_of(SORTS, self._sort), ""
        self._show_releases()

    def action_release_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(FilterBar).open(self._filter_text)

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):  # a key may still come while it is being closed
            self._filter("" if event.value.startswith("=") else event.value)

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        branch = event.text.strip().removeprefix("=").strip() if event.text.startswith("=") else None
        self._filter(event.text if branch is None else "")
        self.list.focus()
        if branch is not None:
            self._choose_branch(branch)

    def _filter(self, text: str) -> None:
        self._filter_text, self._ended_on = text.strip(), ""
        self._show_releases()
        self._say_filters()

    def _say_filters(self) -> None:
        notes = [f"/{self._filter_text}"] if self._filter_text else []
        notes += [f"compare with {self._mark.tag}"] if self._mark else []
        self.say(" · ".join(notes))

    def clear(self) -> bool:
        """Esc takes back filter, mark, branch, one after the other."""
        if self._filter_text:
            self._filter("")
        elif self._mark:
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
        return self._actions.enabled(action, self.list.row if self.ready else None)

    @on(LineList.Selected)
    def action_release_install(self) -> None:
        """Run it in my slot."""
        release = self.list.row
        if release and self._actions.enabled("release_install", release):
            self._actions.install(release)

    def action_release_follow(self) -> None:
        """Run the newest of its branch in my slot."""
        if release := self.list.row:
            self._actions.follow(release)

    def action_release_mark(self) -> None:
        """Mark it, or take the mark back."""
        release = self.list.row
        self._set_mark(None if release and self._mark and self._mark.tag == release.tag else release)

    def _set_mark(self, release: ReleaseInfo | None) -> None:
        self._mark = release
        self.list.show(self._shown, self._table())
        self._say_filters()

    def action_release_compare(self) -> None:
        """The commits between it and the marked one, or else what I run."""
        from screens.compare import CompareScreen

        release = self.list.row
        pair = self._actions.pair(release, self._mark, self._feed.book.releases) if release else None
        if pair:
            self.app.push_screen(CompareScreen(self.desk, self.service, *pair))

    def action_release_copy(self) -> None:
        """Choose what to copy."""
        if release := self.list.row:
            self._actions.copy(release)

    def action_release_link(self) -> None:
        """Copy where it is."""
        if release := self.list.row:
            self._actions.link(release)

    def action_release_builds(self) -> None:
        """The builds of the service, in every slot."""
        self.desk.show_builds(self.service)

    def action_release_describe(self) -> None:
        """Show or hide the details."""
        self._described = not self._described
        self._show_releases()
