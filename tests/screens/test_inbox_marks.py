"""The inbox in another order, and what is done to all that are marked: read, copy, take back, never an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot
from textual.widgets import Static

from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from screens.inbox_words import copied, take_back_question
from screens.widgets.linelist import LineList
from tests.hero_tui.agents import item, question_changed, some_items
from tests.hero_tui.fleets import NOW, Cockpit
from tests.screens.test_inbox import Inbox, ids, opened, settled

EVIL = "\x1b]0;x\x07\x1b[2J\u202eevil\n[red]x[/]"
USUAL = ["q-1", "p-1", "q-2", "m-1", "q-3", "m-2", "q-4"]


def message(number: int, **fields: Any) -> InboxItem:
    """One that is unread, each older than the one before."""
    asked = NOW - timedelta(minutes=number)
    return item(f"m-{number}", **{"kind": "message", "sender": "mik", "options": (), "asked_at": asked} | fields)


def question(number: int, **fields: Any) -> InboxItem:
    """One that I have asked, each older than the one before."""
    asked = NOW - timedelta(minutes=number)
    return item(f"q-{number}", **{"sender": "alice", "to": "mik", "asked_at": asked} | fields)


def answers(cockpit: Cockpit, method: str, items: list[InboxItem], **changed: Any) -> None:
    """The box does as it is asked, to each of these."""
    known = {one.id: one for one in items}
    cockpit.line.answers[method] = lambda _, asked: known[asked["id"]].model_copy(update=changed)


def done(cockpit: Cockpit, method: str) -> list[str]:
    return [one["id"] for one in cockpit.line.called(method)]


def title(cockpit: Cockpit) -> str:
    return cockpit.text.splitlines()[1]


async def to_sent(cockpit: Cockpit, pilot: Pilot[int], inbox: Inbox, items: list[InboxItem]) -> None:
    inbox.sent = items
    await cockpit.press(pilot, "s")
    await settled(cockpit, pilot)
    assert ids(cockpit) == [one.id for one in items]


async def test_another_order_by_key_with_the_cursor_on_its_line_and_kept_over_a_visit_elsewhere() -> None:
    async with opened() as (cockpit, pilot, _):
        await cockpit.press(pilot, "j")
        here = cockpit.app.screen.query_one(LineList).row
        for word, first in (("newest", "p-1"), ("oldest", "q-4"), ("who", "q-1")):
            await cockpit.press(pilot, "O")
            assert f"1 unread · by {word}" in title(cockpit)
            assert ids(cockpit)[0] == first
            assert cockpit.app.screen.query_one(LineList).row == here
        await cockpit.press(pilot, "1", "left_square_bracket")
        assert "by who" in title(cockpit)
        await cockpit.press(pilot, "O")
        assert (ids(cockpit), "by" in title(cockpit)) == (USUAL, False)


async def test_a_key_after_another_order_is_of_the_item_that_it_was_on() -> None:
    async with opened() as (cockpit, pilot, _):
        cockpit.line.answers["question.answer"] = some_items()[1].model_copy(update={"state": "submitted"})
        await cockpit.press(pilot, "j", "O", "O", "y")
        assert done(cockpit, "question.answer") == ["p-1"]


async def test_all_that_are_marked_are_read_at_once_and_nothing_else() -> None:
    items = [*(message(number) for number in range(1, 5)), question(9, to="alice", sender="mik")]
    async with opened(items) as (cockpit, pilot, _):
        answers(cockpit, "message.read", items, state="delivered", read_at=NOW)
        await cockpit.press(pilot, "m", "m", "m")  # the question, which cannot be read, and two messages
        assert "4 unread · 3 marked" in title(cockpit)
        await cockpit.press(pilot, "space")
        await settled(cockpit, pilot)
        assert sorted(done(cockpit, "message.read")) == ["m-1", "m-2"]
        assert "2 unread" in title(cockpit)
        assert "marked" not in cockpit.text


async def test_an_answer_is_of_the_one_under_the_cursor_whatever_is_marked() -> None:
    first, second = (item(id, kind="permission", options=("Allow", "Deny")) for id in ("p-1", "p-2"))
    async with opened([first, second]) as (cockpit, pilot, _):
        cockpit.line.answers["question.answer"] = second.model_copy(update={"state": "submitted"})
        await cockpit.press(pilot, "m", "m", "y")
        assert done(cockpit, "question.answer") == ["p-2"]


async def test_texts_of_all_that_are_marked_are_copied_with_who_says_them(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [message(1, text="one"), message(2, text="two", sender="thabet"), message(3, text="three")]
    async with opened(items, read_only=True) as (cockpit, pilot, _):
        found: list[str] = []
        monkeypatch.setattr(cockpit.app, "copy_to_clipboard", found.append)
        await cockpit.press(pilot, "c", "m", "m", "c")
        assert found == ["one", "mik: one\n\nthabet: two"]
        assert "copied 2 texts" in cockpit.text


async def test_questions_that_are_marked_are_taken_back_after_one_that_names_them() -> None:
    sent = [question(1), question(2, to="thabet", text=EVIL), question(3)]
    async with opened() as (cockpit, pilot, inbox):
        await to_sent(cockpit, pilot, inbox, sent)
        answers(cockpit, "question.cancel", sent, state="cancelled")
        await cockpit.press(pilot, "m", "m", "x")
        assert "Take 2 questions back?" in cockpit.text
        named = str(cockpit.app.screen.query_one("#confirm-lines", Static).content).splitlines()
        assert [line.split(":")[0] for line in named] == ["mik", "thabet"]
        assert not {"\x1b", "\u202e"} & set("".join(named))
        await cockpit.press(pilot, "enter")
        assert done(cockpit, "question.cancel") == []
        assert "sent · 2 marked" in title(cockpit)
        await cockpit.press(pilot, "x", "y")
        await settled(cockpit, pilot)
        assert sorted(done(cockpit, "question.cancel")) == ["q-1", "q-2"]
        assert "marked" not in cockpit.text


async def test_one_that_cannot_be_taken_back_any_more_says_so_and_holds_up_no_other() -> None:
    sent = [question(1), question(2)]

    def answer(_: str, asked: dict[str, Any]) -> InboxItem:
        if asked["id"] == "q-1":
            raise HeroError("conflict", "mik has answered this already.")
        return sent[1].model_copy(update={"state": "cancelled"})

    async with opened() as (cockpit, pilot, inbox):
        await to_sent(cockpit, pilot, inbox, sent)
        cockpit.line.answers["question.cancel"] = answer
        await cockpit.press(pilot, "m", "m", "x", "y")
        await settled(cockpit, pilot)
        assert "⊘ cancelled" in cockpit.text
        assert "mik has answered this already." in cockpit.text


async def test_marks_go_with_items_that_leave_and_stay_over_a_visit_elsewhere() -> None:
    items = [message(1), message(2)]
    async with opened(items) as (cockpit, pilot, inbox):
        await cockpit.press(pilot, "m", "m", "1", "left_square_bracket")
        await settled(cockpit, pilot)
        assert "2 marked" in title(cockpit)
        inbox.items = items[1:]
        cockpit.line.on_event(question_changed(items[0]))
        await settled(cockpit, pilot)
        assert "1 marked" in title(cockpit)


async def test_esc_takes_back_choice_filter_marks_and_sent_in_this_order() -> None:
    async with opened() as (cockpit, pilot, inbox):
        await cockpit.press(pilot, "m", "k", "slash", *"tables", "enter", "2")
        assert "sends 2" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert "sends 2" not in cockpit.text
        assert ids(cockpit) != USUAL
        await cockpit.press(pilot, "escape")
        assert (ids(cockpit), "1 marked" in title(cockpit)) == (USUAL, True)
        await cockpit.press(pilot, "escape")
        assert "marked" not in title(cockpit)
        await to_sent(cockpit, pilot, inbox, [question(1)])
        await cockpit.press(pilot, "m", "escape")
        assert ids(cockpit) == ["q-1"]
        assert title(cockpit).startswith("╭─ sent ─")
        await cockpit.press(pilot, "escape")
        assert ids(cockpit) == USUAL


def test_eight_questions_are_named_and_the_rest_counted() -> None:
    asked = take_back_question([question(number, text=EVIL * 20) for number in range(11)])
    assert (asked.title, len(asked.lines), asked.lines[-1]) == ("Take 11 questions back?", 9, "and 3 more")
    assert all(cell_len(line) <= 56 and line.isprintable() for line in asked.lines)
    assert take_back_question([question(1, text="May I?")]).lines == ("May I?",)


def test_what_was_sent_is_copied_with_whom_it_went_to() -> None:
    assert copied([question(1, text="one"), question(2, text="two")], sent=True) == "mik: one\n\nmik: two"
