"""Keeps a screen's releases true: a page of them, older ones as one scrolls, news as it comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pydantic import ValidationError

from backends.model.errors import HeroError
from backends.model.forge import ReleaseInfo
from backends.model.forge_calls import ReleaseListParams, ReleaseListResult
from backends.model.state import Event
from screens.desk import Desk
from screens.fleet_view import INTEGRATION
from screens.widgets.release_model import ReleaseBook, with_first_page, with_news, with_page

PAGE = 50
"""Releases that are asked for at once."""
_BARREN = 3
"""Pages with nothing new after each other after which no more are asked for."""


class ReleaseFeed:
    """The releases of `service`, of one branch or with "" of all; `changed` is called when they differ."""

    def __init__(self, desk: Desk, service: str, changed: Callable[[], None]):
        self._desk = desk
        self._service = service
        self._changed = changed
        self._books: dict[str, ReleaseBook] = {}
        self._news: list[ReleaseInfo] = []
        self._paging = False
        self._barren = 0
        self.branch = ""
        self.problem: HeroError | None = None
        """Why the last question was not answered."""

    @property
    def book(self) -> ReleaseBook:
        """What is known of the branch; before it was asked for, what is known of it from others."""
        if self.branch in self._books:
            return self._books[self.branch]
        known = self._books.get("", ReleaseBook()).releases
        return ReleaseBook(tuple(release for release in known if release.branch == self.branch))

    def choose(self, branch: str) -> None:
        """Have the releases of `branch` from now on; `ask` fetches them."""
        self.branch, self.problem, self._barren = branch, None, 0

    def heard(self, event: Event) -> Sequence[str]:
        """Take in an event; what should be done before long: `settle`, `ask`, `gate`."""
        service = self._service
        if event.kind.startswith("build.") and event.slot == INTEGRATION and event.data.get("service") == service:
            return ("gate",)
        if event.kind != "release.published":
            return ()
        if event.subject == service:  # a slot tells that it has published; the box tells what, a little later
            return ("ask", "gate")
        services = event.data.get("services")
        if not isinstance(services, list | tuple) or service not in services:
            return ()
        try:
            self._news.append(ReleaseInfo.model_validate(event.data.get("release")))
        except ValidationError:
            return ("ask", "gate")
        return ("settle", "gate")

    def settle(self) -> None:
        """Work in what has been heard; a burst of news is one change."""
        news, self._news = self._news, []
        before = self.book
        for branch, book in self._books.items():
            mine = [release for release in news if branch in ("", release.branch)]
            self._books[branch] = with_news(book, mine)
        if self.book != before:
            self._changed()

    async def ask(self) -> None:
        """The newest page."""
        branch = self.branch
        try:
            params = ReleaseListParams(service=self._service, branch=branch or None, limit=PAGE)
            page = await self._desk.ask_box("release.list", params, ReleaseListResult)
        except HeroError as error:
            if branch == self.branch:
                self.problem = error
                self._changed()
            return
        self._books[branch] = with_first_page(self._books.get(branch, ReleaseBook()), page)
        self.settle()
        if branch == self.branch:
            self.problem, self._barren = None, 0
            self._changed()

    async def ask_older(self) -> None:
        """The next page, if there is one."""
        branch, book = self.branch, self.book
        if self._paging or not book.known or book.next_page is None:
            return
        self._paging = True
        try:
            params = ReleaseListParams(
                service=self._service, branch=branch or None, page=book.next_page, limit=PAGE
            )
            page = await self._desk.ask_box("release.list", params, ReleaseListResult)
        except HeroError as error:
            self._desk.tell(f"{error.message} {error.hint}".strip(), failed=True)
            return
        finally:
            self._paging = False
        self._books[branch] = self._fruitful(self._books[branch], with_page(self._books[branch], page))
        if branch == self.branch:
            self._changed()

    def _fruitful(self, before: ReleaseBook, book: ReleaseBook) -> ReleaseBook:
        """The book without a next page where one page after the other has told nothing new."""
        self._barren = self._barren + 1 if len(book.releases) == len(before.releases) else 0
        return replace(book, next_page=None) if self._barren >= _BARREN else book
