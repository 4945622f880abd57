"""Actions that wait for me: read in full before they are allowed, far-reaching ones by a name; never by a key."""

from __future__ import annotations

import pytest
from textual.widgets import Button, Input

from backends.model.errors import HeroError
from screens.approval import ApprovalDialog
from screens.widgets.inbox_reply import InboxReply
from tests.hero_tui.agents import approval, some_approvals
from tests.hero_tui.fleets import Cockpit
from tests.screens.test_inbox import detail, ids, opened, settled

CALL = {"id": "a-1", "text": "", "choice": 1, "confirm": "hero_router", "user": "alice"}


def in_dialog(cockpit: Cockpit) -> bool:
    return isinstance(cockpit.app.screen, ApprovalDialog)


async def test_no_key_of_the_list_allows_anything() -> None:
    async with opened([approval()]) as (cockpit, pilot, _):
        assert "◆ approval" in cockpit.text
        assert "high radius" in detail(cockpit)
        for key in ("y", "enter", "i"):
            await cockpit.press(pilot, key)
            assert in_dialog(cockpit)
            await cockpit.press(pilot, "escape")
            assert not in_dialog(cockpit)
        await cockpit.press(pilot, "1", "enter", "escape")
        assert cockpit.line.called("question.answer") == []


async def test_high_radius_takes_the_name_and_stands_on_deny() -> None:
    async with opened([approval()]) as (cockpit, pilot, inbox):
        allowed = approval(state="submitted", choice=1, answer="Allow", answered_by="alice")
        cockpit.line.answers["question.answer"] = allowed
        await cockpit.press(pilot, "enter")
        assert "instead of development_alice-1a5d326a" in cockpit.text
        assert cockpit.app.focused is cockpit.app.screen.query_one("#approval-deny")
        assert cockpit.app.screen.query_one("#approval-allow", Button).disabled
        await cockpit.press(pilot, "y", *"hero_route", "enter")
        assert in_dialog(cockpit), "nothing is allowed by a part of the name"
        await cockpit.press(pilot, "r", "enter")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer") == [CALL]
        inbox.put(cockpit, allowed)
        await settled(cockpit, pilot)
        assert "it is not done yet" in detail(cockpit)


async def test_medium_radius_takes_a_yes_below_the_plan() -> None:
    async with opened([approval(radius="medium")]) as (cockpit, pilot, _):
        cockpit.line.answers["question.answer"] = approval(state="submitted", choice=1, answer="Allow")
        await cockpit.press(pilot, "enter")
        assert "done in 9m unless denied" in cockpit.text
        assert not cockpit.app.screen.query(Input)
        await cockpit.press(pilot, "y")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer") == [CALL]


@pytest.mark.parametrize("keys", [("n",), ("enter", "enter"), ("y", "escape", "enter", "n")])
async def test_it_is_denied(keys: tuple[str, ...]) -> None:
    async with opened([approval()]) as (cockpit, pilot, _):
        cockpit.line.answers["question.answer"] = approval(state="answered", choice=2, answer="Deny")
        await cockpit.press(pilot, *keys)
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer") == [CALL | {"choice": 2, "confirm": ""}]


async def test_it_is_denied_with_a_reason() -> None:
    async with opened([approval()]) as (cockpit, pilot, _):
        cockpit.line.answers["question.answer"] = approval(state="answered", choice=2, answer="no")
        await cockpit.press(pilot, "enter", "i")
        assert cockpit.app.screen.query_one(InboxReply).item == approval()
        await cockpit.press(pilot, *"not today", "enter")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer") == [CALL | {"choice": 2, "confirm": "", "text": "not today"}]


async def test_what_was_decided_meanwhile_is_not_sent() -> None:
    async with opened([approval()]) as (cockpit, pilot, inbox):
        await cockpit.press(pilot, "enter")
        inbox.put(cockpit, approval(state="expired"))
        await settled(cockpit, pilot)
        await cockpit.press(pilot, "n")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer") == []
        assert "It is not open any more" in cockpit.text


async def test_a_refusal_of_the_box_is_told_in_its_place() -> None:
    async with opened([approval()]) as (cockpit, pilot, _):
        cockpit.line.answers["question.answer"] = HeroError("conflict", "mik has answered this already: 2 (Deny).")
        await cockpit.press(pilot, "n")
        await settled(cockpit, pilot)
        assert "mik has answered this already" in detail(cockpit)


async def test_what_came_of_it_stands_in_its_line() -> None:
    async with opened(some_approvals()) as (cockpit, pilot, _):
        assert ids(cockpit) == ["a-2", "a-1", "a-3", "a-4"]
        await cockpit.press(pilot, "j", "j")
        assert "Done: switch hero_router" in detail(cockpit)
        await cockpit.press(pilot, "j")
        assert "has changed since it was proposed" in detail(cockpit)


async def test_a_read_only_cockpit_decides_nothing() -> None:
    async with opened([approval()], read_only=True) as (cockpit, pilot, _):
        await cockpit.press(pilot, "y", "n", "enter")
        assert not in_dialog(cockpit)
        assert cockpit.line.called("question.answer") == []
