"""A theme's colours as rich takes them, for texts that are made of parts."""

from __future__ import annotations

from typing import Any

from textual.app import App


def rich_colour(app: App[Any], name: str) -> str:
    """The theme's colour `name`, "" for none: Textual's `ansi_red`, one of the terminal's own, is `red`."""
    return app.theme_variables.get(name, "").removeprefix("ansi_")
