"""The commits between two versions of a service: what one would get, or lose, by running the other."""

from __future__ import annotations

from collections.abc import Iterable

from textual import on
from textual.widget import Widget

from backends.model.errors import HeroError
from backends.model.forge import CommitInfo
from backends.model.forge_calls import CompareParams, CompareResult
from screens.desk import Desk, Target
from screens.fleet_view import Changes
from screens.frame import HeroScreen
from screens.widgets.celltext import clean
from screens.widgets.commit_cells import CommitTable
from screens.widgets.linelist import LineList
from screens.widgets.listpanel import ListPanel
from screens.widgets.no_answer import AWAY, no_box, refusal
from screens.widgets.release_text import Version

PAGE = 100
"""Commits that are asked for at once."""


class CompareScreen(HeroScreen):
    """The commits that `newer` has and `older` has not, newest first."""

    PLACE = "compare"
    CSS_PATH = "../styles/releases.tcss"

    def __init__(self, desk: Desk, service: str, older: Version, newer: Version) -> None:
        super().__init__(desk)
        self.service = service
        self._older = older
        self._newer = newer
        self._commits: tuple[CommitInfo, ...] = ()
        self._next_page: int | None = 1
        self._asking = False
        self._problem: HeroError | None = None
        self._online = False

    def body(self) -> Iterable[Widget]:
        """The list, or why there is none."""
        yield ListPanel[CommitInfo](CommitTable(self.desk.now()), id="compare-list")

    def on_mount(self) -> None:
        """Ask."""
        self.list.focus()
        super().on_mount()

    @property
    def list(self) -> LineList[CommitInfo]:
        """The table of commits."""
        return self.query_one(ListPanel).list

    @property
    def place(self) -> str:
        """`compare hero_db`."""
        return f"compare {self.service}"

    @property
    def target(self) -> Target | None:
        """The service in my slot."""
        return Target(self.desk.me, self.service)

    # -- asking -----------------------------------------------------------------------------------

    def again(self) -> None:
        """Ask anew from the first page."""
        self._commits, self._next_page, self._problem = (), 1, None
        self._show_commits()
        self.run_worker(self._load(), name="commits", group="commits", exclusive=True)

    @on(LineList.EndNear)
    def _wants_more(self) -> None:
        if not self._asking:
            self.run_worker(self._more(), name="commits", group="commits", exclusive=True)

    async def _more(self) -> None:
        """The next page, unless another one has come since it was wanted."""
        if self.list.end_near and self._commits:
            await self._load()

    async def _load(self) -> None:
        page = self._next_page
        if page is None:
            return
        self._asking = True
        try:
            found = await self.desk.ask_box(
                "release.compare",
                CompareParams(
                    service=self.service, base=self._older.ref, head=self._newer.ref, page=page, limit=PAGE
                ),
                CompareResult,
            )
        except HeroError as error:
            self._problem = error
            self._show_commits()
            return
        finally:
            self._asking = False
        known = {commit.commit for commit in self._commits}
        fresh = tuple(commit for commit in found.commits if commit.commit not in known)
        self._commits += fresh
        self._next_page = found.next_page if fresh else None
        self._problem = None
        self._show_commits()

    @property
    def _there(self) -> bool:
        """False before the widgets are there, and for an answer that comes while the cockpit is being left."""
        return self.ready and self.app.is_running

    # -- painting ---------------------------------------------------------------------------------

    def show(self, changes: Changes) -> None:
        """Ask whenever the box is there again and nothing is listed yet."""
        online = self.desk.fleet.connection == "online"
        if online and not self._online and not self._commits:
            self.again()
        self._online = online
        self._show_commits()

    def tick(self) -> None:
        """Ages."""
        self.list.show(self._commits, CommitTable(self.desk.now()))

    def _show_commits(self) -> None:
        if not self._there:
            return
        count = f"{len(self._commits):,}{' and more' if self._next_page else ''}"
        many = "" if len(self._commits) == 1 else "s"
        told = f" · {count} commit{many}" if self._commits else ""
        stale = AWAY if self._commits and not self._online else ""
        if self._problem and self._commits:
            stale = f"there are more, but: {self._problem.message}"
        titles = (f"{self._older.name} → {self._newer.name}{told}", stale)
        sentence = "" if self._commits else self._sentence()
        self.query_one(ListPanel).show(self._commits, CommitTable(self.desk.now()), titles, sentence)
        self.refresh_hints()

    def _sentence(self) -> str:
        key = self.desk.key
        if self._next_page is not None and not self._online:
            return no_box(self.desk.fleet.why)
        if self._problem:
            return refusal(self._problem.message, self._problem.hint, key("app.refresh"))
        if self._next_page is not None:
            return "Asking the forge…"
        older, newer = clean(self._older.name), clean(self._newer.name)
        return (
            f"{newer} has no commit that {older} lacks:\nit is the older of the two, or the same.\n\n"
            f"{key('compare.swap')} looks the other way round."
        )

    # -- keys -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to copy without a commit."""
        if not super().check_action(action, parameters):
            return False
        return action != "compare_copy" or bool(self.ready and self.list.row)

    def action_compare_swap(self) -> None:
        """The other direction."""
        self._older, self._newer = self._newer, self._older
        self.again()

    def action_compare_copy(self) -> None:
        """Choose what to copy of the commit."""
        if commit := self.list.row:
            self.desk.copy_one(
                {
                    "commit": commit.commit,
                    "subject": commit.subject,
                    "author": commit.author,
                    "from": self._older.name,
                    "to": self._newer.name,
                }
            )
