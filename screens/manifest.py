"""A file of the slot to read: its manifest, with comments and tables told apart."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from backends.model.text import safe_text
from screens.widgets.celltext import clean
from screens.widgets.rich_colours import rich_colour


class ManifestDialog(ModalScreen[None]):
    """Read-only text."""

    CSS_PATH = "../styles/manifest.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,y", "close", "Close", show=False),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
        Binding("ctrl+d", "scroll(12)", "Down", show=False),
        Binding("ctrl+u", "scroll(-12)", "Up", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = clean(title)
        self._text = safe_text(text)

    def compose(self) -> ComposeResult:
        """The text in a panel."""
        with Vertical(classes="dialog", id="manifest") as panel:
            panel.border_title = self._title
            panel.border_subtitle = "esc close"
            with VerticalScroll(id="manifest-scroll"):
                yield Static("", markup=False, id="manifest-text")

    def on_mount(self) -> None:
        """Colour it."""
        self.query_one("#manifest-text", Static).update(self._coloured())

    def _coloured(self) -> Text:
        quiet, primary, secondary = (rich_colour(self.app, name) for name in ("quiet", "primary", "secondary"))
        text = Text()
        for line in self._text.splitlines():
            bare = line.strip()
            key, equals, value = line.partition("=")
            if bare.startswith("#"):
                text.append(line, style=quiet)
            elif bare.startswith("["):
                text.append(line, style=f"bold {primary}")
            elif equals:
                code, mark, comment = value.partition(" #")
                text.append(key, style=secondary)
                text.append(f"={code}")
                text.append(mark + comment, style=quiet)
            else:
                text.append(line)
            text.append("\n")
        return text

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Move the text."""
        self.query_one("#manifest-scroll").scroll_relative(y=lines, animate=False)
