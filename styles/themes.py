"""The cockpit's themes: TOML files, the ones that come with it and a person's own, as Textual's themes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from textual.app import App
from textual.theme import Theme

from styles.theme_file import ThemeFile, ThemeProblem, read_theme

FOLDER = Path(__file__).parent / "themes"
"""Where the themes are that come with the cockpit."""
DEFAULT = "hero-dark"
NAMES = ("hero-dark", "hero-light", "hero-contrast", "hero-colour-blind", "hero-ansi")
"""The themes that come with the cockpit, in the order in which a key goes through them."""


_ANSI = {"ansi-background": "ansi_black", "ansi-foreground": "ansi_white"}
"""Names that Textual's own sheets use under a theme in the terminal's colours alone."""


@lru_cache(maxsize=len(NAMES))
def built_in(name: str) -> ThemeFile:
    """A theme that comes with the cockpit."""
    return read_theme(FOLDER / f"{name}.toml")


def textual_theme(file: ThemeFile) -> Theme:
    """The file as Textual has it."""
    return Theme(
        name=file.name,
        dark=file.dark,
        ansi=file.ansi,
        variables={**(_ANSI if file.ansi else {}), **file.domain, **file.furniture},
        **file.base,  # type: ignore[arg-type]  # the names are checked when the file is read
    )


def domain_colours(dark: bool) -> dict[str, str]:
    """For `App.get_theme_variable_defaults`: our colour names under a theme that does not know them."""
    return dict(built_in(NAMES[0] if dark else NAMES[1]).domain)


def register(app: App[Any], names: Iterable[str] = NAMES) -> None:
    """Make themes that come with the cockpit known to `app`, and turn the first of them on."""
    wanted = tuple(names)
    for name in wanted:
        app.register_theme(textual_theme(built_in(name)))
    app.theme = wanted[0]


def register_others(app: App[Any]) -> None:
    """Make those themes of the cockpit known to `app` that it does not know by their name yet."""
    for name in NAMES:
        if name not in app.available_themes:
            app.register_theme(textual_theme(built_in(name)))


def register_again(app: App[Any], names: Iterable[str]) -> None:
    """Make those of `names` that come with the cockpit what they are without the file that stood for them."""
    for name in names:
        if name in NAMES:
            app.register_theme(textual_theme(built_in(name)))


def own_names(folder: Path) -> tuple[str, ...]:
    """What the themes in a person's own folder are called; none where it cannot be read."""
    try:
        return tuple(sorted(path.stem for path in folder.glob("*.toml") if path.is_file()))
    except OSError:
        return ()


def register_own(app: App[Any], folder: Path) -> tuple[tuple[str, ...], tuple[ThemeProblem, ...]]:
    """Make the themes of a person's folder known; their names, and what is wrong with those that are not used.

    One that is called like a theme of the cockpit takes its place.
    """
    names, problems = [], []
    for name in own_names(folder):
        try:
            file = read_theme(folder / f"{name}.toml", base=built_in)
        except ThemeProblem as problem:
            problems.append(problem)
            continue
        app.register_theme(textual_theme(file))
        names.append(name)
    return tuple(names), tuple(problems)
