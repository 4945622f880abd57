"""A person's settings, keys and themes in force: taken at the start, and again whenever their files change."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from textual.app import App
from textual.filter import LineFilter, Monochrome

from backends.model.errors import HeroError
from hero_tui import own_keys
from hero_tui.manners import Facts, Manners, manners_of
from hero_tui.settings_plain import themes_folder
from screens.frame import HeroScreen
from screens.line_filters import AsciiOnly, NoColours
from screens.widgets.grid import FleetGrid
from styles import themes

if TYPE_CHECKING:
    from hero_tui.settings import Settings
    from hero_tui.settings_book import SettingsBook
    from hero_tui.settings_plain import Loaded

_LOUD = ("cursor", "match-ground", "block-cursor-background", "scrollbar")
"""Colours whose ground says something by itself, so that it must be seen without colours, too."""


class Dressed(Protocol):
    """An app that wears them."""

    def look_only(self, on: bool) -> bool:
        """Look only from now on, or change things again; False where that may not be."""

    def tell_of_settings(self, sentence: str) -> None:
        """Say what is wrong with them."""


class Preferences:
    """The settings of one app. `path` is their file; without one nothing is read again or written."""

    def __init__(self, app: App[int], wearer: Dressed, loaded: Loaded, facts: Facts, path: Path | None) -> None:
        self._app = app
        self._wearer = wearer
        self._facts = facts
        self._path = path
        self.settings = loaded.settings
        self.table, clashes = own_keys.overridden(self.settings.keys, loaded.places)
        self.by_id = {entry.id: entry for entry in self.table}
        self.problems = (*loaded.problems, *clashes)
        self.themes: tuple[str, ...] = themes.NAMES
        self._own_themes: tuple[str, ...] = ()
        self._wrong_themes: tuple[str, ...] = ()
        self._book: SettingsBook | None = None
        self._seen: list[tuple[str, int, int, int]] = []
        self._filters: tuple[LineFilter, ...] = ()
        self._dressed = ""

    @property
    def manners(self) -> Manners:
        """What the terminal and the settings make of how the cockpit behaves."""
        return manners_of(self._facts, self.settings)

    def filters(self, usual: Sequence[LineFilter]) -> Sequence[LineFilter]:
        """What is done to each line before it is sent; Textual's greys are no answer to NO_COLOR."""
        if self._dressed != self._app.theme:
            self._make_filters()
        return (
            (*(one for one in usual if not isinstance(one, Monochrome)), *self._filters)
            if self._filters
            else usual
        )

    # -- taking them ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Have the app look and answer as the settings say, before it is shown."""
        first = self.settings.theme if self.settings.theme in themes.NAMES else themes.DEFAULT
        themes.register(self._app, (first,))
        self._take_own_themes()
        if self.settings.theme in self.themes:
            self._app.theme = self.settings.theme
        self._dress()

    def _dress(self) -> None:
        app, manners = self._app, self.manners
        app.animation_level = "basic" if manners.animated else "none"
        app.set_keymap(own_keys.keymap(self.table))
        self._make_filters()

    def _make_filters(self) -> None:
        """The filters for the theme that is on: which grounds are loud is its matter."""
        self._dressed, manners = self._app.theme, self.manners
        theme = self._app.current_theme
        grounds = [theme.primary, theme.error, theme.warning, *(theme.variables.get(name) for name in _LOUD)]
        colourless = (NoColours(ground for ground in grounds if ground),) if manners.colourless else ()
        self._filters = (*colourless, *((AsciiOnly(),) if manners.ascii else ()))

    def _take_own_themes(self) -> None:
        if self._path is None:
            return
        folder = themes_folder(self._path)
        there = set(themes.own_names(folder))
        themes.register_again(self._app, set(self._own_themes) - there)
        own, wrong = themes.register_own(self._app, folder)
        self._own_themes = (*own, *(name for name in self._own_themes if name in there.difference(own)))
        self.themes = (*themes.NAMES, *(name for name in self._own_themes if name not in themes.NAMES))
        self._wrong_themes = tuple(str(one) for one in wrong)
        self.problems = (*self.problems, *self._wrong_themes)

    # -- live -------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Take the files again whenever they change."""
        from hero_tui.watching import changes

        themes.register_others(self._app)  # reading them all would keep the first frame waiting
        if self._path is None:
            return
        self._seen = self._looks()
        try:
            async for _ in changes((self._path.parent, themes_folder(self._path))):
                if self._seen != self._looks():
                    self.reload()
        except HeroError as error:
            self._wearer.tell_of_settings(f"Changes of settings.toml are not seen. {error}")

    def _looks(self) -> list[tuple[str, int, int, int]]:
        """How the files look from outside. Where there are none yet, all that happens in a home is told."""
        assert self._path is not None
        folder, found = themes_folder(self._path), []
        for path in (self._path, *(folder / f"{name}.toml" for name in themes.own_names(folder))):
            with contextlib.suppress(OSError):
                told = path.stat()
                found.append((path.name, told.st_ino, told.st_size, told.st_mtime_ns))
        return found

    def reload(self) -> None:
        """Take the files as they are now; of wrong ones nothing, and what was in force stays."""
        assert self._path is not None
        from hero_tui.settings import load_settings

        self._seen = self._looks()
        loaded = load_settings(self._path)
        table, clashes = own_keys.overridden(loaded.settings.keys, loaded.places)
        told, before = self.problems, self.settings
        self.problems = (*loaded.problems, *clashes)
        if not self.problems:
            self.settings, self.table = loaded.settings, table
            self.by_id = {entry.id: entry for entry in table}
        own = set(self._own_themes)
        self._take_own_themes()
        if self.settings != before:
            self._take(before)
        if self.settings.theme in set(self._own_themes) - own:
            self._app.theme = self.settings.theme  # it was wanted before it was right
        self._dress()
        if self._app.theme in own.union(self._own_themes):
            self._app.mutate_reactive(App.theme)  # its file may say something else now
        self.refresh()
        if self._book is not None:
            self._book.tell()
        if self.problems and self.problems != told:
            self._wearer.tell_of_settings(f"{self.problems[0]}\nWhat was in force stays.")

    def _take(self, before: Settings) -> None:
        """Act upon settings that are others now."""
        app, now = self._app, self.settings
        if now.theme != before.theme and now.theme in self.themes:
            app.theme = now.theme
        if now.density != before.density:
            for grid in app.screen_stack[0].query(FleetGrid):
                grid.set_density(now.fleet_density)
        if now.read_only != before.read_only:
            self._wearer.look_only(now.read_only)

    def refresh(self) -> None:
        """Keys and colours may be others now."""
        for screen in self._app.screen_stack:
            screen.refresh(layout=True)
            if isinstance(screen, HeroScreen):
                screen.refresh_frame()
        self._app.refresh_bindings()

    def book(self) -> SettingsBook:
        """The settings for their form."""
        from hero_tui.settings_book import SettingsBook

        self._book = SettingsBook(self._path, self.reload, lambda: self._wrong_themes)
        return self._book
