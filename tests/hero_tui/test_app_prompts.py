"""The `:` line, the palette, help, the manifest, the clipboard."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from hero_tui.deep_link import Link
from screens.widgets.logview import LogView
from tests.hero_tui.fleets import Cockpit, cell, changed


async def test_a_command_is_completed_and_run() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"slot m", "tab")
        assert pilot.app.screen.query_one(Input).value.strip() == "slot mik"
        await cockpit.press(pilot, "enter")
        assert "peeking at mik" in cockpit.text


async def test_a_wrong_command_is_told() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"swich", "enter")
        assert "Did you mean :switch?" in cockpit.text


async def test_an_unknown_service_is_told_with_the_nearest() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"restart hero_rooter", "enter")
        assert "hero_router" in cockpit.text.splitlines()[-3] + cockpit.text
        assert cockpit.line.calls == []


async def test_commands_act_on_my_slot_wherever_i_am() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "j", "colon", *"restart hero_db hero_mail", "enter")
        assert cockpit.line.calls[0] == ("alice", "slot.restart", {"services": ["hero_db", "hero_mail"]})


async def test_a_switch_by_command_shows_its_plan() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"switch hero_router development_mik", "enter")
        assert cockpit.screen_name == "PlanDialog"
        await cockpit.press(pilot, "enter")
        assert cockpit.line.called("slot.switch")[0]["branch"] == "development_mik"


async def test_the_theme_changes() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"theme hero-light", "enter")
        assert pilot.app.theme == "hero-light"
        await cockpit.press(pilot, "T")
        assert pilot.app.theme == "hero-contrast"


async def test_colon_q_quits() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon")
        await pilot.press("q", "enter")
        await pilot.pause()
        assert pilot.app.return_value == 0


async def test_escape_leaves_the_line_and_up_brings_the_last_one_back() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"density heat", "enter")
        assert cockpit.grid.density == "heat"
        await cockpit.press(pilot, "colon", "up")
        assert pilot.app.screen.query_one(Input).value == "density heat"
        await cockpit.press(pilot, "escape")
        assert cockpit.screen_name == "FleetScreen"


async def test_the_palette_finds_a_key_and_a_place() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "ctrl+p", *"only my slot", "enter")
        assert [row.key for row in cockpit.grid.view.rows] == ["integration", "alice"]
        await cockpit.press(pilot, "ctrl+p", *"slot thabet", "enter")
        assert "peeking at thabet" in cockpit.text


async def test_help_shows_the_keys_of_the_screen_below() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "question_mark")
        assert "keys · fleet" in cockpit.text
        assert "Run another branch, release or build" in cockpit.text
        assert "Wrap long lines" not in cockpit.text
        await cockpit.press(pilot, "question_mark", "l", "question_mark")
        assert "Wrap long lines" in cockpit.text
        assert "Run another branch" not in cockpit.text


async def test_help_on_somebody_elses_row_leaves_out_what_changes() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "j", "question_mark")
        assert "Restart the service" not in cockpit.text


async def test_the_manifest_is_shown_as_it_is_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "home" / "alice" / "hero" / "cfg" / "dev_manifest.toml"
    path.parent.mkdir(parents=True)
    path.write_text('# mine\n[[bind]]\nservice = "hero_db" # keep\n')
    cockpit = Cockpit(root=tmp_path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "y")
        await cockpit.until(pilot, lambda: "[[bind]]" in cockpit.text)
        for told in ("# mine", "[[bind]]", 'service = "hero_db" # keep'):
            assert told in cockpit.text


async def test_values_of_a_cell_are_copied() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "o")
        assert pilot.app.clipboard.startswith("curl --unix-socket /srv/box/")
        await cockpit.press(pilot, "c", *"tag", "enter")
        assert pilot.app.clipboard == "development-1f3d5b79"


async def test_the_address_of_a_service_is_copied_where_it_has_one() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.on_event(changed(11, "alice", cell("hero_db", url="https://box.example/alice/db/")))
        await pilot.pause()
        await cockpit.press(pilot, "o")
        assert pilot.app.clipboard == "https://box.example/alice/db/"


async def test_digits_go_to_the_screens() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "2", "3")
        assert pilot.app.screen.query(LogView)
        await cockpit.press(pilot, "7", "1")  # in the logs, the digits up to 6 are windows of time
        assert len(pilot.app.screen_stack) == 1


async def test_it_begins_on_the_screen_that_was_asked_for() -> None:
    cockpit = Cockpit(link=Link("slot"))
    async with cockpit.running():
        assert cockpit.screen_name == "SlotScreen"


async def test_a_click_on_a_hint_is_its_key() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        row = next(number for number, text in enumerate(cockpit.text.splitlines()) if "? help" in text)
        await pilot.click(offset=(cockpit.text.splitlines()[row].index("? help"), row))
        await cockpit.settle(pilot)
        assert cockpit.screen_name == "HelpDialog"


async def test_without_a_slot_of_ones_own_everything_is_to_look_at() -> None:
    cockpit = Cockpit(user="")
    async with cockpit.running() as pilot:
        assert "r restart" not in cockpit.text
        await cockpit.press(pilot, "colon", *"restart hero_db", "enter")
        assert "This login has none" in cockpit.text
