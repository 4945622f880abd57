"""Both themes know every colour that a style sheet asks for, and all text can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.app import App
from textual.color import Color
from textual.theme import Theme

from styles import themes
from tests.screens.widgets.samples import HarnessApp

SHEETS = sorted(Path(themes.__file__).parent.glob("*.tcss"))
GROUNDS = ("background", "surface", "stripe", "pinned", "cursor", "cursor-blurred")
FURNITURE = {"rule", "faint", "stripe", "pinned", "cursor", "cursor-blurred", "match-ground", "drift-current"}


def colours(theme: Theme) -> dict[str, str]:
    return {**theme.to_color_system().generate(), **theme.variables}


@pytest.mark.parametrize("theme", themes.THEMES, ids=lambda theme: theme.name)
def test_every_variable_of_the_style_sheets_is_known(theme: Theme) -> None:
    used = {name for sheet in SHEETS for name in re.findall(r"\$([\w-]+)", sheet.read_text())}
    assert used - set(colours(theme)) == set()


def test_both_themes_name_the_same_colours() -> None:
    assert set(themes.DARK_COLOURS) == set(themes.LIGHT_COLOURS)
    assert set(themes.HERO_DARK.variables) == set(themes.HERO_LIGHT.variables)


@pytest.mark.parametrize("theme", themes.THEMES, ids=lambda theme: theme.name)
def test_text_can_be_read_on_the_ground_it_stands_on(theme: Theme) -> None:
    known = colours(theme)
    domain = themes.domain_colours(theme.dark)
    poor = []
    for name in domain.keys() - FURNITURE:
        for ground in ("match-ground",) if name == "match" else GROUNDS:
            contrast = contrast_of(Color.parse(known[name]), Color.parse(known[ground]))
            # In the cell under the cursor text is bold.
            if contrast < (3.5 if ground.startswith("cursor") else 4.5):
                poor.append((name, ground, round(contrast, 2)))
    assert poor == []


def contrast_of(text: Color, ground: Color) -> float:
    high, low = sorted((luminance(text), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: Color) -> float:
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("name", ["textual-dark", "textual-light", "nord", "gruvbox"])
async def test_other_themes_get_our_colours_by_default(name: str) -> None:
    class Borrowed(HarnessApp):
        def get_theme_variable_defaults(self) -> dict[str, str]:
            return themes.domain_colours(self.current_theme.dark)

    app: App[None] = Borrowed()
    async with app.run_test() as pilot:
        app.theme = name
        await pilot.pause()
        assert app.theme_variables["health-crashed"]
