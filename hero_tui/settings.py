"""What a person set in settings.toml: its schema, and how it is read; a mistake in it is told."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from backends.model.errors import nearest
from backends.model.problems import InvalidFile
from backends.model.text import safe_line
from backends.model.tomlfile import Strict, lay_out, parse_plain
from hero_tui.settings_plain import Loaded as Loaded
from hero_tui.settings_plain import settings_path as settings_path
from hero_tui.settings_plain import settings_text as settings_text
from hero_tui.settings_plain import themes_folder as themes_folder
from screens.widgets.grid_layout import Density
from styles.themes import DEFAULT, NAMES, own_names


class Settings(Strict):
    """Everything that settings.toml may say; a name's description is its documentation (docs/settings.md)."""

    theme: str = Field(
        default=DEFAULT,
        description="How the cockpit looks: one of its themes, or one of your own in the folder `themes` beside "
        "this file.",
    )
    density: Literal["auto", "full", "compact", "heat"] = Field(
        default="auto",
        description="How much a cell of the fleet shows. With `auto` the width of the terminal decides.",
    )
    mouse: bool = Field(
        default=True,
        description="Whether clicks and the wheel are for the cockpit. Without, the terminal selects text as it "
        "is used to; it counts from the next start.",
    )
    read_only: bool = Field(
        default=False,
        description="Look, change nothing: what would change something is hidden, and refused before it is sent.",
    )
    animations: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="Whether what moves glides. With `auto` it does on this machine's own terminal, and not over "
        "SSH or mosh, where every frame costs.",
    )
    glyphs: Literal["auto", "unicode", "ascii"] = Field(
        default="auto",
        description="Which signs are drawn. With `auto`: ASCII where the locale or the terminal has no Unicode.",
    )
    colours: Literal["auto", "none"] = Field(
        default="auto",
        description="`none` draws with bold, underline and reverse alone, as `NO_COLOR` in the environment does.",
    )
    keys: Mapping[str, str] = Field(
        default={},
        description="Keys of your own, by an action's id ([keys.md](keys.md) has them all): one, or several with "
        "commas between them.",
    )

    @property
    def fleet_density(self) -> Density | None:
        """None lets the width decide."""
        return None if self.density == "auto" else self.density


def load_settings(path: Path) -> Loaded:
    """The settings in `path`: the defaults where there is no file, and of a wrong one what is right of it."""
    try:
        text = settings_text(path)
    except FileNotFoundError:
        return Loaded(Settings())
    except (OSError, UnicodeDecodeError) as error:
        return Loaded(Settings(), (f"{path} cannot be used: {error}",))
    return read_settings(text, path)


def read_settings(text: str, path: Path) -> Loaded:
    """The settings that `text`, the content of `path`, says."""
    try:
        settings = parse_plain(Settings, text, path.name)
    except InvalidFile as error:
        return Loaded(_usable(text, themes_folder(path)), tuple(str(problem) for problem in error.problems))
    layout = lay_out(text)

    def place(*keys: str) -> str:
        found = layout.place(keys)
        return f"{path.name}:{found.line}:{found.column}"

    places = {id_: place("keys", id_) for id_ in settings.keys}
    if problem := _theme_problem(settings.theme, themes_folder(path)):
        return Loaded(settings.model_copy(update={"theme": DEFAULT}), (f"{place('theme')} {problem}",), places)
    return Loaded(settings, (), places)


def known_themes(folder: Path) -> tuple[str, ...]:
    """The cockpit's themes, then those of a person's folder."""
    return (*NAMES, *(name for name in own_names(folder) if name not in NAMES))


def _theme_problem(theme: str, folder: Path) -> str:
    names = known_themes(folder)
    if theme in names:
        return ""
    close = nearest(theme, names, 1)
    return f"theme: found {safe_line(theme, 40)!r}, expected one of {', '.join(names)}" + (
        f"; did you mean `{close[0]}`?" if close else ""
    )


def _usable(text: str, folder: Path) -> Settings:
    """What of a wrong file is right by itself, name by name."""
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return Settings()
    keys = data.get("keys")
    right = {name: value for name, value in data.items() if name != "keys" and _valid({name: value})}
    if isinstance(keys, dict):
        right["keys"] = {id_: value for id_, value in keys.items() if isinstance(value, str)}
    if right.get("theme", DEFAULT) not in known_themes(folder):
        del right["theme"]
    return Settings.model_validate(right)


def _valid(data: Mapping[str, Any]) -> bool:
    try:
        Settings.model_validate(data)
    except ValidationError:
        return False
    return True
