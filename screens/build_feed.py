"""Keeps a screen's builds true: asks the box for a page, then lives by its events; older ones as one scrolls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pydantic import ValidationError

from backends.model.build_calls import BuildListParams, BuildListResult
from backends.model.errors import HeroError
from backends.model.state import Build, Event
from screens.desk import Desk
from screens.widgets.build_model import BuildBook, oldest, ordered, timings, with_answer, with_builds, with_page

PAGE = 100
"""Builds that are asked for at once."""


class BuildFeed:
    """The builds of `service`, or with "" of all; `changed` is called when `told` has set what one sees anew."""

    def __init__(self, desk: Desk, service: str, changed: Callable[[], None]):
        self._desk = desk
        self._service = service
        self._changed = changed
        self._news: list[Build] = []
        self._heard: set[str] = set()
        self._paging = False
        self.book = BuildBook()
        self.builds: list[Build] = []
        self.timings = timings(())
        self.known = False
        """True once the box has answered."""
        self.problem: HeroError | None = None
        """Why the last question was not answered."""

    def newest(self, build: Build) -> Build:
        """As it is known now."""
        return self.book.builds.get(build.id, build)

    def heard(self, event: Event) -> bool:
        """Take in news of a build; True if `settle` should be called before long."""
        if not event.kind.startswith("build."):
            return False
        try:
            build = Build.model_validate(event.data)
        except ValidationError:
            return False
        if self._service and build.service != self._service:
            return False
        self._news.append(build)
        return True

    def settle(self) -> None:
        """Work in what has been heard; a burst of news is one change."""
        news, self._news = self._news, []
        self._heard.update(build.id for build in news)
        self._become(with_builds(self.book, news))

    async def ask(self) -> None:
        """The newest page; what is heard meanwhile is newer than the answer."""
        self.settle()
        self._heard.clear()
        try:
            page = await self._desk.ask_box("build.list", self._params(), BuildListResult)
        except HeroError as error:
            self.problem = error
            self._changed()
            return
        self.settle()
        self.known, self.problem = True, None
        self._become(with_answer(self.book, page, frozenset(self._heard)), always=True)

    async def ask_older(self) -> None:
        """The page before the oldest build that is known, if there is one."""
        last = oldest(self.builds)
        if self._paging or not self.known or not self.book.more or not last:
            return
        self._paging = True
        try:
            page = await self._desk.ask_box("build.list", self._params(last), BuildListResult)
        except HeroError as error:
            self._desk.tell(f"{error.message} {error.hint}".strip(), failed=True)
            return
        finally:
            self._paging = False
        known = len(self.book.builds)
        book = with_page(self.book, page)
        if len(book.builds) == known:  # it would be asked for again and again
            book = replace(book, more=False)
        self._become(book)

    def _params(self, before: str | None = None) -> BuildListParams:
        return BuildListParams(service=self._service or None, limit=PAGE, before=before)

    def _become(self, book: BuildBook, *, always: bool = False) -> None:
        if book is self.book and not always:
            return
        self.book = book
        self.builds = ordered(book)
        self.timings = timings(self.builds)
        self._changed()
