"""How what is under the cursor of the inbox is answered: by number, allowed or denied in sight of it, in words."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from backends.model.inbox import InboxItem
from screens.approval import ApprovalDialog, Decision
from screens.filtered import FilteredScreen
from screens.inbox_actions import InboxActions
from screens.widgets.inbox_model import InboxFilters, choice_of, decides, left_text
from screens.widgets.inbox_reply import InboxReply


class InboxAnswers:
    """What is answered on `screen`: `chosen` is the number that Enter sends, 0 without one."""

    def __init__(self, screen: FilteredScreen[InboxFilters, InboxItem], actions: InboxActions):
        self._screen = screen
        self._actions = actions
        self.chosen = 0
        self._came = ""

    def moved(self, item: InboxItem) -> None:
        """The cursor is on this one now."""
        self.chosen = 0  # it was chosen for another question
        if item.id != self._came:
            self._came = ""

    def came(self, item: InboxItem) -> None:
        """This one has come under the cursor by itself: the person may mean the one before."""
        self.chosen, self._came = 0, item.id

    def choose(self, item: InboxItem, number: int) -> None:
        """Have Enter send this one."""
        if self._steady(item):
            self.chosen = number

    def decide(self, item: InboxItem, allowed: bool) -> None:
        """Allow or deny."""
        if not self._steady(item):
            return
        if allowed and item.kind == "approval":
            self._show_all_of(item)
        else:
            self._run(self._actions.decide(item, allowed))

    def enter(self, item: InboxItem) -> None:
        """Send what was chosen; without that, have it written."""
        chosen, self.chosen = self.chosen, 0
        if item.kind == "approval":
            self._show_all_of(item)
        elif chosen:
            self._run(self._actions.answer(item, choice=chosen))
        elif item.free_text or item.kind == "message":
            self.reply.open(item)
        else:
            self._screen.desk.tell("This question takes one of its answers: press its number.")

    @property
    def reply(self) -> InboxReply:
        """Where words are written."""
        return self._screen.query_one(InboxReply)

    def leave(self) -> None:
        """Write no more; the words stay."""
        self.reply.close()
        self._screen.list.focus()

    def send(self, text: str) -> None:
        """Answer in words the item for which they were written."""
        item, words = self.reply.item, text.strip()
        if item and words:
            self._run(self._send(item, words))

    async def _send(self, item: InboxItem, text: str) -> None:
        if item.kind == "message":
            taken = await self._actions.reply(item, text)
        else:
            taken = await self._actions.answer(item, choice=choice_of(False) if decides(item) else 0, text=text)
        if taken:
            self.reply.done()
            self._screen.list.focus()
        elif problem := self._actions.problems.get(item.id):
            self.reply.refuse(problem)

    def _steady(self, item: InboxItem) -> bool:
        """False once for an item that has come under the cursor by itself."""
        came, self._came = self._came, ""
        if came == item.id:
            told = "Another one has come under the cursor: press it again if you mean this one."
            self._screen.desk.tell(told)
        return came != item.id

    def _show_all_of(self, item: InboxItem) -> None:
        """Show the plan before anything is allowed."""

        def decided(decision: Decision | None) -> None:
            if decision == "words":
                self.reply.open(item)
            elif decision is not None:
                self._run(self._actions.decide(item, decision == "allow"))

        left = left_text(item, self._screen.desk.now())
        self._screen.app.push_screen(ApprovalDialog(item, left), decided)

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        self._screen.run_worker(work, group="inbox")
