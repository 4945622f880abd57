"""Changes of settings.toml: what is meant is said, and every other character stays."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.model.errors import HeroError
from hero_tui.settings_edit import Value, changed, store

FILE = "settings.toml"
WRITTEN = """# mine
theme = "hero-light"   # for the train

mouse = false

# my keys
[keys]
"cell.restart" = "R" # as in vim
"""


def test_a_value_is_replaced_in_its_place() -> None:
    assert changed(WRITTEN, "theme", "hero-dark", FILE) == WRITTEN.replace("hero-light", "hero-dark")


def test_a_new_setting_stands_behind_the_others_and_before_the_tables() -> None:
    new = changed(WRITTEN, "density", "heat", FILE)
    assert new == WRITTEN.replace("mouse = false\n", 'mouse = false\ndensity = "heat"\n')


def test_a_new_key_stands_in_its_table() -> None:
    assert changed(WRITTEN, "keys.cell.stop", "K", FILE) == f'{WRITTEN}"cell.stop"    = "K"\n'


def test_a_default_is_a_line_less() -> None:
    assert changed(WRITTEN, "mouse", None, FILE) == WRITTEN.replace("mouse = false\n", "")
    assert changed(WRITTEN, "keys.cell.restart", None, FILE).endswith("[keys]\n")


@pytest.mark.parametrize("text", ["", "# nothing yet", "# nothing yet\n", '[keys]\n"app.help" = "f1"'])
def test_a_file_with_little_in_it_gets_its_first_setting(text: str) -> None:
    new = changed(text, "glyphs", "ascii", FILE)
    assert tomllib.loads(new)["glyphs"] == "ascii"
    assert text.strip() in new
    assert tomllib.loads(changed(text, "keys.cell.stop", "K", FILE))["keys"]["cell.stop"] == "K"


def test_keys_in_one_line_are_left_alone() -> None:
    with pytest.raises(HeroError, match="own form"):
        changed('keys = { "app.help" = "f1" }\n', "keys.cell.stop", "K", FILE)


def test_a_wrong_file_is_not_touched() -> None:
    with pytest.raises(HeroError, match="1:1 mouse"):
        changed("mouse = 3\n", "theme", "hero-dark", FILE)


_CHANGES = st.one_of(
    st.tuples(st.just("theme"), st.sampled_from(["hero-dark", "hero-light", None])),
    st.tuples(st.just("mouse"), st.sampled_from([True, False, None])),
    st.tuples(st.just("density"), st.sampled_from(["heat", "auto", None])),
    st.tuples(st.sampled_from(["keys.cell.restart", "keys.app.help"]), st.sampled_from(["x", "f1,f2", None])),
)


@given(st.lists(_CHANGES, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_whatever_is_changed_the_comments_stay_and_the_last_word_counts(
    steps: list[tuple[str, Value | None]], newline: str
) -> None:
    text, said = WRITTEN.replace("\n", newline), dict[str, Value | None]()
    for name, value in steps:
        text = changed(text, name, value, FILE)
        said[name] = value
    data = tomllib.loads(text)
    flat = {**data, **{f"keys.{id_}": value for id_, value in data.get("keys", {}).items()}}
    assert {name: flat.get(name) for name in said} == said
    assert "# mine" in text
    assert "# my keys" in text


def test_the_file_is_written_whole_with_its_mode_and_through_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / FILE, tmp_path / "hero" / FILE
    real.parent.mkdir()
    real.write_text(WRITTEN)
    real.chmod(0o600)
    link.parent.mkdir()
    link.symlink_to(real)
    store(link, "mouse = true\n")
    assert link.is_symlink()
    assert real.read_text() == "mouse = true\n"
    assert real.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in real.parent.iterdir()] == [FILE]


def test_the_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    store(tmp_path / "new" / "hero" / FILE, "")
    assert (tmp_path / "new" / "hero" / FILE).read_text() == ""
