"""The command line that `:` opens: one line at the bottom, with what can follow above it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from screens.widgets.celltext import clean, fit
from screens.widgets.early_keys import type_early
from screens.widgets.rich_colours import rich_colour

SHOWN = 8
Completer = Callable[[str], Sequence[str]]
"""From what is typed to the whole lines that it may become, best first."""


class CommandLine(ModalScreen[str | None]):
    """Its result is the typed line, None after Esc."""

    CSS_PATH = "../styles/command.tcss"
    AUTO_FOCUS = "#command-input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", show=False),
        Binding("tab", "complete(1)", "Complete", show=False, priority=True),
        Binding("shift+tab", "complete(-1)", "Complete", show=False, priority=True),
        Binding("up", "recall(-1)", "Earlier", show=False),
        Binding("down", "recall(1)", "Later", show=False),
    ]

    def __init__(
        self,
        complete: Completer,
        earlier: Sequence[str] = (),
        text: str = "",
        told: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._told = told or {}
        self._complete = complete
        self._earlier = tuple(earlier)
        self._place = len(self._earlier)
        self._text = text
        self._offers: list[str] = []
        self._chosen = -1
        self._base = text

    def compose(self) -> ComposeResult:
        """Completions over the line."""
        with Vertical(id="command"):
            yield Static("", markup=False, id="command-offers")
            with Horizontal(id="command-line"):
                yield Static(":", markup=False, id="command-sign")
                field = Input(self._text, id="command-input", select_on_focus=False)
                field.cursor_blink = False
                yield field

    def on_mount(self) -> None:
        """Offer what there is."""
        self._offer(self._text)

    @on(Input.Changed, "#command-input")
    def _typed(self, event: Input.Changed) -> None:
        if self._chosen < 0 or event.value != self._offers[self._chosen]:
            self._offer(event.value)

    def _offer(self, text: str) -> None:
        self._base, self._chosen = text, -1
        self._offers = list(self._complete(text))[:SHOWN]
        self._show()

    def _show(self) -> None:
        offers = self.query_one("#command-offers", Static)
        offers.display = bool(self._offers)
        offers.update(self._lines())

    def _lines(self) -> Text:
        """What can follow, each with what it does where that is known."""
        wide = max((cell_len(clean(offer)) for offer in self._offers), default=0)
        primary, quiet = rich_colour(self.app, "primary"), rich_colour(self.app, "quiet")
        text = Text(no_wrap=True, overflow="ellipsis")
        for place, offer in enumerate(self._offers):
            chosen = place == self._chosen
            text.append(f"{'▌' if chosen else ' '}{fit(offer, wide)}", style=primary if chosen else "")
            if told := self._told.get(offer.removeprefix("!")):
                text.append(f"  {clean(told)}", style=quiet)
            text.append("\n" if place < len(self._offers) - 1 else "")
        return text

    def action_complete(self, step: int) -> None:
        """Take the next completion."""
        if not self._offers:
            return
        self._chosen = (self._chosen + step) % len(self._offers) if self._chosen >= 0 else 0 if step > 0 else -1
        self._chosen %= len(self._offers)
        self._put(self._offers[self._chosen])
        if len(self._offers) == 1:
            self._offer(self._offers[0] + " ")
            self._put(self._base)
        else:
            self._show()

    def _put(self, text: str) -> None:
        field = self.query_one(Input)
        field.value = text
        field.cursor_position = len(text)

    def action_recall(self, step: int) -> None:
        """An earlier line."""
        self._place = max(0, min(len(self._earlier), self._place + step))
        self._put(self._earlier[self._place] if self._place < len(self._earlier) else "")

    def _submit(self) -> None:
        self.dismiss(self.query_one(Input).value.strip() or None)

    def on_key(self, event: events.Key) -> None:
        """Take what was typed before the line had the focus; Enter, early or not, is taken here."""
        if event.key == "enter":
            event.stop()
            self._submit()
        else:
            type_early(self.query_one(Input), event)

    def action_leave(self) -> None:
        """Nothing."""
        self.dismiss(None)
