"""Settings, keys and themes that change while the cockpit is open: taken when right, told when not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hero_tui.manners import Facts, Manners, facts_of, manners_of, refusal
from hero_tui.settings import Settings
from screens.widgets.linelist import LineList
from tests.hero_tui.fleets import Cockpit

OWN_THEME = '[base]\nprimary = "#ffb000"\n[domain]\nhealth-crashed = "#ff4060"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hero" / "settings.toml"


def written(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


async def test_a_file_that_is_made_while_the_cockpit_runs_is_taken(path: Path) -> None:
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        written(path, 'theme = "hero-light"\ndensity = "heat"\n[keys]\n"app.help" = "f1"\n')
        await cockpit.until(pilot, lambda: cockpit.app.theme == "hero-light")
        assert cockpit.grid.density == "heat"
        assert "f1 help" in cockpit.text
        await cockpit.press(pilot, "f1")
        assert cockpit.screen_name == "HelpDialog"


async def test_of_a_wrong_file_nothing_is_taken_and_its_line_is_told(path: Path) -> None:
    written(path, 'theme = "hero-light"\n')
    cockpit = Cockpit(settings=Settings(theme="hero-light"), settings_file=path)
    async with cockpit.running() as pilot:
        written(path, 'theme = "hero-contrast"\ndensity = "tiny"\n')
        await cockpit.until(pilot, lambda: "settings.toml:2:1 density" in cockpit.text)
        assert cockpit.app.theme == "hero-light"
        written(path, 'theme = "hero-contrast"\n')
        await cockpit.until(pilot, lambda: cockpit.app.theme == "hero-contrast")
        assert cockpit.app.problems == ()


async def test_a_clash_of_keys_keeps_the_keys_that_were_in_force(path: Path) -> None:
    cockpit = Cockpit(settings=Settings(keys={"app.help": "f1"}), settings_file=path)
    async with cockpit.running() as pilot:
        written(path, '[keys]\n"cell.restart" = "s"\n')
        await cockpit.until(pilot, lambda: bool(cockpit.app.problems))
        assert cockpit.app.problems[0].startswith("settings.toml:2:1: s cannot be cell.restart")
        assert "f1 help" in cockpit.text


async def test_a_theme_of_ones_own_is_taken_as_soon_as_it_is_saved(path: Path) -> None:
    theme = path.parent / "themes" / "mine.toml"
    theme.parent.mkdir(parents=True)
    theme.write_text(OWN_THEME)
    written(path, 'theme = "mine"\n')
    cockpit = Cockpit(settings=Settings(theme="mine"), settings_file=path)
    async with cockpit.running() as pilot:
        assert cockpit.app.theme_variables["health-crashed"] == "#ff4060"
        assert cockpit.app.theme_variables["health-healthy"] == "#63c385"
        theme.write_text(OWN_THEME.replace("#ff4060", "#ff0000"))
        await cockpit.until(pilot, lambda: cockpit.app.theme_variables["health-crashed"] == "#ff0000")
        theme.write_text(OWN_THEME.replace("health-crashed", "helth-crashed"))
        await cockpit.until(pilot, lambda: bool(cockpit.app.problems))
        assert "mine.toml:4:1 helth-crashed: is not known; did you mean health-crashed?" in cockpit.app.problems[0]
        assert cockpit.app.theme_variables["health-crashed"] == "#ff0000"


async def test_the_form_changes_a_setting_in_the_file_and_at_once(path: Path) -> None:
    written(path, "# mine\n")
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "comma", "enter")
        assert cockpit.app.theme == "hero-light"
        assert path.read_text() == '# mine\ntheme = "hero-light"\n'
        await cockpit.press(pilot, "d")
        assert path.read_text() == "# mine\n"
        await cockpit.until(pilot, lambda: cockpit.app.theme == "hero-dark")


async def test_the_form_takes_a_key_and_refuses_one_that_is_taken(path: Path) -> None:
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "comma", "slash", *"restart", "enter", "enter")
        assert cockpit.screen_name == "CatchKey"
        await cockpit.press(pilot, "s")
        assert "s cannot be cell.restart: it is cell.switch already" in cockpit.text
        await cockpit.press(pilot, "enter", "E")
        assert path.read_text() == '[keys]\n"cell.restart" = "E"\n'
        await cockpit.press(pilot, "a", "f5")
        assert path.read_text() == '[keys]\n"cell.restart" = "E,f5"\n'
        await cockpit.press(pilot, "escape", "escape")
        assert "E restart" in cockpit.text


async def test_the_form_says_where_a_hand_written_file_is_wrong(path: Path) -> None:
    written(path, "mouse = 3\n")
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "comma")
        assert "settings.toml:1:1 mouse: found 3" in cockpit.text
        await cockpit.press(pilot, "enter")
        assert path.read_text() == "mouse = 3\n"


async def test_a_search_that_finds_nothing_says_so_and_esc_takes_it_back(path: Path) -> None:
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "comma", "slash", *"zzz", "enter")
        assert "Nothing is called zzz." in cockpit.text
        await cockpit.press(pilot, "enter", "escape")
        assert pilot.app.screen.query_one(LineList).row is not None


@pytest.mark.parametrize(
    ("environment", "encoding", "facts"),
    [
        ({"LANG": "C.UTF-8", "TERM": "xterm-256color"}, "utf-8", Facts(near=True)),
        ({"LANG": "C.UTF-8", "TERM": "xterm-256color", "SSH_CONNECTION": "::1 1 ::1 22"}, "utf-8", Facts()),
        ({"LANG": "C.UTF-8", "TERM": "tmux-256color", "TMUX": "/run/x"}, "utf-8", Facts()),
        ({"LANG": "C", "TERM": "xterm"}, "utf-8", Facts(unicode=False, near=True)),
        ({"LANG": "C.UTF-8", "TERM": "xterm"}, "ascii", Facts(unicode=False, near=True)),
        ({"LANG": "C.UTF-8", "TERM": "linux"}, "UTF-8", Facts(unicode=False, near=True)),
        ({"LANG": "C.UTF-8", "TERM": "xterm", "NO_COLOR": "1"}, "UTF-8", Facts(colours=False, near=True)),
        ({"LANG": "C.UTF-8", "TERM": "vt100"}, "UTF-8", Facts(unicode=False, colours=False, near=True)),
        ({"LANG": "C.UTF-8", "TERM": "vt220"}, "UTF-8", Facts(colours=False, near=True)),
    ],
)
def test_what_is_known_of_a_terminal(environment: dict[str, str], encoding: str, facts: Facts) -> None:
    assert facts_of(environment, encoding) == facts


def test_settings_overrule_what_the_terminal_seems_to_be() -> None:
    far, poor = Facts(), Facts(unicode=False, colours=False)
    assert manners_of(far, Settings()) == Manners()
    assert manners_of(Facts(near=True), Settings()) == Manners(animated=True)
    assert manners_of(far, Settings(animations="on")).animated
    assert not manners_of(Facts(near=True), Settings(animations="off")).animated
    assert manners_of(poor, Settings()) == Manners(ascii=True, colourless=True)
    assert not manners_of(poor, Settings(glyphs="unicode")).ascii


@pytest.mark.parametrize("term", ["", "dumb", "unknown"])
def test_a_terminal_that_cannot_place_text_is_refused(term: str) -> None:
    assert refusal({"TERM": term})
    assert not refusal({"TERM": "vt100"})
