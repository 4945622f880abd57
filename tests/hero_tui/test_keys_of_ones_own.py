"""Keys of a person's own: read however they are spelled, refused where they are none; nobody else's are lost."""

from __future__ import annotations

import sys

import pytest
from textual.app import App
from textual.binding import BindingsMap
from textual.dom import DOMNode

from hero_tui import keys, own_keys
from hero_tui.app import HeroApp
from hero_tui.command_runs import CommandRuns
from hero_tui.key import shown_key
from hero_tui.key_names import read_key
from hero_tui.settings import Settings
from hero_tui.settings_book import SettingsBook
from tests.hero_tui.fleets import Cockpit
from tests.hero_tui.test_keys import OWNERS

FREE = "f9"


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("R", "R"),
        ("é", "é"),
        ("/", "/"),
        ("slash", "/"),
        ("Question_Mark", "?"),
        ("comma", "comma"),
        (",", "comma"),
        ("+", "+"),
        ("plus", "+"),
        ("-", "-"),
        ("shift+a", "A"),
        ("esc", "escape"),
        ("PgDn", "pagedown"),
        ("space", "space"),
        ("F12", "f12"),
        ("ctrl-d", "ctrl+d"),
        ("Ctrl+D", "ctrl+d"),
        ("ctrl+[", "ctrl+left_square_bracket"),
        ("ctrl+@", "ctrl+at"),
        ("shift+ctrl+left", "ctrl+shift+left"),
        ("ctrl-right", "ctrl+right"),
        ("alt-x", "alt+x"),
    ],
)
def test_a_key_is_read_however_it_is_spelled(written: str, key: str) -> None:
    assert read_key(written) == key


@pytest.mark.parametrize(
    "written",
    ["", "gg", "g g", "ctrl+x ctrl+s", "ctrl+", "ctrl", "<any>", "f99", "shift+1", "\x1b", "\u0301", "x" * 99],
)
def test_what_is_no_key_is_none(written: str) -> None:
    assert read_key(written) == ""


def test_every_key_of_the_table_is_written_as_it_is_read() -> None:
    listed = {key for entry in keys.TABLE for key in entry.keys.split(",")}
    assert {key for key in listed if read_key(key) != key} == set()
    assert {key for key in listed if read_key(shown_key(key)) != key} == set()


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"cell.restart": "g g"}, "'g g' is no key"),
        ({"cell.restart": "escpe"}, "did you mean escape?"),
        ({"cell.restart": "ctrl-b"}, "ctrl-b cannot be cell.restart: it belongs to tmux"),
        ({"cell.restart": "Ctrl+["}, "it belongs to tmux or to the terminal"),
        ({"cell.restart": "alt+shift+x"}, "it belongs to tmux or to the terminal"),
        ({"cell.restart": "question_mark"}, "? cannot be cell.restart: it is app.help already"),
        ({"cell.restart": ","}, "a comma is written `comma`"),
        ({"app.interrupt": "w"}, "while one types"),
        ({"cell.restart": "\x1b]0;x\x07"}, "is no key"),
        ({"\x1b[2J" * 9: "f9"}, "there is no action"),
    ],
)
def test_a_key_that_cannot_be_is_told_and_the_default_stays(overrides: dict[str, str], told: str) -> None:
    table, problems = own_keys.overridden(overrides)
    assert len(problems) == 1
    assert told in problems[0]
    assert "\x1b" not in problems[0]
    assert table == keys.TABLE


def test_a_key_that_is_named_twice_is_meant_once() -> None:
    table, problems = own_keys.overridden({"cell.restart": "f9,F9", "grid.down": "j,j,down"})
    assert problems == []
    assert {one.id: one.keys for one in table if one.id in ("cell.restart", "grid.down")} == {
        "cell.restart": "f9",
        "grid.down": "j,down",
    }


def test_of_very_many_mistakes_each_is_told_and_few_are_guessed_at() -> None:
    _, problems = own_keys.overridden({f"app.x{number}": "f9" for number in range(5000)})
    assert len(problems) == 5000
    assert "did you mean" in problems[0]
    assert "did you mean" not in problems[-1]


def _bound(map_: BindingsMap) -> dict[str, set[str]]:
    bound: dict[str, set[str]] = {}
    for key, bindings in map_.key_to_bindings.items():
        for one in bindings:
            bound.setdefault(str(one.id), set()).add(key)
    return bound


def test_an_action_that_gets_another_key_takes_none_from_any_other() -> None:
    owners: tuple[type[DOMNode], ...] = (HeroApp, *OWNERS)
    maps = {owner.__name__: owner._merge_bindings() for owner in owners}
    usual = App._normalize_keymap(own_keys.keymap(keys.TABLE))
    lost = []
    for entry in keys.TABLE:
        table, problems = own_keys.overridden({entry.id: FREE})
        assert problems == []
        laid = App._normalize_keymap(own_keys.keymap(table))
        for owner, map_ in maps.items():
            before, after = map_.copy(), map_.copy()
            before.apply_keymap(usual)
            after.apply_keymap(laid)
            old, new = _bound(before), _bound(after)
            lost += [(entry.id, owner, id_) for id_ in old if id_ != entry.id and new.get(id_) != old[id_]]
            assert entry.id not in old or new[entry.id] == {FREE}
    assert lost == []


async def test_what_a_dialog_says_of_its_keys_is_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CommandRuns, "argv", lambda self, words: [sys.executable, "-S", "-c", "print(1)"])
    own = {"settings.search": "f9", "settings.leave": "f8,escape", "results.forget": "ctrl+x"}
    cockpit = Cockpit(settings=Settings(keys=own))
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"status", "enter")
        await cockpit.until(pilot, lambda: "ctrl-x dismiss · c copy" in cockpit.text)
        await cockpit.press(pilot, "ctrl+x", "comma")
        assert cockpit.screen_name == "SettingsScreen"
    book = SettingsBook(None, lambda: None)
    assert book.items()
    assert (book.key("settings.search"), book.key("app.settings")) == ("/", ",")


async def test_a_key_that_one_place_gives_up_goes_on_in_the_others() -> None:
    cockpit = Cockpit(settings=Settings(keys={"cell.filter": "f9", "cell.restart": "p"}))
    assert cockpit.app.problems == ()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "4", "slash")
        assert cockpit.app.focused is not None
        assert type(cockpit.app.focused).__name__ == "FilterBar"
        await cockpit.press(pilot, "escape", "8")
        live = {entry.id for entry in cockpit.app.live_keys()}
        assert {"host.filter"} <= live
        await cockpit.press(pilot, "9")
        assert "team.plan" in {entry.id for entry in cockpit.app.live_keys()}


async def test_the_dialogs_that_start_something_name_the_keys_that_they_heed() -> None:
    own = {"switch.back": "Z", "picker.cancel": "f8", "form.start": "f9", "form.cancel": "f10"}
    cockpit = Cockpit(settings=Settings(keys=own))
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "right", "s")
        assert "enter plan · Z back to previous · f8 close" in cockpit.text
        await cockpit.press(pilot, "Z")
        assert cockpit.screen_name == "PlanDialog"
        await cockpit.press(pilot, "escape", "f8")
        assert cockpit.screen_name == "FleetScreen"
        await cockpit.press(pilot, "a")
        assert "f9 start" in cockpit.text
        assert "f10 close" in cockpit.text
        await cockpit.press(pilot, "f10")
        assert cockpit.screen_name == "FleetScreen"
