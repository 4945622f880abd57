"""The inbox: answered where it stands, told as submitted until the box says more, conflicts in their place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import InboxResult
from screens.widgets.agent_text import AgentText
from screens.widgets.linelist import LineList
from tests.hero_tui.agents import item, question_changed, some_agents, some_items, with_agents
from tests.hero_tui.fleets import NOW, Cockpit


class Inbox:
    """What the box has; it answers question.list."""

    def __init__(self, items: Sequence[InboxItem]) -> None:
        self.items = list(items)
        self.sent: list[InboxItem] = []

    def __call__(self, _: str, asked: dict[str, Any]) -> InboxResult:
        items = self.sent if asked["sent"] else self.items
        open_only = [one for one in items if asked["ended"] or one.state in ("open", "submitted")]
        return InboxResult(items=tuple(open_only))

    def put(self, cockpit: Cockpit, changed: InboxItem) -> None:
        self.items = [one for one in self.items if one.id != changed.id] + [changed]
        cockpit.line.on_event(question_changed(changed))


@asynccontextmanager
async def opened(
    items: Sequence[InboxItem] | None = None, size: tuple[int, int] = (120, 40), **options: Any
) -> AsyncIterator[tuple[Cockpit, Pilot[int], Inbox]]:
    """The cockpit on its inbox."""
    cockpit = Cockpit(first=with_agents(some_agents()), **options)
    async with cockpit.running(size) as pilot:
        inbox = Inbox(some_items() if items is None else items)
        cockpit.line.answers["question.list"] = inbox
        await cockpit.press(pilot, "7", "ctrl+r")
        await settled(cockpit, pilot)
        cockpit.app.clear_notifications()
        await settled(cockpit, pilot)
        cockpit.line.calls.clear()
        yield cockpit, pilot, inbox


async def settled(cockpit: Cockpit, pilot: Pilot[int]) -> None:
    for _ in range(2):
        await cockpit.settle(pilot)


def ids(cockpit: Cockpit) -> list[str]:
    return [one.id for one in cockpit.app.screen.query_one(LineList).rows]


def detail(cockpit: Cockpit) -> str:
    return str(cockpit.app.screen.query_one("#inbox-detail", Static).content)


async def test_the_most_urgent_is_first_and_all_of_it_is_read() -> None:
    async with opened() as (cockpit, pilot, _):
        assert ids(cockpit)[:4] == ["q-1", "p-1", "q-2", "m-1"]
        assert "inbox · 3 open · 1 unread" in cockpit.text
        assert "? 3 waiting" in cockpit.text
        await cockpit.press(pilot, "j", "j")
        assert "Shall I go on, or stop the loop?" in detail(cockpit)


async def test_a_digit_chooses_and_enter_sends() -> None:
    async with opened() as (cockpit, pilot, inbox):
        answered = item(state="answered", choice=2, answer="the routes by weight", answered_by="alice")
        cockpit.line.answers["question.answer"] = answered
        await cockpit.press(pilot, "2")
        assert cockpit.line.called("question.answer") == []
        assert "enter sends 2" in cockpit.text
        await cockpit.press(pilot, "enter")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer") == [
            {"id": "q-1", "text": "", "choice": 2, "confirm": "", "user": "alice"}
        ]
        inbox.put(cockpit, answered)
        await settled(cockpit, pilot)
        assert "? 2 waiting" in cockpit.text


async def test_what_was_chosen_is_not_sent_to_another_question() -> None:
    async with opened() as (cockpit, pilot, _):
        await cockpit.press(pilot, "2", "j", "j", "enter")
        assert cockpit.line.called("question.answer") == []
        assert isinstance(cockpit.app.focused, AgentText)


async def test_a_digit_that_is_no_answer_is_a_screen() -> None:
    async with opened() as (cockpit, pilot, _):
        await cockpit.press(pilot, "6")
        assert cockpit.screen_name == "AgentsScreen"


async def test_a_permission_is_submitted_until_its_agent_has_gone_on() -> None:
    async with opened() as (cockpit, pilot, inbox):
        held: asyncio.Future[InboxItem] = asyncio.get_running_loop().create_future()
        cockpit.line.answers["question.answer"] = held
        await cockpit.press(pilot, "j", "y")
        assert cockpit.line.called("question.answer") == [
            {"id": "p-1", "text": "", "choice": 1, "confirm": "", "user": "alice"}
        ]
        assert "↻ submitted" in cockpit.text
        submitted = some_items()[1].model_copy(
            update={"state": "submitted", "choice": 1, "answer": "Allow", "answered_by": "alice"}
        )
        held.set_result(submitted)
        inbox.put(cockpit, submitted)
        await settled(cockpit, pilot)
        assert "submitted: Allow" in detail(cockpit)
        await cockpit.press(pilot, "y", "n")
        assert len(cockpit.line.called("question.answer")) == 1
        inbox.put(cockpit, submitted.model_copy(update={"state": "answered", "answered_at": NOW}))
        await settled(cockpit, pilot)
        assert "submitted" not in cockpit.text


async def test_an_answer_that_did_not_arrive_is_open_again_and_says_why() -> None:
    async with opened() as (cockpit, pilot, inbox):
        opened_again = some_items()[1].model_copy(update={"problem": "The slot did not take it."})
        cockpit.line.answers["question.answer"] = some_items()[1].model_copy(update={"state": "submitted"})
        await cockpit.press(pilot, "j", "n")
        await settled(cockpit, pilot)
        inbox.put(cockpit, opened_again)
        await settled(cockpit, pilot)
        assert "The slot did not take it." in detail(cockpit)
        assert "◈ permission" in cockpit.text


async def test_a_conflict_is_told_in_its_place() -> None:
    async with opened() as (cockpit, pilot, _):
        conflict = HeroError("conflict", "mik has answered this already: 1 (the routes by name).")
        cockpit.line.answers["question.answer"] = conflict
        await cockpit.press(pilot, "1", "enter")
        await settled(cockpit, pilot)
        assert "mik has answered this already" in detail(cockpit)
        line = next(line for line in cockpit.text.splitlines() if "alice/1" in line)
        assert "mik has answered this" in line


async def test_what_was_answered_meanwhile_is_not_answered_again() -> None:
    async with opened() as (cockpit, pilot, inbox):
        await cockpit.press(pilot, "j", "j", "enter", *"stop the loop")
        done = some_items()[2].model_copy(update={"state": "answered", "answered_by": "alice", "answer": "go on"})
        inbox.put(cockpit, done)
        await settled(cockpit, pilot)
        await cockpit.press(pilot, "enter")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer") == []
        assert cockpit.app.screen.query_one(AgentText).text == "stop the loop"
        assert "It is not open any more" in cockpit.text


async def test_an_item_that_has_come_under_the_cursor_by_itself_is_not_answered_by_the_first_key() -> None:
    first, second = (item(id, kind="permission", options=("Allow", "Deny")) for id in ("p-1", "p-2"))
    async with opened([first, second]) as (cockpit, pilot, inbox):
        cockpit.line.answers["question.answer"] = second.model_copy(update={"state": "submitted"})
        inbox.items = [second]
        cockpit.line.on_event(question_changed(first))
        await settled(cockpit, pilot)
        assert ids(cockpit) == ["p-2"]
        await cockpit.press(pilot, "y")
        assert cockpit.line.called("question.answer") == []
        assert "Another one has come under the cursor" in cockpit.text
        await cockpit.press(pilot, "y")
        assert [one["id"] for one in cockpit.line.called("question.answer")] == ["p-2"]


async def test_an_answer_in_words() -> None:
    async with opened() as (cockpit, pilot, _):
        cockpit.line.answers["question.answer"] = some_items()[2].model_copy(update={"state": "answered"})
        await cockpit.press(pilot, "j", "j", "i", *"go on: until 7", "enter")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer") == [
            {"id": "q-2", "text": "go on: until 7", "choice": 0, "confirm": "", "user": "alice"}
        ]
        assert cockpit.app.focused is cockpit.app.screen.query_one(LineList)


async def test_a_no_with_a_reason() -> None:
    async with opened() as (cockpit, pilot, _):
        cockpit.line.answers["question.answer"] = some_items()[1].model_copy(update={"state": "submitted"})
        await cockpit.press(pilot, "j", "i", *"not today", "enter")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.answer")[0] | {"user": ""} == {
            "id": "p-1",
            "text": "not today",
            "choice": 2,
            "confirm": "",
            "user": "",
        }


async def test_a_message_is_read_by_space_and_replied_to() -> None:
    async with opened() as (cockpit, pilot, _):
        read = some_items()[3].model_copy(update={"state": "delivered", "read_at": NOW})
        cockpit.line.answers |= {"message.read": read, "message.send": item("m-9", kind="message")}
        await cockpit.press(pilot, "j", "j", "j", "space")
        await settled(cockpit, pilot)
        assert cockpit.line.called("message.read") == [{"id": "m-1", "agent": "", "user": "alice"}]
        assert "unread" not in cockpit.text
        await cockpit.press(pilot, "k", "k", "k", "j", "j", "j", "i", *"thanks", "enter")
        await settled(cockpit, pilot)
        assert [one["to"] for one in cockpit.line.called("message.send")] == ["mik"]


async def test_the_time_left_counts_down_and_paints_its_line_alone() -> None:
    items = [item(expires_at=NOW + timedelta(seconds=85)), *some_items()[3:]]
    async with opened(items) as (cockpit, pilot, _):
        table = cockpit.app.screen.query_one(LineList)
        assert "85s" in cockpit.text
        painted: list[int] = []
        render = table.render_line
        table.render_line = lambda y: (painted.append(y), render(y))[1]  # type: ignore[method-assign, func-returns-value]
        cockpit.now = NOW + timedelta(seconds=1)
        cockpit.app._tick()
        await cockpit.settle(pilot)
        assert "84s" in cockpit.text
        assert set(painted) == {1}


async def test_what_went_out_and_what_is_taken_back() -> None:
    async with opened() as (cockpit, pilot, inbox):
        inbox.sent = [item("q-9", sender="alice", to="mik", text="May I take hero_books?")]
        await cockpit.press(pilot, "s")
        await settled(cockpit, pilot)
        assert ids(cockpit) == ["q-9"]
        cockpit.line.answers["question.cancel"] = inbox.sent[0].model_copy(update={"state": "cancelled"})
        await cockpit.press(pilot, "x", "y")
        await settled(cockpit, pilot)
        assert cockpit.line.called("question.cancel") == [{"id": "q-9", "agent": "", "user": "alice"}]
        assert "⊘ cancelled" in cockpit.text
        await cockpit.press(pilot, "escape")
        assert ids(cockpit)[0] == "q-1"


async def test_the_agent_that_asks_is_a_key_away() -> None:
    async with opened() as (cockpit, pilot, _):
        await cockpit.press(pilot, "j", "p")
        assert cockpit.screen_name == "AgentScreen"
        assert "agent alice/2" in cockpit.text


async def test_a_read_only_cockpit_only_reads() -> None:
    async with opened(read_only=True) as (cockpit, pilot, _):
        await cockpit.press(pilot, "1", "j", "y", "n", "i")
        assert cockpit.line.called("question.answer") == []


async def test_a_new_question_rings_once_and_is_told_with_its_sender() -> None:
    async with opened([]) as (cockpit, pilot, inbox):
        rung: list[int] = []
        cockpit.app.bell = lambda: rung.append(1)  # type: ignore[method-assign]
        inbox.put(cockpit, item())
        await settled(cockpit, pilot)
        assert "alice/1 asks: Which of the two tables shall be kept?" in cockpit.text
        cockpit.line.on_state("reconnecting", "The box has gone.")
        cockpit.line.on_state("online", "")
        cockpit.line.on_event(question_changed(item()))
        await settled(cockpit, pilot)
        assert rung == [1]


async def test_an_empty_inbox_says_what_comes_here() -> None:
    async with opened([]) as (cockpit, _, _inbox):
        assert "Nothing waits for you." in cockpit.text


async def test_a_box_that_does_not_answer_is_told() -> None:
    cockpit = Cockpit()
    async with cockpit.running() as pilot:
        cockpit.line.answers["question.list"] = HeroError("failed", "The inbox is broken.", hint="Restart it.")
        await cockpit.press(pilot, "7", "ctrl+r")
        await settled(cockpit, pilot)
        assert "The inbox is broken. Restart it." in cockpit.text


async def test_what_is_asked_does_nothing_to_the_terminal() -> None:
    evil = "\x1b]0;x\x07\x1b[2J\u202eevil\n[red]x[/]"
    bad = item(text=evil, sender="mik/1", options=(evil[:20], "No"), problem=evil)
    async with opened([bad]) as (cockpit, _, _inbox):
        assert "\x1b" not in cockpit.text
        assert "\u202e" not in cockpit.text
        assert "[red]x[/]" in cockpit.text
