"""A read-only cockpit: what changes something is hidden, refused, and not sent, whoever asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.client.live import LiveBox
from backends.client.locate import Where
from backends.model.calls import METHODS
from backends.model.errors import HeroError
from backends.model.method import Empty
from backends.model.paths import BoxPaths
from backends.model.slot_calls import ServicesParams
from backends.rpc.looking import VARIABLE, check_looks
from hero_tui import keys
from hero_tui.settings import Settings
from tests.hero_tui.fleets import Cockpit

CHANGING = {key.id for key in keys.TABLE if not key.read_only}


async def test_keys_footer_help_and_palette_hide_what_changes() -> None:
    cockpit = Cockpit(read_only=True)
    async with cockpit.running() as pilot:
        assert "READ ONLY" in cockpit.text
        assert "r restart" not in cockpit.text
        for place in ("1", "2", "4", "5", "6", "7"):
            await cockpit.press(pilot, place)
            assert {key.id for key in cockpit.app.live_keys()} & CHANGING == set(), place
        await cockpit.press(pilot, "1", "r", "s", "b", "x")
        assert cockpit.screen_name == "FleetScreen"
        assert [one for one in cockpit.line.calls if one[1].startswith("slot.")] == []
        await cockpit.press(pilot, "ctrl+p", *"restart")
        assert "restart hero_db" not in cockpit.text


@pytest.mark.parametrize("line", ["restart hero_db", "switch hero_db x", "tell mik hi", "agent", "edit", "cancel"])
async def test_commands_that_change_are_refused(line: str) -> None:
    cockpit = Cockpit(read_only=True)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *line, "enter")
        assert "This cockpit is read-only" in cockpit.text
        assert cockpit.screen_name == "FleetScreen"


async def test_it_can_be_turned_on_and_off_by_command() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"readonly", "enter")
        assert "READ ONLY" in cockpit.text
        assert "r restart" not in cockpit.text
        assert cockpit.line.read_only
        await cockpit.press(pilot, "colon", *"readonly off", "enter")
        assert "READ ONLY" not in cockpit.text
        assert "r restart" in cockpit.text
        assert not cockpit.line.read_only


async def test_one_that_was_started_read_only_stays_so() -> None:
    cockpit = Cockpit(read_only=True)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"readonly off", "enter")
        assert "started with --read-only" in cockpit.text
        assert cockpit.line.read_only


async def test_the_settings_turn_it_on_live(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    cockpit = Cockpit(settings_file=path)
    async with cockpit.running() as pilot:
        path.write_text("read_only = true\n")
        await cockpit.until(pilot, lambda: "READ ONLY" in cockpit.text)
        path.write_text("")
        await cockpit.until(pilot, lambda: "READ ONLY" not in cockpit.text)
    assert Cockpit(settings=Settings(read_only=True)).app.desk.read_only


async def test_the_line_refuses_what_changes_before_it_is_sent(tmp_path: Path) -> None:
    def nothing(*_: object) -> None: ...

    line = LiveBox(Where(BoxPaths(tmp_path), "alice"), on_state=nothing, on_snapshot=nothing, on_event=nothing)
    line.read_only = True
    with pytest.raises(HeroError, match=r"slot\.restart would change something, and was not sent"):
        await line.slot("alice", "slot.restart", ServicesParams(), Empty)
    with pytest.raises(HeroError, match="was not sent"):
        await line.box("build.cancel", None, Empty)
    with pytest.raises(HeroError, match="not connected"):
        await line.box("fleet.snapshot", None, Empty)


def test_every_call_that_changes_is_refused_and_no_other() -> None:
    def is_refused(method: str) -> bool:
        try:
            check_looks(method)
        except HeroError as error:
            return error.code == "denied"
        return False

    assert [one.name for one in METHODS if is_refused(one.name) != one.mutates] == []


def test_a_call_that_nobody_knows_is_refused() -> None:
    with pytest.raises(HeroError):
        check_looks("box.format_disk")


def test_hero_dev_under_a_read_only_cockpit_sends_no_change(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    from backends.rpc.sync_client import SyncClient

    path = short_dir / "rpc.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        monkeypatch.setenv(VARIABLE, "1")
        with SyncClient(path) as client:
            with pytest.raises(HeroError, match="was not sent"):
                client.call("slot.stop")
            with pytest.raises(HeroError) as caught:
                client.call("slot.status", timeout=0.05)
            assert caught.value.code == "timeout"
