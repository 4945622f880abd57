"""The inbox as the cockpit knows it: asked for after news, each question announced once."""

from __future__ import annotations

import asyncio
from typing import Any

from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import InboxResult
from hero_tui.inbox_book import InboxBook, announcement
from tests.hero_tui.agents import item, question_changed, some_items


class Box:
    """A box with these items; `gate` holds its answers back."""

    def __init__(self, *items: InboxItem) -> None:
        self.items = items
        self.asked: list[dict[str, Any]] = []
        self.told: list[str] = []
        self.changes = 0
        self.error: HeroError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.book = InboxBook("alice", self.ask, self.told.append, self._change)

    def _change(self) -> None:
        self.changes += 1

    async def ask(self, method: str, params: Any, result: Any) -> Any:
        self.asked.append(params.model_dump())
        await self.gate.wait()
        if self.error:
            raise self.error
        ended = params.ended
        return InboxResult(items=tuple(one for one in self.items if ended or one.state in ("open", "submitted")))


async def test_it_counts_what_is_open_and_knows_what_was() -> None:
    box = Box(*some_items())
    await box.book.fill()
    assert box.book.waiting == 3
    assert {one.id for one in box.book.view.items} == {one.id for one in some_items()}
    assert box.asked[0]["user"] == "alice"


async def test_a_question_is_announced_once_though_the_line_is_lost_in_between() -> None:
    box = Box(item())
    await box.book.fill()
    box.error = HeroError("unreachable", "The box has gone.")
    await box.book.fill()
    assert box.book.view.problem == "The box has gone."
    assert box.book.waiting == 1
    box.error = None
    await box.book.fill()
    await box.book.fill()
    assert box.told == ["alice/1 asks: Which of the two tables shall be kept?"]
    box.items = (item(), item("p-9", kind="permission", sender="alice/2", text="Bash: make\x1b]0;x\x07 all"))
    await box.book.fill()
    assert box.told[1:] == ["alice/2 asks for permission: Bash: make all"]


async def test_what_is_found_at_the_start_is_announced_together() -> None:
    box = Box(*some_items())
    await box.book.fill()
    assert box.told == ["3 questions wait for you: alice/1, alice/2, alice/3"]


async def test_messages_and_what_is_over_are_not_announced() -> None:
    box = Box(item("m-1", kind="message"), item("q-9", state="answered"))
    await box.book.fill()
    assert box.told == []


async def test_news_that_comes_while_it_asks_has_it_asked_once_more() -> None:
    box = Box(item())
    box.gate.clear()
    first = asyncio.create_task(box.book.fill())
    await asyncio.sleep(0)
    await box.book.fill()
    await box.book.fill()
    box.gate.set()
    await first
    assert len(box.asked) == 4


def test_only_news_of_this_person_and_their_agents_concern_it() -> None:
    book = Box().book
    assert book.concerns(question_changed(item()))
    assert book.concerns(question_changed(item(to="mik", sender="alice")))
    assert book.concerns(question_changed(item(to="mik", sender="alice/7")))
    assert book.concerns(question_changed(item(to="@admins", sender="mik/1")))
    assert not book.concerns(question_changed(item(to="mik", sender="thabet/1")))
    assert not book.concerns(question_changed(item(to="mik", sender="alicea/1")))


def test_a_long_question_is_announced_in_a_line() -> None:
    told = announcement(item(text="why\n" * 500))
    assert "\n" not in told
    assert len(told) < 160
