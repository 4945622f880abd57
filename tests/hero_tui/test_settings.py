"""A person's settings: used where they are right, told where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hero_tui.settings import Settings, load_settings, settings_path


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.toml") == Settings()


def test_everything_can_be_set(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('theme = "hero-light"\ndensity = "heat"\nmouse = false\n[keys]\n"cell.restart" = "R"\n')
    settings = load_settings(path)
    assert settings == Settings("hero-light", "heat", False, {"cell.restart": "R"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('theme = "pink"', "not one of hero-dark, hero-light"),
        ('thme = "hero-dark"', "did you mean theme?"),
        ('density = "tiny"', "not one of auto, full, compact, heat"),
        ("mouse = 3", "neither true nor false"),
        ("keys = 3", "not a table"),
        ("[keys]\nx = 1", "not a table"),
        ("theme = ", "cannot be used"),
        ("\ufffd\x00", "cannot be used"),
    ],
)
def test_what_is_wrong_is_told_and_the_default_holds(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    settings = load_settings(path)
    assert told in settings.problems[0]
    assert settings == Settings(problems=settings.problems)


def test_the_file_lies_in_the_configuration_folder() -> None:
    assert settings_path({"XDG_CONFIG_HOME": "/etc/xdg"}) == Path("/etc/xdg/hero/settings.toml")
    assert settings_path({"XDG_CONFIG_HOME": "relative"}) == Path.home() / ".config/hero/settings.toml"
