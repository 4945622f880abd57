"""Files of a person's own that lie elsewhere, stand for others, come, go, or cannot be read while all goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hero_tui import watching
from hero_tui.preferences import Preferences
from hero_tui.settings import Settings, load_settings
from hero_tui.settings_plain import plain_settings
from screens.settings import SettingsScreen
from styles import themes
from tests.hero_tui.fleets import Cockpit

OVER = '[domain]\nhealth-crashed = "#ff4060"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hero" / "settings.toml"


def written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


async def test_settings_that_are_a_link_are_taken_as_soon_as_what_it_leads_to_is_saved(path: Path) -> None:
    real = path.parent.parent / "dotfiles" / "hero.toml"
    written(real, "")
    path.parent.mkdir()
    path.symlink_to(real)
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        real.write_text('theme = "hero-light"\n')
        await cockpit.until(pilot, lambda: cockpit.app.theme == "hero-light")
        assert path.is_symlink()


async def test_a_theme_that_stands_for_one_of_the_cockpits_is_followed_and_gone_with_its_file(path: Path) -> None:
    theme = path.parent / "themes" / "hero-dark.toml"
    usual = themes.built_in("hero-dark").domain["health-crashed"]
    written(theme, OVER)
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:

        def shown() -> str:
            return cockpit.app.theme_variables["health-crashed"]

        assert shown() == "#ff4060"
        theme.write_text(OVER.replace("#ff4060", "#ff0000"))
        await cockpit.until(pilot, lambda: shown() == "#ff0000")
        theme.write_text(OVER.replace("#ff4060", "pink elephant"))
        await cockpit.until(pilot, lambda: bool(cockpit.app.problems))
        assert shown() == "#ff0000"
        theme.unlink()
        await cockpit.until(pilot, lambda: shown() == usual)


async def test_a_theme_that_was_wrong_when_it_was_chosen_is_put_on_once_it_is_right(path: Path) -> None:
    theme = path.parent / "themes" / "mine.toml"
    written(theme, "primary = 3\n")
    written(path, 'theme = "mine"\n')
    loaded = load_settings(path)
    cockpit = Cockpit(settings=loaded.settings, settings_file=path)
    async with cockpit.running() as pilot:
        assert "mine.toml:1:1 primary" in cockpit.app.problems[0]
        assert cockpit.app.theme == "hero-dark"
        theme.write_text(OVER)
        await cockpit.until(pilot, lambda: cockpit.app.theme == "mine")
        assert cockpit.app.theme_variables["health-crashed"] == "#ff4060"


async def test_the_form_shows_what_was_edited_elsewhere_while_it_is_open(path: Path) -> None:
    written(path, "mouse = true\n")
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "comma")
        written(path, 'theme = "hero-contrast"\n')
        await cockpit.until(pilot, lambda: "hero-contrast" in cockpit.text)
        written(path, "mouse = 3\n")
        await cockpit.until(pilot, lambda: "mouse: found 3" in cockpit.text)
        path.unlink()
        await cockpit.until(pilot, lambda: "mouse: found 3" not in cockpit.text)
        await cockpit.press(pilot, "escape")
        assert not isinstance(cockpit.app.screen, SettingsScreen)
        written(path, 'theme = "hero-light"\n')
        await cockpit.until(pilot, lambda: cockpit.app.theme == "hero-light")


async def test_the_form_tells_of_a_wrong_theme_and_how_much_else_is_wrong(path: Path) -> None:
    written(path.parent / "themes" / "mine.toml", OVER.replace("#ff4060", "pinkish"))
    written(path, 'theme = "mine"\n[keys]\n"cell.restart" = "g g"\n')
    cockpit = Cockpit(settings=load_settings(path).settings, settings_file=path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "comma")
        assert "settings.toml:3:1: 'g g' is no key, so it cannot be cell.restart." in cockpit.text
        assert "And 1 more." in cockpit.text
        written(path, 'theme = "mine"\n')
        await cockpit.until(pilot, lambda: "mine.toml:2:1 health-crashed: 'pinkish' is no colour" in cockpit.text)


async def test_what_else_happens_in_the_folder_has_nothing_read_or_painted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    reload = Preferences.reload

    def noted(self: Preferences) -> None:
        read.append("again")
        reload(self)

    monkeypatch.setattr(Preferences, "reload", noted)
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        for number in range(5):  # there is no folder yet: the one above it is watched
            (path.parent.parent / f"other{number}").write_text("x")
            await pilot.pause(watching.SETTLE_SECONDS * 2)
        assert read == []
        written(path, 'theme = "hero-light"\n')
        await cockpit.until(pilot, lambda: cockpit.app.theme == "hero-light")
        assert read == ["again"]


@pytest.mark.parametrize("name", ["a" * 300, "../outside", "\\u0000", "x/y", ""], ids=range(5))
def test_a_theme_that_cannot_be_in_the_folder_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / "settings.toml"
    (tmp_path / "outside.toml").write_text("")
    path.write_text(f'theme = "{name}"\n')
    assert plain_settings(path) is None
    loaded = load_settings(path)
    assert loaded.settings.theme == themes.DEFAULT
    assert len(loaded.problems) == 1
    assert len(loaded.problems[0]) < 200


def test_a_theme_of_ones_own_stays_where_something_else_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text("")
    (tmp_path / "settings.toml").write_text('theme = "mine"\ndensity = "huge"\n')
    assert load_settings(tmp_path / "settings.toml").settings.theme == "mine"


def test_a_pipe_or_a_very_long_file_is_no_settings_and_nobody_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    os.mkfifo(path)
    assert load_settings(path).settings == Settings()
    path.unlink()
    with path.open("wb") as file:
        file.truncate(1 << 40)
    assert plain_settings(path) is None
    assert "is longer than" in load_settings(path).problems[0]
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "is longer than" in load_settings(path).problems[0]


async def test_a_folder_that_cannot_be_looked_into_is_told_and_the_cockpit_runs() -> None:
    path = Path("/", "a" * 300, "hero", "settings.toml")  # who tests as root may look into any other
    loaded = load_settings(path)
    cockpit = Cockpit(settings_file=path, problems=loaded.problems)
    async with cockpit.running() as pilot:
        assert "cannot be used" in cockpit.app.problems[0]
        await cockpit.press(pilot, "comma", "enter")
        assert cockpit.app.is_running
