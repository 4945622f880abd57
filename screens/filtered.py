"""A screen whose list is narrowed by words typed into a bar, and by switches."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from textual import on

from screens.desk import Desk
from screens.frame import HeroScreen
from screens.widgets.filterbar import FilterBar
from screens.widgets.linelist import LineList, Row
from screens.widgets.list_filters import ListFilters
from screens.widgets.listpanel import ListPanel

F = TypeVar("F", bound=ListFilters)


class FilteredScreen(HeroScreen, Generic[F, Row]):
    """A screen adds a ListPanel and a FilterBar to its body, and `show_rows`."""

    KEPT: ClassVar[tuple[str, ...]] = ("_filters",)

    def __init__(self, desk: Desk, filters: F) -> None:
        super().__init__(desk)
        self._filters = filters

    @property
    def list(self) -> LineList[Row]:
        """The list that is narrowed."""
        return self.query_one(ListPanel).list

    @property
    def row(self) -> Row | None:
        """What is under the cursor."""
        return self.list.row if self.ready else None

    def show_rows(self) -> None:
        """Paint the list as the filters leave it."""
        raise NotImplementedError

    def ask_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(FilterBar).open(self._filters.text)

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):  # a key may still come while it is being closed
            self.narrow(event.value, done=False)

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        self.narrow(event.text, done=True)
        self.list.focus()

    def narrow(self, typed: str, *, done: bool) -> None:
        """Leave what matches `typed`, of which more may come until it is `done`."""
        self._filter(replace(self._filters, text=typed.strip()))

    def only_mine(self, mine: str) -> None:
        """Only the slot `mine`, or all again."""
        if mine:
            self._filter(self._filters.toggled("only_slot", mine))

    def _filter(self, filters: F) -> None:
        self._filters = filters
        self.show_rows()
        self.say(self.note_of_filters)

    @property
    def note_of_filters(self) -> str:
        """What is on, for the status line."""
        return self._filters.says

    def clear(self) -> bool:
        """Esc takes back the filters, one after the other."""
        if not self._filters.any:
            return False
        self._filter(self._filters.widened())
        return True
