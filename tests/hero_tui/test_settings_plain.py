"""Settings read without their schema are what the schema reads; where it would complain they are left to it."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from hero_tui.settings import Settings, load_settings
from hero_tui.settings_plain import Plain, plain_settings

NAMES = tuple(Settings.model_fields)


def read(settings: object) -> dict[str, object]:
    return {name: getattr(settings, name) for name in (*NAMES, "fleet_density")}


def test_the_defaults_are_the_schemas(tmp_path: Path) -> None:
    loaded = plain_settings(tmp_path / "settings.toml")
    assert loaded is not None
    assert read(loaded.settings) == read(Settings()) == read(Plain())
    assert loaded[1:] == ((), {})


@pytest.mark.parametrize("name", NAMES)
def test_every_value_that_the_schema_takes_is_taken(tmp_path: Path, name: str) -> None:
    path = tmp_path / "settings.toml"
    words = [f'"{word}"' for word in get_args(Settings.model_fields[name].annotation) if isinstance(word, str)]
    words += ["true", "false", "1", '""', '"hero-light"', '"x"', "[]", '{"app.help" = "f1"}', '{"app.help" = 1}']
    for word, rest in product(words, ("", "\nmouse = false\n" if name != "mouse" else "\n")):
        path.write_text(f"{name} = {word}\n{rest}", encoding="utf-8")
        plain, whole = plain_settings(path), load_settings(path)
        if whole.problems:
            assert plain is None
        else:
            assert plain is not None
            assert read(plain.settings) == read(whole.settings)
            assert plain[1:] == whole[1:]


def test_a_theme_of_ones_own_is_taken_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('theme = "mine"\n[keys]\n"app.help" = "f1"\n', encoding="utf-8")
    assert plain_settings(path) is None
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text("", encoding="utf-8")
    loaded = plain_settings(path)
    assert loaded is not None
    assert loaded.settings.theme == "mine"
    assert loaded == (loaded.settings, *load_settings(path)[1:])
    assert loaded.places == {"app.help": "settings.toml:3:1"}


@pytest.mark.parametrize("text", ["theme =", "colour = 'none'", "x" * 200_000, "keys = 1", "a = " + "[" * 5000])
def test_what_is_wrong_is_left_to_who_tells_of_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    assert plain_settings(path) is None
    assert load_settings(path).problems
    path.write_bytes(b"\xff")
    assert plain_settings(path) is None
    path.unlink()
    path.mkdir()
    assert plain_settings(path) is None
