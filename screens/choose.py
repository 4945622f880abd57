"""Choosing one of a list by typing a part of it: users to peek at, things to copy, the palette."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from screens.widgets.celltext import clean
from screens.widgets.early_keys import type_early
from screens.widgets.picker import FuzzyPicker
from screens.widgets.picker_model import PickerItem


class ChooseDialog(ModalScreen[str | None]):
    """Its result is the key of the chosen item, None after `close`, the key that leaves a picker."""

    CSS_PATH = "../styles/choose.tcss"
    AUTO_FOCUS = "#picker-query"

    def __init__(
        self, title: str, items: Sequence[PickerItem], *, close: str, placeholder: str = "type to search"
    ) -> None:
        super().__init__()
        self._title = clean(title)
        self._items = tuple(items)
        self._close = close
        self._placeholder = placeholder

    def compose(self) -> ComposeResult:
        """The picker in a panel."""
        with Vertical(classes="dialog", id="choose") as panel:
            panel.border_title = self._title
            panel.border_subtitle = f"enter choose · {self._close} close"
            yield FuzzyPicker(placeholder=self._placeholder)

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one(FuzzyPicker).add_items(self._items)

    def on_key(self, event: events.Key) -> None:
        """Take what was typed before the search field had the focus."""
        type_early(self.query_one("#picker-query", Input), event)

    @on(FuzzyPicker.Selected)
    def _chosen(self, event: FuzzyPicker.Selected) -> None:
        self.dismiss(event.item.key)

    @on(FuzzyPicker.Cancelled)
    def _leave(self) -> None:
        self.dismiss(None)
