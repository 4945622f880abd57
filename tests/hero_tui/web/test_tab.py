"""The cockpit of a tab: nothing in it writes on the box or runs anything there, and it is nobody's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from backends.client.locate import Where
from backends.model.paths import BoxPaths
from hero_tui.web.tab import WITHHELD, TabApp, where_of
from tests.hero_tui.fleets import Cockpit


@pytest.fixture
def cockpit(monkeypatch: pytest.MonkeyPatch) -> Cockpit:
    monkeypatch.setattr("tests.hero_tui.fleets.HeroApp", TabApp)
    return Cockpit(read_only=True)


async def test_logs_can_be_read_and_copied_but_neither_saved_nor_opened_on_the_box(
    cockpit: Cockpit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "l")
        assert cockpit.screen_name == "LogsScreen"
        live = {key.id for key in cockpit.app.live_keys()}
        assert "logs.copy" in live
        assert not live & WITHHELD
        await cockpit.press(pilot, "s", "o", "e")
        assert list(tmp_path.iterdir()) == []
        for id_ in WITHHELD:  # as the palette does it
            await cockpit.app.run_action(f"app.act('{id_}')")
            await cockpit.settle(pilot)
        assert cockpit.screen_name == "LogsScreen"
        assert list(tmp_path.iterdir()) == []


async def test_read_only_cannot_be_turned_off(cockpit: Cockpit) -> None:
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "colon", *"readonly off", "enter")
        assert "stays so" in cockpit.text
        assert cockpit.line.read_only


def test_on_a_rootless_box_ones_own_slot_is_ones_own_and_elsewhere_none_is(tmp_path: Path) -> None:
    (tmp_path / "home" / "alice").mkdir(parents=True)
    assert where_of(tmp_path, "alice").user == "alice"
    assert where_of(tmp_path, "mik").user == ""
    system = tmp_path / "system"
    system.mkdir()
    (system / "home").symlink_to(tmp_path / "home")
    assert where_of(system, "alice").user == ""


def test_homes_that_the_daemon_may_not_see_are_taken_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As systemd's ProtectHome= has it."""
    homes = tmp_path / "homes"
    homes.mkdir()
    (tmp_path / "home").symlink_to(homes)
    users = tmp_path / "team" / "checkout" / "users"
    users.mkdir(parents=True)
    (users / "mik.toml").touch()

    def refused(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refused)
    assert Where(BoxPaths(tmp_path)).users() == ["mik"]
