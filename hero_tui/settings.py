"""What a person set in settings.toml; a mistake in it is told in the cockpit and leaves the defaults in force."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from backends.model.errors import nearest
from screens.widgets.grid_layout import Density

THEMES = ("hero-dark", "hero-light")


@dataclass(frozen=True, slots=True)
class Settings:
    """`theme`; `density` of the fleet, "auto" lets the width decide; `keys` by action id; `mouse`.

    `problems` are sentences about what could not be used.
    """

    theme: str = "hero-dark"
    density: Density | None = None
    mouse: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def settings_path(environment: Mapping[str, str] = os.environ) -> Path:
    """`hero/settings.toml` in the XDG configuration folder."""
    folder = environment.get("XDG_CONFIG_HOME", "")
    base = Path(folder) if folder.startswith("/") else Path.home() / ".config"
    return base / "hero" / "settings.toml"


def load_settings(path: Path) -> Settings:
    """The settings in `path`; the defaults where there is no file."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Settings(problems=(f"{path} cannot be used: {error}",))
    return _checked(data, path)


def _checked(data: Mapping[str, Any], path: Path) -> Settings:
    known = ("theme", "density", "mouse", "keys")
    problems = []
    for name in data:
        if name not in known:
            close = nearest(name, known)
            problems.append(f"unknown setting {name!r}" + (f", did you mean {close[0]}?" if close else ""))
    theme, density, mouse = data.get("theme", "hero-dark"), data.get("density", "auto"), data.get("mouse", True)
    if theme not in THEMES:
        problems.append(f"theme is {theme!r}, not one of {', '.join(THEMES)}")
        theme = "hero-dark"
    if density != "auto" and density not in get_args(Density):
        problems.append(f"density is {density!r}, not one of auto, {', '.join(get_args(Density))}")
        density = "auto"
    if not isinstance(mouse, bool):
        problems.append("mouse is neither true nor false")
        mouse = True
    keys = data.get("keys", {})
    if not isinstance(keys, dict) or not all(isinstance(value, str) for value in keys.values()):
        problems.append('keys is not a table of action = "keys"')
        keys = {}
    return Settings(
        theme=theme,
        density=None if density == "auto" else density,
        mouse=mouse,
        keys=keys,
        problems=tuple(f"{path.name}: {problem}" for problem in problems),
    )
