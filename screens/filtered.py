"""A screen whose list is narrowed by words typed into a bar, and by switches."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.widget import Widget

from screens.desk import Desk
from screens.frame import HeroScreen
from screens.widgets.filterbar import FilterBar
from screens.widgets.list_filters import ListFilters

F = TypeVar("F", bound=ListFilters)


class FilteredScreen(HeroScreen, Generic[F]):
    """A screen adds a FilterBar to its body, and `list` and `show_filtered`."""

    KEPT: ClassVar[tuple[str, ...]] = ("_filters",)

    def __init__(self, desk: Desk, filters: F) -> None:
        super().__init__(desk)
        self._filters = filters

    @property
    def list(self) -> Widget:
        """The list that is narrowed."""
        raise NotImplementedError

    def show_filtered(self) -> None:
        """Paint the list as the filters leave it."""
        raise NotImplementedError

    def focus_list(self) -> None:
        """Give the list the keys back."""
        self.list.focus()

    def ask_filter(self) -> None:
        """Ask for a filter."""
        self.query_one(FilterBar).open(self._filters.text)

    @on(FilterBar.Changed)
    def _typing(self, event: FilterBar.Changed) -> None:
        if event.input.has_class("-open"):  # a key may still come while it is being closed
            self._filter(replace(self._filters, text=event.value.strip()))

    @on(FilterBar.Closed)
    def _typed(self, event: FilterBar.Closed) -> None:
        self._filter(replace(self._filters, text=event.text.strip()))
        self.focus_list()

    def only_mine(self, mine: str) -> None:
        """Only the slot `mine`, or all again."""
        if mine:
            self._filter(self._filters.toggled("only_slot", mine))

    def _filter(self, filters: F) -> None:
        self._filters = filters
        self.show_filtered()
        self.say(filters.says)

    def clear(self) -> bool:
        """Esc takes back the filters, one after the other."""
        if not self._filters.any:
            return False
        self._filter(self._filters.widened())
        return True
