"""What this person and their agents have asked and said, asked of the box while the inbox screen shows it."""

from __future__ import annotations

from collections.abc import Callable

from backends.model.errors import HeroError
from backends.model.inbox import InboxItem
from backends.model.inbox_calls import InboxParams, InboxResult
from screens.desk import Desk

_AT_MOST = 200


class SentBox:
    """`on` while it is shown; `changed` is called when an answer has come."""

    def __init__(self, desk: Desk, changed: Callable[[], None]):
        self._desk = desk
        self._changed = changed
        self.on = False
        self.known = False
        """Whether the box has answered."""
        self.items: tuple[InboxItem, ...] = ()
        self.problem = ""
        """Why the last question was not answered."""

    async def ask(self) -> None:
        """Ask the box anew."""
        params = InboxParams(sent=True, ended=True, limit=_AT_MOST, user=self._desk.me)
        try:
            answer = await self._desk.ask_box("question.list", params, InboxResult)
        except HeroError as error:
            self.problem = f"{error.message} {error.hint}".strip()
        else:
            self.problem, self.items, self.known = "", answer.items, True
        self._changed()
