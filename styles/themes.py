"""The cockpit's two themes, and the domain colours that any other theme gets by default."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.theme import Theme

DARK_COLOURS: dict[str, str] = {
    "health-healthy": "#63c385",
    "health-starting": "#e3b95b",
    "health-unhealthy": "#ee8f4d",
    "health-crashed": "#f2637e",
    "health-stopped": "#8a97b0",
    "health-unknown": "#9a8fc4",
    "drift-current": "#56627a",
    "drift-behind": "#6cabf5",
    "drift-modified": "#d59ae6",
    "drift-missing": "#f2637e",
    "drift-pinned": "#5cc2c9",
    "source-release": "#8a97b0",
    "source-build": "#c8a06e",
    "source-hash": "#5cc2c9",
    "build-queued": "#8a97b0",
    "build-running": "#e3b95b",
    "build-succeeded": "#57a875",
    "build-failed": "#f2637e",
    "quiet": "#8a97b0",
    "faint": "#475168",
    "rule": "#2a3345",
    "stripe": "#151b27",
    "pinned": "#182132",
    "cursor": "#1e3950",
    "cursor-blurred": "#212a3a",
    "mark": "#4fc3d7",
    "match": "#ffd76a",
    "match-ground": "#4a3d16",
    "series-1": "#6cabf5",
    "series-2": "#63c385",
    "series-3": "#e3b95b",
    "series-4": "#d59ae6",
    "series-5": "#5cc2c9",
    "series-6": "#ee8f4d",
    "series-7": "#f08fb0",
    "series-8": "#a3b36b",
}
"""Domain variables for dark grounds: run state, drift, source, build, and the quiet furniture."""

LIGHT_COLOURS: dict[str, str] = {
    "health-healthy": "#17713a",
    "health-starting": "#845600",
    "health-unhealthy": "#a34a06",
    "health-crashed": "#c11d42",
    "health-stopped": "#596375",
    "health-unknown": "#6652a3",
    "drift-current": "#98a1b0",
    "drift-behind": "#1f63c0",
    "drift-modified": "#8a34a8",
    "drift-missing": "#c11d42",
    "drift-pinned": "#0a6d78",
    "source-release": "#566073",
    "source-build": "#8a5a16",
    "source-hash": "#0a6d78",
    "build-queued": "#596375",
    "build-running": "#845600",
    "build-succeeded": "#27734a",
    "build-failed": "#c11d42",
    "quiet": "#566073",
    "faint": "#a9b1be",
    "rule": "#d5dae2",
    "stripe": "#f0f2f6",
    "pinned": "#e9eef6",
    "cursor": "#d3e9f1",
    "cursor-blurred": "#e2e7ee",
    "mark": "#0b6f84",
    "match": "#5b4300",
    "match-ground": "#ffe69a",
    "series-1": "#1f63c0",
    "series-2": "#17713a",
    "series-3": "#845600",
    "series-4": "#8a34a8",
    "series-5": "#0a6d78",
    "series-6": "#a34a06",
    "series-7": "#b0356b",
    "series-8": "#5d6b1d",
}
"""The same names for light grounds; every text colour keeps a contrast of 4.5 to 1."""

_DARK_FURNITURE = {
    "border": "#4fc3d7",
    "border-blurred": "#2a3345",
    "block-cursor-background": "#1e3950",
    "block-cursor-foreground": "#e6ebf4",
    "block-cursor-text-style": "none",
    "input-selection-background": "#4fc3d7 30%",
    "scrollbar": "#2f3a4f",
    "scrollbar-hover": "#3d4a63",
    "scrollbar-active": "#4fc3d7",
    "scrollbar-background": "#10151f",
    "scrollbar-background-hover": "#10151f",
    "scrollbar-background-active": "#10151f",
    "scrollbar-corner-color": "#10151f",
    "footer-key-foreground": "#4fc3d7",
}

_LIGHT_FURNITURE = {
    "border": "#0b6f84",
    "border-blurred": "#d5dae2",
    "block-cursor-background": "#d3e9f1",
    "block-cursor-foreground": "#1b2430",
    "block-cursor-text-style": "none",
    "input-selection-background": "#0b6f84 25%",
    "scrollbar": "#c6cdd8",
    "scrollbar-hover": "#aeb7c5",
    "scrollbar-active": "#0b6f84",
    "scrollbar-background": "#f7f8fa",
    "scrollbar-background-hover": "#f7f8fa",
    "scrollbar-background-active": "#f7f8fa",
    "scrollbar-corner-color": "#f7f8fa",
    "footer-key-foreground": "#0b6f84",
}

HERO_DARK = Theme(
    name="hero-dark",
    primary="#4fc3d7",
    secondary="#6cabf5",
    accent="#4fc3d7",
    warning="#e3b95b",
    error="#f2637e",
    success="#63c385",
    foreground="#d3dae6",
    background="#10151f",
    surface="#161d2a",
    panel="#1c2434",
    dark=True,
    variables={**DARK_COLOURS, **_DARK_FURNITURE},
)

HERO_LIGHT = Theme(
    name="hero-light",
    primary="#0b6f84",
    secondary="#1f63c0",
    accent="#0b6f84",
    warning="#845600",
    error="#c11d42",
    success="#17713a",
    foreground="#1b2430",
    background="#f7f8fa",
    surface="#eff1f5",
    panel="#e6eaf0",
    dark=False,
    variables={**LIGHT_COLOURS, **_LIGHT_FURNITURE},
)

THEMES = (HERO_DARK, HERO_LIGHT)


def domain_colours(dark: bool) -> dict[str, str]:
    """For `App.get_theme_variable_defaults`: our colour names under a theme that does not know them."""
    return dict(DARK_COLOURS if dark else LIGHT_COLOURS)


def register(app: App[Any]) -> None:
    """Make both themes known to `app` and turn the dark one on."""
    for theme in THEMES:
        app.register_theme(theme)
    app.theme = HERO_DARK.name
