"""The fleet sorted, grouped and folded; what waits for a person; the last version that was good."""

from __future__ import annotations

from backends.model.inbox import InboxItem
from backends.model.inbox_calls import InboxResult
from tests.hero_tui.fleets import NOW, Cockpit, cell, changed


def _asked(sender: str) -> InboxResult:
    asked = InboxItem(id="q-1", kind="question", sender=sender, to="alice", text="Which port?", asked_at=NOW)
    return InboxResult(items=(asked,))


async def test_only_what_waits_for_me_is_left_and_esc_takes_that_back() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["question.list"] = lambda _, asked: (
            _asked("mik/2") if not asked.get("ended") else None
        )
        cockpit.app.desk.refresh_inbox()
        await cockpit.settle(pilot)
        await cockpit.press(pilot, "at")
        assert [row.key for row in cockpit.grid.view.rows] == ["mik"]
        assert "waiting only" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert len(cockpit.grid.view.rows) == 4


async def test_groups_fold_and_a_head_says_what_is_broken_below_it() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "V", "V", "V")
        assert cockpit.grid.order.group == "state"
        assert "▾ trouble" in cockpit.text
        await cockpit.press(pilot, "g", "j", "enter")
        row = cockpit.grid.view.rows[1]
        assert row.head
        assert row.folded
        assert cockpit.app.here.target is None
        assert "thread 'main' panicked" in cockpit.text
        assert "thabet" not in [one.key for one in cockpit.grid.view.rows]
        await cockpit.press(pilot, "tab")
        assert "thabet" in [one.key for one in cockpit.grid.view.rows]


async def test_by_trouble_the_order_follows_what_happens_and_the_cursor_stays_on_its_cell() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        await cockpit.press(pilot, "O")
        here = cockpit.grid.cursor
        for number, service in enumerate(("hero_db", "hero_router", "hero_slides")):
            cockpit.tell(changed(11 + number, "alice", cell(service, health="crashed", since=NOW)))
        await cockpit.settle(pilot)
        assert [row.key for row in cockpit.grid.view.rows][:2] == ["integration", "alice"]
        assert cockpit.grid.cursor == here
        assert "by trouble" in cockpit.text


async def test_a_crash_names_the_last_good_version() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        crashed = cell("hero_db", health="crashed", reason="exit 101", since=NOW, last_good="a1b2c3d4" * 5)
        cockpit.tell(changed(11, "alice", crashed))
        await pilot.pause()
        assert "a1b2c3d4" in cockpit.text
