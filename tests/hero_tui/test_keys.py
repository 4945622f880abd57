"""The table of keys: no key twice in a place, none that tmux needs, true to what widgets declare."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

from hero_tui import keys, keys_page, own_keys
from hero_tui.verb_lines import only_looks
from hero_tui.verbs import VERBS, parsing
from screens.agent import AgentScreen
from screens.agent_form import AgentForm
from screens.approval import ApprovalDialog
from screens.inbox import InboxScreen
from screens.log_files import LogFilesScreen
from screens.plan import PlanDialog
from screens.results import ResultScreen
from screens.settings import SettingsScreen
from screens.switch import SwitchDialog
from screens.tray import TrayScreen
from screens.widgets.agent_choice import AgentChoice
from screens.widgets.agent_log import AgentLog
from screens.widgets.agent_text import AgentText
from screens.widgets.confirm import Confirm
from screens.widgets.filterbar import FilterBar
from screens.widgets.grid import FleetGrid
from screens.widgets.linelist import LineList
from screens.widgets.logview import LogView
from screens.widgets.outputlines import OutputLines
from screens.widgets.picker import FuzzyPicker
from screens.widgets.progress import OperationBar
from screens.widgets.servicelist import ServiceList
from screens.widgets.textpane import TextPane
from tests.conftest import ROOT
from tests.hero_tui.fleets import Cockpit

OWNERS: tuple[type[DOMNode], ...] = (
    FleetGrid,
    LogView,
    ServiceList,
    LineList,
    OperationBar,
    Confirm,
    FuzzyPicker,
    FilterBar,
    SwitchDialog,
    PlanDialog,
    AgentLog,
    AgentText,
    AgentChoice,
    AgentForm,
    AgentScreen,
    InboxScreen,
    TextPane,
    ApprovalDialog,
    OutputLines,
    ResultScreen,
    SettingsScreen,
    TrayScreen,
    LogFilesScreen,
)


def test_no_key_means_two_things_in_one_place() -> None:
    assert keys.duplicates(keys.TABLE) == []


def test_every_context_belongs_to_a_place() -> None:
    placed = {context for contexts in keys.PLACES.values() for context in contexts}
    assert {key.context for key in keys.TABLE} == placed


def test_no_key_is_one_that_tmux_or_the_terminal_needs() -> None:
    assert [key.id for key in keys.TABLE for one in key.keys.split(",") if keys.is_forbidden(one)] == []


@pytest.mark.parametrize("key", ["ctrl+b", "ctrl+a", "ctrl+h", "ctrl+l", "ctrl+q", "ctrl+z", "alt+x"])
def test_forbidden_keys_are_known(key: str) -> None:
    assert keys.is_forbidden(key)


def test_ids_are_unique() -> None:
    ids = [key.id for key in keys.TABLE]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_the_table_says_what_widgets_declare(owner: type[DOMNode]) -> None:
    table = {key.id: key.keys for key in keys.TABLE}
    for binding in owner.BINDINGS:
        assert isinstance(binding, Binding)
        assert binding.id in table, f"{binding.key} of {owner.__name__} is not in the table"
        if binding.id not in keys.WIDGETS_DIFFER:
            assert _names(binding.key) == _names(table[binding.id])


def _names(listed: str) -> set[str]:
    from textual.keys import _character_to_key

    return {_character_to_key(key) if len(key) == 1 else key for key in listed.split(",")}


def test_no_widget_of_the_table_is_forgotten() -> None:
    declared = {binding.id for owner in OWNERS for binding in owner.BINDINGS if isinstance(binding, Binding)}
    assert {key.id for key in keys.TABLE if not key.action} == declared


async def test_textuals_own_quit_key_is_gone() -> None:
    async with Cockpit().app.run_test() as pilot:
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert pilot.app.is_running


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"cell.restart": "ctrl+b"}, "tmux"),
        ({"cell.restart": "s"}, "cell.switch already"),
        ({"cell.restrat": "r"}, "did you mean cell.restart?"),
        ({"cell.restart": " , "}, "names no key"),
    ],
)
def test_a_bad_override_is_told_and_the_default_stays(overrides: dict[str, str], told: str) -> None:
    table, problems = own_keys.overridden(overrides)
    assert len(problems) == 1
    assert told in problems[0]
    assert table == keys.TABLE


def test_a_clash_names_both_actions_the_place_and_the_line() -> None:
    _, problems = own_keys.overridden({"cell.restart": "s"}, {"cell.restart": "settings.toml:4:1"})
    assert problems == ["settings.toml:4:1: s cannot be cell.restart: it is cell.switch already, on fleet."]


def test_two_actions_may_trade_their_keys() -> None:
    table, problems = own_keys.overridden({"cell.restart": "s", "cell.switch": "r"})
    assert problems == []
    traded = {one.id: one.keys for one in table if one.id in ("cell.restart", "cell.switch")}
    assert traded == {"cell.restart": "s", "cell.switch": "r"}


def test_what_clashes_only_once_another_was_taken_back_is_told_too() -> None:
    table, problems = own_keys.overridden({"cell.restart": "s", "cell.stop": "r", "cell.switch": "ctrl+b"})
    assert len(problems) == 3
    assert keys.duplicates(table) == []


async def test_places_may_call_their_actions_the_same_and_keep_their_own_ids() -> None:
    cockpit = Cockpit()
    async with cockpit.running():
        by_id = cockpit.app.preferences.by_id
        by_id["builds.filter"] = replace(by_id["builds.filter"], action="screen.filter", hint=1)
        live = {key.id for key in cockpit.app.live_keys()}
        assert "cell.filter" in live
        assert "builds.filter" not in live
        assert not cockpit.app.check_action("act", ("builds.filter",))


def test_every_verb_that_a_key_stands_for_exists() -> None:
    assert {one.verb.split(" ")[0] for one in keys.TABLE if one.verb} <= set(VERBS)


def test_a_key_that_only_looks_stands_for_a_verb_that_only_looks() -> None:
    found = [one.id for one in keys.TABLE if one.verb and one.read_only and not only_looks(shlex.split(one.verb))]
    assert found == []


def test_the_help_of_a_verb_tells_the_cockpits_keys() -> None:
    told = parsing.parser_of("restart").format_help()
    assert "in the cockpit:\n  r " in told
    assert "in the cockpit" not in parsing.parser_of("sync").format_help()


def test_the_page_of_the_keys_is_current() -> None:
    page = ROOT / "docs" / "keys.md"
    assert page.read_text() == keys_page.text(), "make it anew: python -m hero_tui.keys_page > docs/keys.md"


async def test_a_persons_own_key_works_and_is_shown() -> None:
    from hero_tui.settings import Settings

    cockpit = Cockpit(settings=Settings(keys={"app.help": "f1", "grid.down": "w,down"}))
    assert cockpit.app.problems == ()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "w")
        assert cockpit.grid.cursor == ("mik", "hero_db")
        await cockpit.press(pilot, "question_mark")
        assert cockpit.screen_name == "FleetScreen"
        await cockpit.press(pilot, "f1")
        assert cockpit.screen_name == "HelpDialog"
        assert "f1 " in cockpit.text
