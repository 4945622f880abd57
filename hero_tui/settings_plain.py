"""What settings.toml says where nothing in it is wrong, read without its schema, for which no frame waits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from styles.themes import DEFAULT, NAMES, own_names

if TYPE_CHECKING:
    from hero_tui.settings import Settings
    from screens.widgets.grid_layout import Density

FILE = "settings.toml"
_LONGEST = 128 * 1024
"""Bytes; of those that people write, the longest is a hundredth of it."""
_CHOICES = {
    "density": ("auto", "full", "compact", "heat"),
    "animations": ("auto", "on", "off"),
    "glyphs": ("auto", "unicode", "ascii"),
    "colours": ("auto", "none"),
}


class Loaded(NamedTuple):
    """What is in force, a sentence with file, line and column for each thing that is not, and where ids stand."""

    settings: Settings
    problems: tuple[str, ...] = ()
    places: Mapping[str, str] = {}


@dataclass(frozen=True)
class Plain:
    """Has what `hero_tui.settings.Settings` has, and the same defaults."""

    theme: str = DEFAULT
    density: str = "auto"
    mouse: bool = True
    read_only: bool = False
    animations: str = "auto"
    glyphs: str = "auto"
    colours: str = "auto"
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def fleet_density(self) -> Density | None:
        """None lets the width decide."""
        return None if self.density == "auto" else cast("Density", self.density)


def settings_path(environment: Mapping[str, str] = os.environ) -> Path:
    """`hero/settings.toml` in the XDG configuration folder."""
    folder = environment.get("XDG_CONFIG_HOME", "")
    base = Path(folder) if folder.startswith("/") else Path.home() / ".config"
    return base / "hero" / FILE


def themes_folder(path: Path) -> Path:
    """Where a person's own themes are, given where the settings are."""
    return path.parent / "themes"


def settings_text(path: Path) -> str:
    """What the file says. Raises OSError, also where it is too long, and UnicodeDecodeError; never waits."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe without a writer would be waited for
    try:
        data = os.read(file, _LONGEST + 1)
    finally:
        os.close(file)
    if len(data) > _LONGEST:
        raise OSError(f"it is longer than {_LONGEST:,} bytes")
    return data.decode("utf-8")


def plain_settings(path: Path) -> Loaded | None:
    """The settings in `path`, the defaults where there is no file; None where something is wrong with it."""
    try:
        text = settings_text(path)
    except FileNotFoundError:
        return Loaded(cast("Settings", Plain()))
    except (OSError, UnicodeDecodeError):
        return None
    return _read(text, path)


def _read(text: str, path: Path) -> Loaded | None:
    import tomllib

    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return None
    if not data.keys() <= {one.name for one in fields(Plain)} or not all(_is_right(*one) for one in data.items()):
        return None
    settings = Plain(**data)
    if settings.theme not in NAMES and settings.theme not in own_names(themes_folder(path)):
        return None
    return Loaded(cast("Settings", settings), (), _places(text, settings, path))


def _is_right(name: str, value: object) -> bool:
    if name == "keys":
        return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    if name in ("mouse", "read_only"):
        return isinstance(value, bool)
    return isinstance(value, str) and value in _CHOICES.get(name, (value,))


def _places(text: str, settings: Plain, path: Path) -> dict[str, str]:
    if not settings.keys:
        return {}
    from backends.model.toml_layout import lay_out

    layout = lay_out(text)
    found = {id_: layout.place(("keys", id_)) for id_ in settings.keys}
    return {id_: f"{path.name}:{place.line}:{place.column}" for id_, place in found.items()}
