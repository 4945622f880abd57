"""`hero_tui --settings`: the form of the settings alone, without a box; a theme is seen once it is chosen."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import ClassVar

from textual.binding import Binding, BindingType

from hero_tui.manners import facts_of
from hero_tui.own_app import OwnApp
from hero_tui.preferences import Preferences
from hero_tui.settings import load_settings, settings_path
from screens.settings import SettingsScreen
from styles import themes

_STYLES = Path(themes.__file__).parent


class SettingsApp(OwnApp, inherit_bindings=False):
    """One form."""

    CSS_PATH: ClassVar[list[str | Path]] = [  # type: ignore[assignment]
        _STYLES / "base.tcss",
        _STYLES / "first.tcss",
        _STYLES / "widgets.tcss",
        _STYLES / "frame.tcss",
    ]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "leave", "Quit", priority=True)]

    def __init__(self, path: Path) -> None:
        super().__init__()
        facts = facts_of(os.environ, sys.stderr.encoding)
        self.preferences = Preferences(self, self, load_settings(path), facts, path)
        self.preferences.begin()

    def on_mount(self) -> None:
        """The form, and nothing after it."""
        self.push_screen(SettingsScreen(self.preferences.book()), lambda _: self.exit(0))
        self.run_worker(self.preferences.follow(), name="settings")

    def tell_of_settings(self, sentence: str) -> None:
        """A toast."""
        self.notify(sentence, severity="error", markup=False)

    def look_only(self, on: bool) -> bool:
        """There is nothing here that could be changed."""
        return True

    def action_leave(self) -> None:
        """Quit."""
        self.exit(0)


def open_form() -> int:
    """Show the form until the person leaves; the exit code."""
    app = SettingsApp(settings_path())
    return app.run(mouse=app.preferences.settings.mouse) or 0
