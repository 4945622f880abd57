"""The least that a Textual app can be: one text, which counts the keys. What the cockpit is measured against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Static


class Trivial(App[None]):
    """`key 0` and so on."""

    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        """The text."""
        self.count = 0
        self.shown = Static("key 0 .")
        yield self.shown

    def on_key(self, event: Key) -> None:
        """Count."""
        self.count += 1
        self.shown.update(f"key {self.count} .")


if __name__ == "__main__":
    Trivial().run()
