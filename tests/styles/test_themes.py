"""Every theme knows every colour of the style sheets, all text can be read, and states can be told apart."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from textual.app import App
from textual.color import Color

from styles import contrast, themes
from styles.theme_file import ThemeFile, ThemeProblem, read_theme
from tests.screens.widgets.samples import HarnessApp

SHEETS = sorted(Path(themes.__file__).parent.glob("*.tcss"))
SIGHTS: tuple[contrast.Sight, ...] = ("usual", "protan", "deutan", "tritan")
COLOURED = tuple(name for name in themes.NAMES if not themes.built_in(name).ansi)
STATES = {
    "health": ("healthy", "starting", "unhealthy", "crashed", "stopped"),
    "drift": ("behind", "modified", "missing", "pinned"),
    "build": ("queued", "running", "succeeded", "failed"),
}


def colours(file: ThemeFile) -> dict[str, str]:
    theme = themes.textual_theme(file)
    return {**theme.to_color_system().generate(), **theme.variables}


def closest(file: ThemeFile, group: str, states: tuple[str, ...]) -> float:
    """How different the two states are that look most alike to anybody."""
    pairs = itertools.combinations([Color.parse(file.domain[f"{group}-{state}"]) for state in states], 2)
    return min(contrast.distance(one, other, sight) for one, other in pairs for sight in SIGHTS)


def test_the_folder_has_the_themes_that_are_named() -> None:
    assert {path.stem for path in themes.FOLDER.glob("*.toml")} == set(themes.NAMES)


@pytest.mark.parametrize("name", themes.NAMES)
def test_every_variable_of_the_style_sheets_is_known(name: str) -> None:
    used = {name for sheet in SHEETS for name in re.findall(r"\$([\w-]+)", sheet.read_text())}
    assert used - set(colours(themes.built_in(name))) == set()


@pytest.mark.parametrize("name", themes.NAMES)
def test_all_themes_name_the_same_colours(name: str) -> None:
    first, theme = themes.built_in(themes.DEFAULT), themes.built_in(name)
    for section in ("base", "domain", "furniture"):
        assert set(getattr(theme, section)) == set(getattr(first, section))


@pytest.mark.parametrize("name", COLOURED)
def test_text_can_be_read_on_every_ground_it_stands_on(name: str) -> None:
    assert list(contrast.poor(themes.built_in(name))) == []


def test_high_contrast_keeps_seven_to_one_on_black() -> None:
    theme = themes.built_in("hero-contrast")
    text = {one: theme.domain[one] for one in theme.domain.keys() - contrast.FURNITURE - {"match"}}
    poor = {one for one, colour in text.items() if contrast.contrast(Color.parse(colour), Color(0, 0, 0)) < 7}
    assert poor == set()


@pytest.mark.parametrize("name", COLOURED)
def test_nobody_takes_one_state_of_health_for_another(name: str) -> None:
    assert closest(themes.built_in(name), "health", STATES["health"]) >= 9.5


@pytest.mark.parametrize("group", STATES)
def test_the_theme_for_the_colour_blind_tells_all_states_apart_to_everybody(group: str) -> None:
    assert closest(themes.built_in("hero-colour-blind"), group, STATES[group]) >= 15


def test_the_contrast_is_that_of_wcag() -> None:
    assert contrast.contrast(Color(0, 0, 0), Color(255, 255, 255)) == pytest.approx(21)
    assert contrast.contrast(Color.parse("#767676"), Color(255, 255, 255)) == pytest.approx(4.54, abs=0.01)
    assert contrast.distance(Color(255, 0, 0), Color(255, 0, 0), "deutan") == 0


def test_the_ansi_theme_uses_the_terminals_colours_alone() -> None:
    theme = themes.built_in("hero-ansi")
    values = [*theme.base.values(), *theme.domain.values(), *theme.furniture.values()]
    assert [value for value in values if not value.startswith("ansi_") and value != "none"] == []


# -- themes of one's own ------------------------------------------------------------------------------


def own(path: Path, text: str) -> ThemeFile:
    path.write_text(text)
    return read_theme(path, base=themes.built_in)


def test_a_theme_of_ones_own_says_only_what_is_other(tmp_path: Path) -> None:
    theme = own(tmp_path / "mine.toml", 'dark = false\n[domain]\nhealth-crashed = "#ff0000"\n')
    light: Mapping[str, str] = themes.built_in("hero-light").domain
    assert (theme.name, theme.title, theme.dark) == ("mine", "mine", False)
    assert theme.domain == {**light, "health-crashed": "#ff0000"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('titel = "x"', "mine.toml:1:1 titel: is not known; did you mean title?"),
        (
            '[domain]\n  helth-crashed = "#fff"',
            "mine.toml:2:3 helth-crashed: is not known; did you mean health-crashed?",
        ),
        ('[domain]\nquiet = "grayish"', "mine.toml:2:1 quiet: 'grayish' is no colour"),
        ("[domain]\nquiet = 3", "quiet: is no text in quotes"),
        ('[base]\nground = "#fff"', "mine.toml:2:1 ground: is not known"),
        ("dark = 3", "mine.toml:1:1 dark: is neither true nor false"),
        ('extends = "nowhere"', "mine.toml:1:1 extends: names 'nowhere'"),
        ("base = 3", "base: is no table"),
        ("[base", "mine.toml is no theme"),
        ("\x00", "mine.toml is no theme"),
        ("#" * 70_000, "longer than a theme can be"),
    ],
)
def test_what_is_wrong_with_a_theme_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ThemeProblem) as caught:
        own(tmp_path / "mine.toml", text)
    assert told in str(caught.value)


def test_a_theme_that_stands_alone_must_be_whole(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('[base]\nprimary = "#fff"\n')
    with pytest.raises(ThemeProblem, match="lacks secondary"):
        read_theme(tmp_path / "mine.toml")


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
