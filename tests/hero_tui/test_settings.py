"""A person's settings: used where they are right, told with their line where they are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hero_tui import settings_page
from hero_tui.own_keys import overridden
from hero_tui.settings import Settings, load_settings, settings_path
from styles.theme_file import read_theme
from styles.themes import built_in
from tests.conftest import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def test_without_a_file_the_defaults_hold(path: Path) -> None:
    assert load_settings(path) == (Settings(), (), {})


def test_everything_can_be_set(path: Path) -> None:
    path.write_text(
        'theme = "hero-light"\ndensity = "heat"\nmouse = false\nread_only = true\nanimations = "off"\n'
        'glyphs = "ascii"\ncolours = "none"\n[keys]\n"cell.restart" = "R"\n'
    )
    loaded = load_settings(path)
    assert loaded.problems == ()
    assert loaded.settings.model_dump() == {
        "theme": "hero-light",
        "density": "heat",
        "mouse": False,
        "read_only": True,
        "animations": "off",
        "glyphs": "ascii",
        "colours": "none",
        "keys": {"cell.restart": "R"},
    }
    assert loaded.places == {"cell.restart": "settings.toml:9:1"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('theme = "pink"', "settings.toml:1:1 theme: found 'pink', expected one of hero-dark, hero-light"),
        ('theme = "hero-drak"', "did you mean `hero-dark`?"),
        ('\nthme = "hero-dark"', "settings.toml:2:1 thme: unknown key; did you mean `theme`?"),
        ('mouse = true\n  density = "tiny"', 'settings.toml:2:3 density: found "tiny", expected "auto" or "full"'),
        ("mouse = 3", "settings.toml:1:1 mouse: found 3, expected true or false"),
        ("keys = 3", "found 3, expected a table"),
        ("[keys]\nx = 1", "settings.toml:2:1 keys.x: found 1, expected a string in quotes"),
        ("mouse = true\ntheme = ", "settings.toml:2:9: found a syntax error"),
        ("\ufffd\x00", "settings.toml:1:1: found a syntax error"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_default_holds(path: Path, text: str, told: str) -> None:
    path.write_text(text)
    loaded = load_settings(path)
    assert told in loaded.problems[0]
    assert loaded.settings in (Settings(), Settings(keys={}))


def test_of_a_wrong_file_what_is_right_is_taken_at_the_start(path: Path) -> None:
    path.write_text('theme = "hero-light"\nmouse = 3\n[keys]\n"cell.restart" = "R"\n"cell.stop" = 4\n')
    loaded = load_settings(path)
    assert len(loaded.problems) == 2
    assert (loaded.settings.theme, loaded.settings.keys) == ("hero-light", {"cell.restart": "R"})


def test_a_theme_of_ones_own_may_be_chosen(path: Path) -> None:
    (path.parent / "themes").mkdir()
    (path.parent / "themes" / "mine.toml").write_text("")
    path.write_text('theme = "mine"')
    assert load_settings(path) == (Settings(theme="mine"), (), {})


def test_the_file_lies_in_the_configuration_folder() -> None:
    assert settings_path({"XDG_CONFIG_HOME": "/etc/xdg"}) == Path("/etc/xdg/hero/settings.toml")
    assert settings_path({"XDG_CONFIG_HOME": "relative"}) == Path.home() / ".config/hero/settings.toml"


def test_every_setting_has_its_documentation() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("page", ["settings.md", "keys.md"])
def test_each_example_of_the_pages_is_taken_as_it_stands(path: Path, page: str) -> None:
    (path.parent / "themes").mkdir()
    examples = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    assert examples
    for text in examples:
        if "extends" in text:
            (path.parent / "themes" / "mine.toml").write_text(text)
            assert read_theme(path.parent / "themes" / "mine.toml", base=built_in).base["primary"] == "#ffb000"
            continue
        path.write_text(text)
        loaded = load_settings(path)
        assert loaded.problems == ()
        assert overridden(loaded.settings.keys)[1] == []


def test_the_page_of_the_settings_is_current() -> None:
    page = ROOT / "docs" / "settings.md"
    assert page.read_text() == settings_page.text(), (
        "make it anew: python -m hero_tui.settings_page > docs/settings.md"
    )
