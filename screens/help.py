"""The keys that work on the screen it was opened from, told by the bindings that are live there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from screens.widgets.celltext import clean, fit
from screens.widgets.glyphs import UNICODE
from screens.widgets.rich_colours import rich_colour

_TITLES = {
    "any": "everywhere",
    "cell": "on a service",
    "fleet": "the fleet",
    "slot": "the slot",
    "builds": "the builds",
    "releases": "the releases",
    "compare": "the commits",
    "grid": "moving",
    "list": "moving",
    "log": "the log",
    "logs": "the log's lines",
}
_KEYS = 15


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """Keys as a person reads them, what they do, and which part of the screen they belong to."""

    keys: str
    help: str
    context: str


class HelpDialog(ModalScreen[None]):
    """Closes with the key that opened it."""

    CSS_PATH = "../styles/help.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close", "Close", show=False),
        Binding("j", "scroll(3)", "Down", show=False),
        Binding("k", "scroll(-3)", "Up", show=False),
    ]

    def __init__(self, place: str, entries: Sequence[HelpEntry]) -> None:
        super().__init__()
        self._place = place
        self._entries = tuple(entries)

    def compose(self) -> ComposeResult:
        """Two columns of keys over the signs."""
        with Vertical(classes="dialog", id="help") as panel:
            panel.border_title = f"keys · {clean(self._place)}"
            panel.border_subtitle = "every key can be changed in settings.toml · esc close"
            with VerticalScroll(id="help-scroll"):
                yield Static("", markup=False, id="help-keys")
                yield Static("", markup=False, id="help-signs")

    def on_mount(self) -> None:
        """Write it in the theme's colours."""
        self.query_one("#help-signs", Static).update(self._signs())

    def on_resize(self) -> None:
        """One column or two."""
        self.call_after_refresh(self._write)

    def _write(self) -> None:
        width = self.query_one("#help-scroll").size.width - 2
        self.query_one("#help-keys", Static).update(self._keys(width))

    def _colour(self, name: str) -> str:
        return rich_colour(self.app, name)

    def _keys(self, width: int) -> Text:
        blocks = []
        order = {context: place for place, context in enumerate(_TITLES)}
        entries = sorted(self._entries, key=lambda entry: (order.get(entry.context, len(order)), entry.context))
        for context, group in groupby(entries, key=lambda entry: entry.context):
            lines = [(_TITLES.get(context, context), ""), *((entry.keys, entry.help) for entry in group), ("", "")]
            blocks.append(lines)
        columns = 2 if width >= 100 else 1
        return self._lay(blocks, columns, width // columns)

    def _lay(self, blocks: list[list[tuple[str, str]]], columns: int, width: int) -> Text:
        """The blocks in columns of about equal height."""
        total = sum(len(block) for block in blocks)
        sides: list[list[tuple[str, str]]] = [[]]
        for block in blocks:
            if sides[-1] and len(sides) < columns and len(sides[-1]) + len(block) // 2 > total / columns:
                sides.append([])
            sides[-1] += block
        text = Text()
        for row in range(max(map(len, sides))):
            for side in sides:
                keys, help_ = side[row] if row < len(side) else ("", "")
                if keys and not help_:
                    text.append(fit(keys, width), style=f"bold {self._colour('foreground')}")
                else:
                    text.append(f" {fit(keys, _KEYS)}", style=self._colour("primary"))
                    text.append(fit(help_, width - _KEYS - 1), style=self._colour("quiet"))
            text.append("\n")
        return text

    def _signs(self) -> Text:
        text = Text()
        for group, title in (("health", "health"), ("drift", "drift"), ("build", "build")):
            text.append(fit(title, 8), style="bold")
            for state, sign in getattr(UNICODE, group).items():
                text.append(f"{sign} ", style=self._colour(f"{group}-{state}") or self._colour("quiet"))
                text.append(f"{state}  ", style=self._colour("quiet"))
            text.append("\n")
        return text

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Move the text."""
        self.query_one("#help-scroll").scroll_relative(y=lines, animate=False)
