"""What a person can do to a question or a message: answer, allow, deny, mark as read, reply, take back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import TEXT_LIMIT, AnswerParams, ItemParams, TellParams
from screens.desk import Desk
from screens.widgets.inbox_model import choice_of, decides, is_open, is_unread


class InboxActions:
    """The actions of one screen; `changed` is called when an item looks other than the box has told it."""

    def __init__(self, desk: Desk, changed: Callable[[], None]):
        self._desk = desk
        self._changed = changed
        self._taken: dict[str, tuple[InboxItem, InboxItem]] = {}
        self.problems: dict[str, str] = {}
        """By id why the last answer was not taken."""

    def newest(self, item: InboxItem) -> InboxItem:
        """The item with the answer that was sent, until the box tells of it."""
        before, after = self._taken.get(item.id, (None, item))
        if before == item:
            return after
        self._taken.pop(item.id, None)
        return item

    def enabled(self, action: str, item: InboxItem | None, *, sent: bool) -> bool:
        """Whether `action` can be done to `item`."""
        if item is None or (self._desk.read_only and action not in ("copy", "peek")):
            return False
        match action:
            case "copy":
                return True
            case "peek":
                return "/" in (item.to if sent else item.sender)
            case "take_back":
                return sent and is_open(item) and item.sender == self._desk.me
            case "read":
                return not sent and is_unread(item)
            case "decide":
                return not sent and is_open(item) and decides(item)
            case "answer":
                return not sent and (is_open(item) or item.kind == "message")
        return not sent and is_open(item)

    async def answer(self, item: InboxItem, *, choice: int = 0, text: str = "", confirm: str = "") -> bool:
        """Answer the question as it was shown; one that is over meanwhile says so in its place. True if taken."""
        current = next((one for one in self._desk.inbox.items if one.id == item.id), item)
        if not is_open(self.newest(current)):
            self._refuse(item, "It is not open any more; nothing was sent.")
            return False
        shown = current.model_copy(update={"state": "submitted", "choice": choice, "answer": text})
        self._taken[item.id] = (current, shown)
        self.problems.pop(item.id, None)
        self._changed()
        try:
            params = AnswerParams(id=item.id, choice=choice, text=text, confirm=confirm, user=self._desk.me)
            told = await self._desk.ask_box("question.answer", params, InboxItem)
        except HeroError as error:
            self._taken.pop(item.id, None)
            self._refuse(item, f"{error.message} {error.hint}".strip())
            self._desk.refresh_inbox()
            return False
        if item.id in self._taken:
            self._taken[item.id] = (current, told)
        self._changed()
        return True

    async def decide(self, item: InboxItem, allowed: bool) -> None:
        """Allow or deny; an action that was allowed in full sight of its plan, by its name."""
        confirm = item.approval.subject if item.approval and allowed else ""
        await self.answer(item, choice=choice_of(allowed), confirm=confirm)

    async def reply(self, item: InboxItem, text: str) -> bool:
        """Answer a message by another one, which reads it. True if it was sent."""
        if len(text) > TEXT_LIMIT:
            self._refuse(item, f"A message has {TEXT_LIMIT:,} characters at most.")
            return False
        try:
            params = TellParams(to=item.sender, text=text, user=self._desk.me)
            await self._desk.ask_box("message.send", params, InboxItem)
        except HeroError as error:
            self._refuse(item, f"{error.message} {error.hint}".strip())
            return False
        self._desk.tell(f"a message to {item.sender} is on its way")
        if is_unread(item):
            await self.read(item)
        return True

    async def each(self, act: Callable[[InboxItem], Awaitable[None]], items: Sequence[InboxItem]) -> None:
        """Do it to all of these at once: the box has heard of every one, even if the person goes elsewhere."""
        await asyncio.gather(*(act(item) for item in items))

    async def read(self, item: InboxItem) -> None:
        """Mark it as read."""
        await self._on_item("message.read", item)

    async def take_back(self, item: InboxItem) -> None:
        """Take a question of mine back."""
        await self._on_item("question.cancel", item)

    async def _on_item(self, method: str, item: InboxItem) -> None:
        try:
            told = await self._desk.ask_box(method, ItemParams(id=item.id, user=self._desk.me), InboxItem)
        except HeroError as error:
            self._refuse(item, f"{error.message} {error.hint}".strip())
            return
        self._taken[item.id] = (item, told)
        self._changed()

    def _refuse(self, item: InboxItem, sentence: str) -> None:
        self.problems[item.id] = sentence
        self._changed()
