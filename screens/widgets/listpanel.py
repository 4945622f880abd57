"""A panel with a list of lines, or with the sentence that says why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from screens.widgets.linelist import LineList, Row, Table
from screens.widgets.titles import set_titles


class ListPanel(Container, Generic[Row]):
    """Feed it with `show`; what its list says goes on to the screen."""

    DEFAULT_CSS = """
    ListPanel > .empty { display: none; }
    """

    def __init__(self, table: Table[Row], *, id: str | None = None) -> None:
        super().__init__(id=id, classes="panel")
        self._first = table

    def compose(self) -> ComposeResult:
        """The list and the sentence."""
        yield LineList[Row](self._first)
        yield Static("", markup=False, classes="empty")

    @property
    def list(self) -> LineList[Any]:
        """The list."""
        return self.query_one(LineList)

    def show(self, rows: Sequence[Row], table: Table[Row], titles: tuple[str, str], sentence: str) -> None:
        """These rows under these titles, or where there are none, the sentence."""
        self.list.show(rows, table)
        set_titles(self, *titles)
        empty = self.query_one(Static)
        empty.display, self.list.display = not rows, bool(rows)
        said = "" if rows else sentence
        if str(empty.content) != said:  # each update lays the whole screen out anew
            empty.update(said)
