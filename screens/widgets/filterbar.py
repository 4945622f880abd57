"""The line that `/` opens: what is typed filters at once, Enter keeps it, Esc takes it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FilterBar(Input):
    """Hidden until `open`; while it is open every change is told by `Changed`, as by any Input."""

    DEFAULT_CSS = """
    FilterBar { display: none; }
    FilterBar.-open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Back", id="filter.back", show=False),
    ]

    @dataclass
    class Closed(Message):
        """The bar is closed; `text` is the filter that counts now, `kept` is False after Esc."""

        bar: FilterBar
        text: str
        kept: bool

    def __init__(
        self, hint: str = "words   !without   -f letters", *, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(placeholder=hint, id=id, classes=classes, select_on_focus=False)
        self.cursor_blink = False
        self._before = ""

    def open(self, text: str = "") -> None:
        """Show the bar with `text` in it and take the keys."""
        self._before = text
        self.value = text
        self.cursor_position = len(text)
        self.add_class("-open")
        self.focus()

    def action_give_up(self) -> None:
        """Close, and have the filter that was there before."""
        self._close(self._before, False)

    async def action_submit(self) -> None:
        """Close, and keep what was typed."""
        self._close(self.value, True)

    def _close(self, text: str, kept: bool) -> None:
        self.remove_class("-open")
        self.post_message(self.Closed(self, text, kept))
